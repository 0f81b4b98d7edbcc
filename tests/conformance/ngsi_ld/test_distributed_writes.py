"""Writing over several brokers (clauses 4.3.6, 5.6.1 to 5.6.6, 6.3.17, 6.3.18)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
)
from tests.conformance.ngsi_ld.peers import ALL, CAR, Recorder, car, prop, register, url_of

PATH = f"/entities/{CAR}"
ATTRIBUTES = f"{PATH}/attrs"
ONE = [{"type": "Vehicle", "id": CAR}]
Doors = tuple[Running, Running, Running]


async def _here(door: Running) -> dict[str, Any] | None:
    answer = await door.get(f"{PATH}?local=true&options=keyValues")
    return answer.json() if answer.status_code == 200 else None


async def _exclusive(door: Running, url: str, **members: Any) -> None:
    await register(
        door, url, mode="exclusive", names=["speed"], entities=ONE,
        **{"operations": ALL, **members},
    )  # fmt: skip


def _delete(door: Running, path: str, **headers: str) -> Any:
    return door.http.delete(f"{ROOT}{path}", headers=headers)


async def test_a_created_entity_is_split(doors: Doors) -> None:
    """5.6.1.4: exclusive attributes go to their source, others get a copy of the rest."""
    a, b, c = doors
    await _exclusive(a, url_of(b))
    await register(a, url_of(c), uri="urn:r:c", operations=ALL)
    answer = await a.create(car(speed=5, brand="Vin"))
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{ROOT}{PATH}"
    assert await _here(a) == car(brand="Vin")
    assert await _here(b) == car(speed=5)
    assert await _here(c) == car(brand="Vin")
    assert await a.entity(CAR, params={"options": "keyValues"}) == car(brand="Vin", speed=5)


async def test_redirected_entities_are_never_here(doors: Doors) -> None:
    """4.3.6.3: several redirect sources all get it."""
    a, b, c = doors
    await register(a, url_of(b), uri="urn:r:b", mode="redirect", operations=ALL)
    await register(a, url_of(c), uri="urn:r:c", mode="redirect", operations=ALL)
    assert (await a.create(car(brand="Vin"))).status_code == 201
    assert [await _here(door) for door in doors] == [None, car(brand="Vin"), car(brand="Vin")]
    answer = await a.send("PATCH", ATTRIBUTES, {"brand": "Kia"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert [await _here(door) for door in doors] == [None, car(brand="Kia"), car(brand="Kia")]
    assert (await _delete(a, PATH)).status_code == 204
    assert [await _here(door) for door in doors] == [None, None, None]


async def test_attributes_are_changed_where_they_are(doors: Doors) -> None:
    """5.6.2 to 5.6.5 with an exclusive source."""
    a, b, _ = doors
    await _exclusive(a, url_of(b))
    await a.create(car(speed=5, brand="Vin"))
    answer = await a.send("POST", ATTRIBUTES, {"speed": 6, "seats": 4})
    assert (answer.status_code, answer.content) == (204, b"")
    answer = await a.send("PATCH", ATTRIBUTES, {"speed": 7, "brand": "Kia"})
    assert answer.status_code == 204
    assert await _here(a) == car(brand="Kia", seats=4)
    assert await _here(b) == car(speed=7)
    answer = await a.send("PATCH", f"{ATTRIBUTES}/speed", {"value": 8})
    assert answer.status_code == 204
    assert await _here(b) == car(speed=8)
    assert (await _delete(a, f"{ATTRIBUTES}/speed")).status_code == 204
    assert await _here(b) == car()
    assert await _here(a) == car(brand="Kia", seats=4)


async def test_what_a_source_gets(door: Running, source: Recorder) -> None:
    """6.3.5, 6.3.18: JSON with the caller's @context as a Link, options, Via; no other data."""
    await register(door, source.url, operations=ALL,
                   entities=[{"type": "https://example.org/city#AirStation"}],
                   names=["https://example.org/city#dust"])  # fmt: skip
    source.answer("POST", "/entities", 201)
    body = {"id": "urn:s:1", "type": "AirStation", "dust": prop(1), "wind": prop(2)}
    answer = await door.create(body | {"@context": CONTEXT_URL})
    assert answer.status_code == 201
    sent = source.last
    assert sent.body == {"id": "urn:s:1", "type": "AirStation", "dust": prop(1)}
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["link"] == CONTEXT_LINK["link"]
    assert " dothi-" in sent.headers["via"]
    source.answer("POST", "/entities/urn:s:1/attrs", 204)
    headers = {"content-type": "application/json", **CONTEXT_LINK}
    path = f"{ROOT}/entities/urn:s:1/attrs?options=noOverwrite"
    answer = await door.http.post(path, json={"dust": prop(3)}, headers=headers)
    assert answer.status_code == 207
    assert source.last.query == {"options": "noOverwrite"}
    assert source.last.body == {"dust": prop(3)}


