"""Evolutions over several brokers (clauses 4.3.6, 5.2.9, 5.7.3, 5.7.4, 5.14.5, 6.3.17)."""

from typing import Any

import msgspec
import pytest
from tests.conformance.ngsi_ld.broker import ROOT, Running, problem_of
from tests.conformance.ngsi_ld.peers import CAR, Recorder, prop, register, url_of

MANY = "/temporal/entities"
ONE = f"{MANY}/{CAR}"
READS = ["retrieveTemporal", "queryTemporal"]
EVER = {"timerel": "after", "timeAt": "2000-01-01T00:00:00Z"}
Doors = tuple[Running, Running, Running]


def _day(day: int) -> str:
    return f"2026-05-{day:02}T00:00:00Z"


def _speeds(*pairs: tuple[int, int], uri: str = CAR, **more: Any) -> dict[str, Any]:
    """An evolution with (value, day of May) pairs."""
    instances = [prop(value, observedAt=_day(day)) for value, day in pairs]
    return {"id": uri, "type": "Vehicle", "speed": instances, **more}


async def _record(door: Running, evolution: dict[str, Any]) -> None:
    answer = await door.send("POST", MANY, evolution)
    assert answer.status_code in {201, 204}, answer.text


async def _get(door: Running, path: str = ONE, **params: Any) -> Any:
    answer = await door.get(path, params={**EVER, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def _told(evolution: dict[str, Any]) -> list[int]:
    return [instance["value"] for instance in evolution["speed"]]


async def test_instances_of_all_sources_are_one_series(doors: Doors) -> None:
    """5.7.3.4, 4.5.5: merged by time; the same time of a series is told once; lastN counts the
    merged ones; ids and times of instances are those that their broker gave."""
    a, b, _ = doors
    await register(a, url_of(b), operations=READS)
    await _record(a, _speeds((10, 1), (40, 4)))
    await _record(b, _speeds((20, 2), (30, 3), (40, 4)))
    assert _told(await _get(a)) == [10, 20, 30, 40]
    assert _told(await _get(a, lastN=2)) == [30, 40]
    window = {"timerel": "between", "timeAt": _day(2), "endTimeAt": _day(4)}
    assert _told(await _get(a, **window)) == [20, 30]
    theirs = await _get(b, options="sysAttrs", **window)
    ours = await _get(a, options="sysAttrs", **window)
    assert ours["speed"] == theirs["speed"]
    pairs = await _get(a, options="temporalValues")
    assert [value for value, _ in pairs["speed"]["values"]] == [10, 20, 30, 40]
    assert _told(await _get(a, local="true")) == [10, 40]


async def test_filters_and_folding_see_the_merged_instances(doors: Doors) -> None:
    """5.7.4.4, 4.5.19: q, scopeQ, ids and aggregation over what all sources have."""
    a, b, _ = doors
    await register(a, url_of(b), operations=READS)
    other = "urn:ngsi-ld:Vehicle:2"
    await _record(a, _speeds((100, 1)))
    await _record(b, _speeds((300, 2)))
    await _record(b, _speeds((5, 2), uri=other, scope="/Madrid"))

    async def found(**params: Any) -> set[str]:
        return {one["id"] for one in await _get(a, MANY, type="Vehicle", **params)}

    assert await found() == {CAR, other}
    assert await found(q="speed>50") == {CAR}
    assert await found(scopeQ="/Madrid") == {other}
    assert await found(idPattern=":2$") == {other}
    assert await found(local="true") == {CAR}
    folded = await _get(
        a, MANY, id=CAR, type="Vehicle", format="aggregatedValues", aggrMethods="avg"
    )
    assert folded[0]["speed"]["avg"][0][0] == 200
    body = {"type": "Query", "entities": [{"type": "Vehicle"}], "temporalQ": EVER}
    answer = await a.send("POST", "/temporal/entityOperations/query", body)
    assert {one["id"] for one in answer.json()} == {CAR, other}


async def test_pages_hold_each_entity_once(doors: Doors) -> None:
    """5.5.9: the union of all sources is paged and counted."""
    a, b, c = doors
    await register(a, url_of(b), uri="urn:r:b", operations=READS)
    await register(a, url_of(c), uri="urn:r:c", operations=READS)
    for door, number in ((a, 1), (b, 1), (b, 2), (c, 3), (c, 2)):
        await _record(door, _speeds((number, 1), uri=f"urn:ngsi-ld:Vehicle:{number}"))
    pages = [
        await _get(a, MANY, type="Vehicle", limit=2, offset=offset, orderBy="id")
        for offset in (0, 2)
    ]
    ids = [one["id"].rpartition(":")[2] for page in pages for one in page]
    assert ids == ["1", "2", "3"]
    answer = await a.get(MANY, params={**EVER, "type": "Vehicle", "count": "true", "limit": 0})
    assert answer.headers["ngsild-results-count"] == "3"


async def test_partial_answers_of_a_source_are_followed(doors: Doors) -> None:
    """6.3.10: a source that answers with 206 is asked for the rest, forwards and backwards."""
    a, b, _ = doors
    await register(a, url_of(b), operations=READS)
    instances = [prop(n, observedAt=f"2026-05-01T00:{n:02}:00Z") for n in range(50)]
    await _record(b, {"id": CAR, "type": "Vehicle", "speed": instances})
    folding = {"format": "aggregatedValues", "aggrMethods": "totalCount"}
    for path, params in ((ONE, {}), (MANY, {"type": "Vehicle"})):
        found = await _get(a, path, **params, **folding)
        evolution = found if path == ONE else found[0]
        assert evolution["speed"]["totalCount"][0][0] == 50
    answer = await a.get(ONE, params={**EVER, "lastN": 45})
    assert answer.status_code == 206
    assert _told(answer.json()) == list(range(31, 50))


async def test_a_deletion_elsewhere_is_told(doors: Doors) -> None:
    """4.5.7: the deletion of an attribute at a source is an instance with deletedAt."""
    a, b, _ = doors
    await register(a, url_of(b), operations=READS)
    await b.create({"id": CAR, "type": "Vehicle", "speed": prop(5)})
    assert (await b.http.delete(f"/ngsi-ld/v1/entities/{CAR}/attrs/speed")).status_code == 204
    found = await _get(a, timeproperty="deletedAt")
    assert [(one["value"], "deletedAt" in one) for one in found["speed"]] == [
        ("urn:ngsi-ld:null", True)
    ]


async def test_an_auxiliary_source_only_adds(doors: Doors) -> None:
    """4.3.6.2: attributes that somebody else has are not taken from it."""
    a, b, _ = doors
    await register(a, url_of(b), mode="auxiliary", operations=READS)
    await _record(a, _speeds((1, 1)))
    await _record(b, {**_speeds((9, 2)), "fuel": [prop(60, observedAt=_day(2))]})
    found = await _get(a)
    assert (_told(found), found["fuel"][0]["value"]) == ([1], 60)


@pytest.mark.parametrize(
    ("members", "is_asked"),
    [
        ({"operations": ["queryTemporal"]}, True),
        ({"operations": ["retrieveTemporal"]}, False),
        ({}, False),
        ({"operations": READS, "observationInterval": {"startAt": _day(3)}}, True),
        (
            {
                "operations": READS,
                "observationInterval": {"startAt": _day(3), "endAt": _day(4)},
            },
            False,
        ),
        ({"operations": READS, "managementInterval": {"startAt": _day(3)}}, False),
    ],
)
async def test_who_is_asked(
    door: Running, source: Recorder, members: dict[str, Any], is_asked: bool
) -> None:
    """4.20, 5.2.9: only sources that take the operation and have something of that time."""
    await register(door, source.url, **members)
    source.answer("GET", MANY, 200, [])
    window = {"timerel": "between", "timeAt": _day(10), "endTimeAt": _day(20)}
    assert await _get(door, MANY, type="Vehicle", q="speed>1", **window) == []
    assert bool(source.requests) is is_asked
    if is_asked:
        query = source.last.query
        assert {**window, "type": "Vehicle", "q": "speed>1", "options": "sysAttrs"}.items() <= (
            query.items()
        )


async def test_what_goes_wrong_elsewhere_is_a_warning(door: Running, source: Recorder) -> None:
    """6.3.17: errors and nonsense of a source leave what is here; 404 is nothing unusual."""
    await register(door, source.url, operations=READS)
    await _record(door, _speeds((1, 1)))
    cases = [(500, {"a": 1}, "299"), (200, {"speed": 5}, "111"), (404, None, "")]
    for status, body, code in cases:
        source.answer("GET", ONE, status, body)
        answer = await door.get(ONE)
        assert (answer.status_code, _told(answer.json())) == (200, [1])
        assert answer.headers.get("ngsild-warning", "")[:3] == code


async def test_entity_maps_of_evolutions(doors: Doors) -> None:
    """5.7.3.4, 5.7.4.4, 5.14.5: who has what of a temporal query, fixed for later pages."""
    a, b, _ = doors
    await register(a, url_of(b), uri="urn:r:b", operations=READS)
    other = "urn:ngsi-ld:Vehicle:2"
    await _record(a, _speeds((1, 1)))
    await _record(b, _speeds((2, 2), uri=other))
    query = {**EVER, "type": "Vehicle"}
    answer = await a.get(MANY, params={**query, "entityMap": "true"})
    assert answer.status_code == 201
    where = answer.headers["ngsild-entitymap"]
    held = (await a.get(where.removeprefix("/ngsi-ld/v1"))).json()["entityMap"]
    assert held == {CAR: ["@none"], other: ["urn:r:b"]}
    await _record(a, _speeds((3, 3), uri="urn:ngsi-ld:Vehicle:3"))
    answer = await a.get(MANY, params=query, headers={"ngsild-entitymap": where})
    assert (answer.status_code, answer.headers["ngsild-entitymap"]) == (200, where)
    assert {one["id"] for one in answer.json()} == {CAR, other}
    answer = await a.get(MANY, params=query, headers={"ngsild-entitymap": "urn:gone"})
    assert answer.status_code == 201
    answer = await a.get("/temporal/entityMaps", params=query)
    assert (answer.status_code, len(answer.json()["entityMap"])) == (201, 3)
    body = {"type": "Query", "entities": [{"type": "Vehicle"}], "temporalQ": EVER}
    answer = await a.send("POST", "/temporal/entityMaps", body)
    assert (answer.status_code, len(answer.json()["entityMap"])) == (201, 3)
    answer = await a.get(ONE, params={"entityMap": "true"})
    assert (answer.status_code, "ngsild-entitymap" in answer.headers) == (200, True)


_NO_TIME = {"type": "Vehicle"}
_VEHICLES = {"type": "Query", "entities": [{"type": "Vehicle"}]}


@pytest.mark.parametrize(
    "params",
    [
        _NO_TIME,
        EVER,  # nothing says which entities
        {**_NO_TIME, "timerel": "after"},
        {**_NO_TIME, "timerel": "between", "timeAt": "2000-01-01T00:00:00Z"},
        {**_NO_TIME, "timerel": "since", "timeAt": "2000-01-01T00:00:00Z"},
        {**_NO_TIME, **EVER, "timeAt": "yesterday"},
        {**_NO_TIME, **EVER, "q": "speed>>1"},
        {**_NO_TIME, **EVER, "georel": "near", "geometry": "Point", "coordinates": "[1,2]"},
        {**_NO_TIME, **EVER, "entityMapLifetime": "for ever"},
        {**_NO_TIME, **EVER, "limit": "-1"},
    ],
)
async def test_wrong_queries_make_no_entity_map_of_evolutions(
    door: Running, params: dict[str, str]
) -> None:
    """5.14.5.3, 6.35: BadRequestData with words, and no map."""
    answer = await door.get("/temporal/entityMaps", params=params)
    problem_of(answer, 400, "BadRequestData")
    assert "ngsild-entitymap" not in answer.headers


@pytest.mark.parametrize(
    ("body", "type_name"),
    [
        ({}, "BadRequestData"),
        (_VEHICLES, "BadRequestData"),
        ({**_VEHICLES, "type": "Car", "temporalQ": EVER}, "BadRequestData"),
        ({"type": "Query", "temporalQ": EVER}, "BadRequestData"),
        ({**_VEHICLES, "temporalQ": {"timerel": "after"}}, "BadRequestData"),
        ({**_VEHICLES, "temporalQ": {**EVER, "timerel": "since"}}, "BadRequestData"),
        ({**_VEHICLES, "temporalQ": "ever"}, "BadRequestData"),
        ({**_VEHICLES, "temporalQ": EVER, "q": "speed>>1"}, "BadRequestData"),
        ({**_VEHICLES, "temporalQ": EVER, "geoQ": {"georel": "near"}}, "BadRequestData"),
        ([_VEHICLES], "BadRequestData"),
        (b"{", "InvalidRequest"),
    ],
)
async def test_wrong_bodies_make_no_entity_map_of_evolutions(
    door: Running, body: Any, type_name: str
) -> None:
    """5.14.5.3, 6.36: BadRequestData or InvalidRequest with words, and no map."""
    text = body if isinstance(body, bytes) else msgspec.json.encode(body)
    answer = await door.http.post(
        f"{ROOT}/temporal/entityMaps", content=text, headers={"content-type": "application/json"}
    )
    problem_of(answer, 400, type_name)
    assert "ngsild-entitymap" not in answer.headers


async def test_a_media_type_that_is_none_of_ours_makes_no_entity_map(door: Running) -> None:
    """6.3.4: 415 for what is sent, 406 for what is wanted."""
    path = f"{ROOT}/temporal/entityMaps"
    answer = await door.http.post(path, content=b"x", headers={"content-type": "text/csv"})
    assert answer.status_code == 415, answer.text
    params = {"type": "Vehicle", **EVER}
    answer = await door.http.get(path, params=params, headers={"accept": "text/csv"})
    assert answer.status_code == 406, answer.text


async def test_a_scope_without_a_time_holds_for_what_comes_with_it(door: Running) -> None:
    """4.18: it was set together with these instances, however old they are."""
    await _record(door, _speeds((1, 1), scope="/Madrid"))
    assert len(await _get(door, MANY, type="Vehicle", scopeQ="/Madrid")) == 1
    assert await _get(door, MANY, type="Vehicle", scopeQ="/Paris") == []
