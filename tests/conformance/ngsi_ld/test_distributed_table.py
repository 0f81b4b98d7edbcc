"""Every mode of a registration with every operation (clauses 4.3.6.2, 4.3.6.3, 4.20, 5.6, 5.7).

One rule says for each mode which broker holds what; each operation changes the whole entity in a
known way. What is expected at each broker follows from the two.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from tests.conformance.ngsi_ld.broker import ROOT, Running
from tests.conformance.ngsi_ld.peers import ALL, CAR, car, prop, register, url_of

pytestmark = pytest.mark.thorough

Doors = tuple[Running, Running, Running]
MODES = ("inclusive", "exclusive", "redirect", "auxiliary")
PATH = f"/entities/{CAR}"
ATTRIBUTES = f"{PATH}/attrs"
BATCH = "/entityOperations"
WHOLE = {"speed": 5, "brand": "Vin"}


class Step(NamedTuple):
    """An operation, and the whole entity after it."""

    name: str
    method: str
    path: str
    body: Any
    after: Mapping[str, Any] | None


_MORE = {**WHOLE, "seats": 4}
STEPS = (
    Step("append", "POST", ATTRIBUTES, {"seats": 4}, _MORE),
    Step("append_both", "POST", ATTRIBUTES, {"seats": 4, "speed": 6}, {**_MORE, "speed": 6}),
    Step("no_overwrite", "POST", f"{ATTRIBUTES}?options=noOverwrite", {"seats": 4}, _MORE),
    Step("update", "PATCH", ATTRIBUTES, {"speed": 6, "brand": "Kia"}, {"speed": 6, "brand": "Kia"}),
    Step("partial", "PATCH", f"{ATTRIBUTES}/speed", {"value": 6}, {**WHOLE, "speed": 6}),
    Step("partial_other", "PATCH", f"{ATTRIBUTES}/brand", {"value": "K"}, {**WHOLE, "brand": "K"}),
    Step("replace_attribute", "PUT", f"{ATTRIBUTES}/speed", prop(6), {**WHOLE, "speed": 6}),
    Step("replace_other", "PUT", f"{ATTRIBUTES}/brand", prop("K"), {**WHOLE, "brand": "K"}),
    Step("delete_attribute", "DELETE", f"{ATTRIBUTES}/speed", None, {"brand": "Vin"}),
    Step("delete_other", "DELETE", f"{ATTRIBUTES}/brand", None, {"speed": 5}),
    Step("merge", "PATCH", PATH, {"speed": 6, "seats": 4}, {**_MORE, "speed": 6}),
    Step("replace", "PUT", PATH, car(speed=6, seats=4), {"speed": 6, "seats": 4}),
    Step("delete", "DELETE", PATH, None, None),
    Step("purge", "DELETE", "/entities?type=Vehicle", None, None),
    Step("batch_upsert", "POST", f"{BATCH}/upsert", [car(speed=6, x=1)], {"speed": 6, "x": 1}),
    Step(
        "batch_upsert_update", "POST", f"{BATCH}/upsert?options=update", [car(speed=6, x=1)],
        {**WHOLE, "speed": 6, "x": 1},
    ),
    Step(
        "batch_update", "POST", f"{BATCH}/update", [car(speed=6, brand="Kia")],
        {"speed": 6, "brand": "Kia"},
    ),
    Step("batch_merge", "POST", f"{BATCH}/merge", [car(speed=6, x=1)],
         {**WHOLE, "speed": 6, "x": 1}),
    Step("batch_delete", "POST", f"{BATCH}/delete", [CAR], None),
)  # fmt: skip


def _shares(mode: str, whole: Mapping[str, Any] | None) -> list[dict[str, Any] | None]:
    """What is here and what at the source after a write that went right."""
    if whole is None:
        return [None, None]
    entity = car(**whole)
    if mode == "inclusive":
        return [entity, entity]
    if mode == "redirect":
        return [None, entity]
    if mode == "auxiliary":
        return [entity, None]
    theirs = {"speed": whole["speed"]} if "speed" in whole else {}
    return [car(**{n: v for n, v in whole.items() if n != "speed"}), car(**theirs)]


async def _held(door: Running) -> dict[str, Any] | None:
    answer = await door.get(f"{PATH}?local=true&options=keyValues")
    return answer.json() if answer.status_code == 200 else None


async def _registered(a: Running, b: Running, mode: str, operations: list[str] | None) -> None:
    members: dict[str, Any] = {"mode": mode}
    if operations is not None:
        members["operations"] = operations
    if mode == "exclusive":
        one = [{"type": "Vehicle", "id": CAR}]
        await register(a, url_of(b), names=["speed"], entities=one, **members)
    else:
        await register(a, url_of(b), **members)


async def _made_anew(a: Running, b: Running, path: str, body: Any) -> None:
    for door in (a, b):
        await door.http.delete(f"{ROOT}{PATH}?local=true")
    answer = await a.send("POST", path, body)
    assert answer.status_code == 201, (path, answer.text)


@pytest.mark.parametrize("mode", MODES)
async def test_writes(doors: Doors, mode: str) -> None:
    a, b, _ = doors
    await _registered(a, b, mode, None if mode == "auxiliary" else [*ALL, "purgeEntity"])
    for name in ("create", "upsert"):
        await _made_anew(a, b, f"{BATCH}/{name}", [car(**WHOLE)])
        assert [await _held(a), await _held(b)] == _shares(mode, WHOLE), name
    for step in STEPS:
        await _made_anew(a, b, "/entities", car(**WHOLE))
        assert [await _held(a), await _held(b)] == _shares(mode, WHOLE), step.name
        if step.method == "DELETE":
            answer = await a.http.delete(f"{ROOT}{step.path}")
        else:
            answer = await a.send(step.method, step.path, step.body)
        assert answer.status_code == 204, (step.name, answer.text)
        assert [await _held(a), await _held(b)] == _shares(mode, step.after), step.name


READS: tuple[tuple[str, Any], ...] = (
    (f"{PATH}?options=keyValues", car(**WHOLE)),
    (f"{PATH}?options=keyValues&attrs=speed", car(speed=5)),
    (f"{PATH}?options=keyValues&pick=id,speed", {"id": CAR, "speed": 5}),
    (f"{PATH}?options=keyValues&omit=brand", car(speed=5)),
    ("/entities?type=Vehicle&options=keyValues", [car(**WHOLE)]),
    (f"/entities?id={CAR}&type=Vehicle&options=keyValues", [car(**WHOLE)]),
    ("/entities?type=Vehicle&attrs=speed&options=keyValues", [car(speed=5)]),
    ("/types", ["Vehicle"]),
    ("/attributes", ["brand", "speed"]),
    ("/types/Vehicle", ["brand", "speed"]),
    ("/attributes/speed", ["Vehicle"]),
)


def _told(path: str, found: Any) -> Any:
    """What a discovery is about; of entities all of it."""
    if path == "/types":
        return found["typeList"]
    if path == "/attributes":
        return sorted(found["attributeList"])
    if path.startswith("/types/"):
        return sorted(one["attributeName"] for one in found["attributeDetails"])
    if path.startswith("/attributes/"):
        return found["typeNames"]
    return found


@pytest.mark.parametrize("mode", MODES)
async def test_reads(doors: Doors, mode: str) -> None:
    """Speed lies at the source, brand here (redirect: both there)."""
    a, b, _ = doors
    await _registered(a, b, mode, None)
    here, there = ({}, WHOLE) if mode == "redirect" else ({"brand": "Vin"}, {"speed": 5})
    for door, held in ((a, here), (b, there)):
        if held:
            answer = await door.send("POST", "/entities?local=true", car(**held))
            assert answer.status_code == 201, answer.text
    for path, expected in READS:
        answer = await a.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert "NGSILD-Warning" not in answer.headers, path
        assert _told(path, answer.json()) == expected, path
    answer = await a.get("/entities?type=Vehicle&q=speed==5&options=keyValues")
    assert [one.get("speed") for one in answer.json()] == [5]
    body = {"type": "Query", "entities": [{"type": "Vehicle"}]}
    answer = await a.send("POST", f"{BATCH}/query?options=keyValues", body)
    assert (answer.status_code, answer.json()) == (200, [car(**WHOLE)]), answer.text


INSTANCE_TIMES = {"timerel": "after", "timeAt": "2000-01-01T00:00:00Z"}
EVOLUTION = f"/temporal/entities/{CAR}"


@pytest.mark.parametrize("mode", MODES)
async def test_evolutions(doors: Doors, mode: str) -> None:
    """5.7.3 and 5.7.4 by each mode: an auxiliary source adds only what is not here."""
    a, b, _ = doors
    await _registered(a, b, mode, ["retrieveTemporal", "queryTemporal"])

    def of(**values: int) -> dict[str, Any]:
        at = "2026-05-01T00:00:00Z"
        return car(**{n: [prop(value, observedAt=at)] for n, value in values.items()})

    here, there = (
        ({}, {"speed": 5, "seats": 4}) if mode == "redirect" else ({"seats": 4}, {"speed": 5})
    )
    for door, held in ((a, here), (b, there)):
        if held:
            answer = await door.send("POST", "/temporal/entities?local=true", of(**held))
            assert answer.status_code == 201, answer.text
    wanted = {"options": "temporalValues", **INSTANCE_TIMES}
    for path, more in ((EVOLUTION, {}), ("/temporal/entities", {"type": "Vehicle"})):
        answer = await a.get(path, params={**wanted, **more})
        assert answer.status_code == 200, answer.text
        found = answer.json() if path == EVOLUTION else answer.json()[0]
        told = {n: found[n]["values"][0][0] for n in ("speed", "seats")}
        assert told == {"speed": 5, "seats": 4}, path
    folded = {"options": "aggregatedValues", "aggrMethods": "max", **INSTANCE_TIMES}
    answer = await a.get(EVOLUTION, params=folded)
    assert {n: answer.json()[n]["max"][0][0] for n in ("speed", "seats")} == told