async def test_a_source_with_its_own_words(door: Running, source: Recorder) -> None:
    """4.3.6.6: jsonldContext renames, contentType wraps."""
    info = [{"key": "jsonldContext", "value": CONTEXT_URL}]
    iri = "https://example.org/city#"
    await register(door, source.url, operations=ALL, entities=[{"type": f"{iri}AirStation"}],
                   contextSourceInfo=info)  # fmt: skip
    source.answer("POST", "/entities", 201)
    nested = prop(1, **{f"{iri}operator": {"type": "Relationship", "object": "urn:o:1"}})
    body = {"id": "urn:s:1", "type": f"{iri}AirStation", f"{iri}dust": nested}
    assert (await door.create(body)).status_code == 201
    renamed = prop(1, operator={"type": "Relationship", "object": "urn:o:1"})
    assert source.last.body == {"id": "urn:s:1", "type": "AirStation", "dust": renamed}
    assert source.last.headers["link"] == CONTEXT_LINK["link"]
    info = [{"key": "contentType", "value": LD_JSON}]
    await door.send("PATCH", "/csourceRegistrations/urn:ngsi-ld:ContextSourceRegistration:1",
                    {"contextSourceInfo": info})  # fmt: skip
    await door.create(body | {"id": "urn:s:2", "@context": CONTEXT_URL})
    assert source.last.headers["content-type"] == LD_JSON
    assert source.last.body["@context"] == CONTEXT_URL
    assert "link" not in source.last.headers


async def test_operations_that_are_not_supported(door: Running, source: Recorder) -> None:
    """5.6.1.4: Conflict of a proxied source, a partial success where something was done."""
    await _exclusive(door, source.url, operations=["retrieveOps"])
    problem_of(await door.create(car(speed=1)), 409, "Conflict")
    answer = await door.create(car(speed=1, brand="Vin"))
    assert answer.status_code == 207
    result = answer.json()
    assert result["success"] == [CAR]
    assert result["errors"][0]["error"]["status"] == 409
    assert result["errors"][0]["registrationId"] == "urn:ngsi-ld:ContextSourceRegistration:1"
    answer = await door.send("PATCH", ATTRIBUTES, {"speed": 2, "brand": "Kia"})
    assert answer.status_code == 207
    assert answer.json()["updated"] == ["brand"]
    assert [one["attributeName"] for one in answer.json()["notUpdated"]] == ["speed"]
    assert set(answer.json()["notUpdated"][0]) == {"attributeName", "reason", "registrationId"}
    problem_of(await door.send("PATCH", f"{ATTRIBUTES}/speed", {"value": 1}), 409, "Conflict")
    answer = await _delete(door, PATH)
    assert (answer.status_code, answer.json()["success"]) == (207, [CAR])
    assert await _here(door) is None
    assert source.requests == []


async def test_inclusive_sources_without_support_are_left_out(
    door: Running, source: Recorder
) -> None:
    await register(door, source.url)
    assert (await door.create(car(a=1))).status_code == 201
    assert source.requests == []


async def test_auxiliary_sources_are_never_written_to(door: Running, source: Recorder) -> None:
    """4.3.6.2, whatever operations they name."""
    await register(door, source.url, mode="auxiliary", operations=["redirectionOps"])
    assert (await door.create(car(a=1))).status_code == 201
    assert (await door.send("POST", ATTRIBUTES, {"b": 1})).status_code == 204
    assert (await _delete(door, PATH)).status_code == 204
    assert source.requests == []


@pytest.mark.parametrize(
    ("theirs", "is_here", "status", "errors"),
    [
        (201, False, 201, []),
        (201, True, 207, [409]),
        (403, False, 207, [403]),
        (409, True, 207, [409, 409]),
    ],
)
async def test_creation_with_an_inclusive_source(
    door: Running, source: Recorder, theirs: int, is_here: bool, status: int, errors: list[int]
) -> None:
    """5.6.1.4: 207 tells each side that failed, also when both did."""
    if is_here:
        await door.create(car(a=1))
    await register(door, source.url, operations=ALL)
    source.answer("POST", "/entities", theirs)
    answer = await door.create(car(a=1))
    assert answer.status_code == status
    if status == 207:
        assert [one["error"]["status"] for one in answer.json()["errors"]] == errors


@pytest.mark.parametrize(
    ("theirs", "is_here", "status"),
    [(204, True, 204), (404, True, 207), (204, False, 207), (404, False, 404)],
)
async def test_deletion_with_an_inclusive_source(
    door: Running, source: Recorder, theirs: int, is_here: bool, status: int
) -> None:
    """5.6.6.4, 5.2.16: what one side does not have is told as a part that failed."""
    if is_here:
        await door.create(car(a=1))
    await register(door, source.url, operations=ALL)
    source.answer("DELETE", PATH, theirs)
    answer = await _delete(door, PATH)
    assert answer.status_code == status
    if status == 207:
        assert [one["error"]["status"] for one in answer.json()["errors"]] == [404]
        assert answer.json()["success"] == [CAR]
    assert await _here(door) is None


async def test_updates_that_only_the_source_can_do(door: Running, source: Recorder) -> None:
    """5.6.2.4: here there is no such entity."""
    await register(door, source.url, operations=ALL)
    source.answer("PATCH", ATTRIBUTES, 204)
    answer = await door.send("PATCH", ATTRIBUTES, {"a": 1})
    assert answer.status_code == 207
    source.answer("PATCH", ATTRIBUTES, 207, {"updated": [], "notUpdated": [
        {"attributeName": "a", "reason": "locked"}]})  # fmt: skip
    await door.create(car(a=1), via="1.1 x")
    answer = await door.send("PATCH", ATTRIBUTES, {"a": 1})
    reasons = [one["reason"] for one in answer.json()["notUpdated"]]
    assert (answer.status_code, reasons) == (207, ["locked"])


@pytest.mark.parametrize(
    ("theirs", "status", "kind"),
    [
        (403, 403, "BadRequestData"),
        (404, 404, "ResourceNotFound"),
        (508, 508, "LoopDetected"),
        (500, 500, "BadRequestData"),
    ],
)
async def test_errors_of_a_single_source(
    door: Running, source: Recorder, theirs: int, status: int, kind: str
) -> None:
    """6.3.17: where all data lie at one source, its error is the answer."""
    await register(door, source.url, mode="redirect", operations=ALL)
    source.answer("PATCH", ATTRIBUTES, theirs)
    problem_of(await door.send("PATCH", ATTRIBUTES, {"a": 1}), status, kind)


async def test_a_source_that_does_not_answer(door: Running) -> None:
    await register(door, "http://127.0.0.1:9", mode="redirect", operations=ALL)
    problem_of(await door.send("PATCH", ATTRIBUTES, {"a": 1}), 504, "InternalError")
    problem_of(await door.create(car(a=1)), 504, "InternalError")
    assert await _here(door) is None


async def test_loops(door: Running, source: Recorder) -> None:
    """6.3.18: a write that comes back is not done again."""
    await register(door, url_of(door), mode="redirect", operations=ALL)
    problem_of(await door.send("PATCH", ATTRIBUTES, {"a": 1}), 508, "LoopDetected")
    problem_of(await _delete(door, PATH), 508, "LoopDetected")
    assert await _here(door) is None
    await _delete(door, "/csourceRegistrations/urn:ngsi-ld:ContextSourceRegistration:1")
    await register(door, source.url, operations=ALL, contextSourceAlias="other")
    source.answer("POST", "/entities", 201)
    assert (await door.create(car(a=1))).status_code == 201
    via = source.last.headers["via"]
    problem_of(await _delete(door, PATH, via=via), 508, "LoopDetected")
    assert await _here(door) is not None
    answer = await _delete(door, PATH, via="1.1 other")
    assert answer.status_code == 204
    assert len(source.requests) == 1


async def test_a_proxied_source_that_was_asked_already(door: Running, source: Recorder) -> None:
    await _exclusive(door, source.url, contextSourceAlias="other")
    answer = await door.send("POST", "/entities", car(speed=1), via="1.0 a, 1.1 other (x)")
    problem_of(answer, 508, "LoopDetected")
    assert source.requests == []


async def test_local_writes_stay_local(door: Running, source: Recorder) -> None:
    """6.3.18 local."""
    await register(door, source.url, operations=ALL)
    assert (await door.send("POST", "/entities?local=true", car(a=1))).status_code == 201
    assert (await _delete(door, f"{PATH}?local=true")).status_code == 204
    assert source.requests == []


async def test_wrong_requests_go_nowhere(door: Running, source: Recorder) -> None:
    """Nothing is sent on before the whole request was found to be right."""
    await register(door, source.url, mode="redirect", operations=ALL)
    problem_of(await door.create(car(a=None)), 400, "BadRequestData")
    problem_of(await door.create({"type": "Vehicle"}), 400, "BadRequestData")
    problem_of(await door.send("POST", "/entities?x=1", car(a=1)), 400, "InvalidRequest")
    problem_of(await door.send("PATCH", ATTRIBUTES, {}), 400, "BadRequestData")
    answer = await door.send("POST", "/entities", car(), **{"content-type": "text/plain"})
    assert answer.status_code == 415
    assert source.requests == []


async def test_batches_are_shared_out(doors: Doors) -> None:
    """5.6.8: one request to each source, the rest here."""
    a, b, _ = doors
    await register(a, url_of(b), mode="redirect", operations=ALL, entities=[{"type": "Bus"}])
    bus = {"id": "urn:b:1", "type": "Bus", "a": 1}
    answer = await a.send("POST", "/entityOperations/upsert", [car(a=1), bus, {"id": "x"}])
    assert answer.status_code == 207
    assert answer.json()["success"] == [CAR, "urn:b:1"]
    assert [error["entityId"] for error in answer.json()["errors"]] == ["x"]
    answer = await a.send("POST", "/entityOperations/upsert", [bus, car(a=2)])
    assert answer.status_code == 204
    bus["id"] = "urn:b:2"
    answer = await a.send("POST", "/entityOperations/upsert", [bus, car(a=3)])
    assert (answer.status_code, answer.json()) == (201, ["urn:b:2"])
    assert (await a.get("/entities/urn:b:1?local=true")).status_code == 404
    assert (await b.get("/entities/urn:b:2?local=true")).status_code == 200


async def test_batches_at_a_source(door: Running, source: Recorder) -> None:
    """5.6.8.4: one request with all entities; failures are named."""
    await register(door, source.url, operations=ALL, names=["speed"])
    source.answer("POST", "/entityOperations/upsert", 204)
    cars = [car(f"urn:v:{n}", speed=prop(n), brand="Vin") for n in (1, 2)]
    path = "/entityOperations/upsert?options=update"
    answer = await door.send("POST", path, cars)
    assert (answer.status_code, answer.json()) == (201, ["urn:v:1", "urn:v:2"])
    assert source.last.body == [car(f"urn:v:{n}", speed=prop(n)) for n in (1, 2)]
    assert source.last.query == {"options": "update"}
    assert len(source.requests) == 1
    error = {"type": "x", "title": "t", "status": 400}
    result = {"success": ["urn:v:1"], "errors": [{"entityId": "urn:v:2", "error": error}]}
    source.answer("POST", "/entityOperations/upsert", 207, result)
    answer = await door.send("POST", path, cars)
    assert answer.json() == {
        "success": ["urn:v:1"],
        "errors": [
            {
                "entityId": "urn:v:2",
                "registrationId": "urn:ngsi-ld:ContextSourceRegistration:1",
                "error": error,
            }
        ],
    }
    source.answer("POST", "/entityOperations/upsert", 500)
    answer = await door.send("POST", path, cars)
    assert [e["entityId"] for e in answer.json()["errors"]] == ["urn:v:1", "urn:v:2"]


async def test_batches_with_several_contexts_use_full_names(
    door: Running, source: Recorder
) -> None:
    types = [{"type": "Vehicle"}, {"type": "https://example.org/city#AirStation"}]
    await register(door, source.url, operations=ALL, names=["speed"], entities=types)
    source.answer("POST", "/entityOperations/upsert", 204)
    items = [
        car(speed=prop(1))
        | {"@context": "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"},
        {"id": "urn:s:1", "type": "AirStation", "speed": prop(2), "@context": CONTEXT_URL},
    ]
    await door.send("POST", "/entityOperations/upsert", items, **{"content-type": LD_JSON})
    assert [item["type"] for item in source.last.body] == [
        "Vehicle",
        "https://example.org/city#AirStation",
    ]
