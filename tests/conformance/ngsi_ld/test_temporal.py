"""GET /temporal/entities/{id} (clause 6.19.3.1)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, LD_JSON, Running, problem_of, running

from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.batch import Batch
from dothi.model.row import rows_table

ID = "urn:ngsi-ld:Station:1"
PATH = f"/temporal/entities/{ID}"
START = datetime(2026, 11, 21, 8, tzinfo=UTC)


async def _observe(door: Running, count: int, name: str = "pm25", every_min: float = 1) -> None:
    """What a device sends through any other door."""
    times = [START + timedelta(minutes=every_min * n) for n in range(count)]
    rows = rows_table(
        {
            "source": "device-1",
            "entity": ID,
            "entity_type": "Air",
            "attribute": name,
            "observed_at": times,
            "number": [float(n) for n in range(count)],
            "unit": "GQ",
        }
    )
    result = await door.hub.intake.submit(Batch(f"b-{name}", rows, datetime.now(UTC)))
    assert result.stored == count, result.rejected


def _times(instances: list[dict[str, Any]]) -> list[str]:
    return [instance["observedAt"][11:16] for instance in instances]


async def test_what_a_device_observed_is_an_entity_with_a_history(door: Running) -> None:
    await _observe(door, 3)
    found = await door.entity(ID)
    assert found["type"] == "Air"
    assert found["pm25"] == {
        "type": "Property",
        "value": 2,
        "unitCode": "GQ",
        "observedAt": "2026-11-21T08:02:00Z",
    }
    answer = await door.get(PATH)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["type"]) == (ID, "Air")
    assert [i["value"] for i in body["pm25"]] == [0, 1, 2]
    assert _times(body["pm25"]) == ["08:00", "08:01", "08:02"]
    assert len({i["instanceId"] for i in body["pm25"]}) == 3
    assert all(i["type"] == "Property" and i["unitCode"] == "GQ" for i in body["pm25"])


async def test_what_was_written_here_has_a_history_too(door: Running) -> None:
    at = "2026-11-21T08:00:0{}Z"
    entity = {
        "id": ID,
        "type": "Air",
        "pm25": {"value": 1, "observedAt": at.format(0)},
        "note": "x",
    }
    await door.create(entity)
    for second in (1, 2):
        body = {"value": second + 1, "observedAt": at.format(second)}
        assert (await door.send("PATCH", f"/entities/{ID}/attrs/pm25", body)).status_code == 204
    await door.send("PATCH", f"/entities/{ID}/attrs", {"owner": {"object": "urn:x:1"}})
    body = (await door.get(PATH)).json()
    assert [i["value"] for i in body["pm25"]] == [1, 2, 3]
    assert body["owner"][0]["object"] == "urn:x:1"
    assert body["note"][0]["value"] == "x"
    rows = door.hub.rows().to_pylist()
    assert {row["source"] for row in rows} == {"ngsi-ld"}


async def test_times(door: Running) -> None:
    await _observe(door, 5)
    at = "2026-11-21T08:0{}:00Z"
    for params, expected in (
        ({"timerel": "before", "timeAt": at.format(2)}, ["08:00", "08:01"]),
        ({"timerel": "after", "timeAt": at.format(2)}, ["08:02", "08:03", "08:04"]),
        (
            {"timerel": "between", "timeAt": at.format(1), "endTimeAt": at.format(3)},
            ["08:01", "08:02"],
        ),
        ({"lastN": 2}, ["08:03", "08:04"]),
        ({"lastN": 1, "timerel": "before", "timeAt": at.format(2)}, ["08:01"]),
    ):
        body = (await door.get(PATH, params=params)).json()
        assert _times(body["pm25"]) == expected, params
    params = {"timerel": "after", "timeAt": "2030-01-01T00:00:00Z"}
    assert (await door.get(PATH, params=params)).json().keys() == {"id", "type"}
    params = {"timerel": "after", "timeAt": "2020-01-01T00:00:00Z", "timeproperty": "modifiedAt"}
    assert len((await door.get(PATH, params=params)).json()["pm25"]) == 5


async def test_simplified(door: Running) -> None:
    await _observe(door, 2)
    await door.send("POST", f"/entities/{ID}/attrs", {"dust": 1}, **CONTEXT_LINK)
    for params in (
        {"options": "temporalValues"},
        {"options": "simplified"},
        {"format": "temporalValues"},
    ):
        body = (await door.get(PATH, params=params, headers=CONTEXT_LINK)).json()
        assert body["ngsi-ld:default-context/pm25" if "pm25" not in body else "pm25"] == {
            "type": "Property",
            "values": [[0, "2026-11-21T08:00:00Z"], [1, "2026-11-21T08:01:00Z"]],
        }
        assert body["dust"]["values"][0][0] == 1


async def test_chosen_attributes_and_contexts(door: Running) -> None:
    await _observe(door, 2)
    await _observe(door, 2, "no2")
    body = (await door.get(PATH, params={"attrs": "no2"}, headers={"accept": LD_JSON})).json()
    assert body.keys() == {"@context", "id", "type", "no2"}
    problem_of(await door.get(PATH, params={"attrs": "other"}), 404, "ResourceNotFound")


async def test_a_long_history_comes_in_pages(tmp_path: Path) -> None:
    async with running(tmp_path, NgsiLdSettings(temporal_page=10)) as door:
        await _observe(door, 25)
        await _observe(door, 5, "no2", every_min=4)
        answer = await door.get(PATH)
        assert answer.status_code == 206
        span = "2026-11-21T08:00:00Z-2026-11-21T08:09:00Z"
        assert answer.headers["content-range"] == f"date-time {span}/*"
        assert len(answer.json()["pm25"]) == 10
        assert _times(answer.json()["no2"]) == ["08:00", "08:04", "08:08"]
        answer = await door.get(PATH, params={"lastN": 20, "attrs": "pm25"})
        assert answer.status_code == 206
        span = "2026-11-21T08:24:00Z-2026-11-21T08:15:00Z"
        assert answer.headers["content-range"] == f"date-time {span}/20"
        assert (await door.get(PATH, params={"lastN": 10})).status_code == 200


async def test_aggregates(door: Running) -> None:
    await _observe(door, 6)
    params = {
        "options": "aggregatedValues",
        "aggrMethods": "avg,max,totalCount",
        "aggrPeriodDuration": "PT3M",
        "timerel": "between",
        "timeAt": "2026-11-21T08:00:00Z",
        "endTimeAt": "2026-11-21T08:06:00Z",
    }
    answer = await door.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    first = ["2026-11-21T08:00:00Z", "2026-11-21T08:03:00Z"]
    second = ["2026-11-21T08:03:00Z", "2026-11-21T08:06:00Z"]
    assert answer.json()["pm25"] == {
        "type": "Property",
        "avg": [[1, *first], [4, *second]],
        "max": [[2, *first], [5, *second]],
        "totalCount": [[3, *first], [3, *second]],
    }
    body = (
        await door.get(PATH, params={"format": "aggregatedValues", "aggrMethods": "sum"})
    ).json()
    assert [row[0] for row in body["pm25"]["sum"]] == [15]


async def test_errors(door: Running) -> None:
    await _observe(door, 2)
    problem_of(await door.get("/temporal/entities/urn:x:9"), 404, "ResourceNotFound")
    at = "2026-11-21T08:00:00Z"
    for params in (
        {"timerel": "before"},
        {"timeAt": at},
        {"timerel": "around", "timeAt": at},
        {"timerel": "between", "timeAt": at},
        {"timerel": "between", "timeAt": at, "endTimeAt": at},
        {"timerel": "after", "timeAt": at, "endTimeAt": at},
        {"timerel": "after", "timeAt": "yesterday"},
        {"timeproperty": "size"},
        {"lastN": "0"},
        {"lastN": "x"},
        {"options": "aggregatedValues"},
        {"options": "aggregatedValues", "aggrMethods": "mode"},
        {"options": "aggregatedValues", "aggrMethods": "avg", "aggrPeriodDuration": "P1Q"},
        {"options": "aggregatedValues", "aggrMethods": "avg", "aggrPeriodDuration": "PT"},
    ):
        problem_of(await door.get(PATH, params=params), 400, "BadRequestData")
    for params in (
        {"page": 1},
        {"options": "pretty"},
        {"options": "temporalValues,pretty"},
        {"format": "pretty"},
    ):
        problem_of(await door.get(PATH, params=params), 400, "InvalidRequest")
    assert (await door.get(PATH, headers={"accept": "application/geo+json"})).status_code == 406


async def test_expired_instances_are_no_history(door: Running) -> None:
    """4.22: an attribute is stored until `expiresAt`, and so are its instances."""
    ends = {1: "2020-01-01T00:00:00Z", 2: "2020-01-01T00:00:00Z", 4: "2999-01-01T00:00:00Z"}
    fast = [
        {
            "value": n,
            "observedAt": f"2026-03-01T12:0{n}:00Z",
            **({"expiresAt": ends[n]} if n in ends else {}),
        }
        for n in range(1, 6)
    ]
    odd = {"value": {"expiresAt": ends[1]}, "observedAt": "2026-03-01T12:00:00Z"}
    past = {"value": 1, "expiresAt": ends[1], "observedAt": "2026-03-01T12:00:00Z"}
    body = {"id": "urn:x:1", "type": "T", "fast": fast, "odd": odd, "past": past}
    assert (await door.send("POST", "/temporal/entities", body)).status_code == 201
    by_time = {"timeproperty": "modifiedAt", "timerel": "after", "timeAt": "2000-01-01T00:00:00Z"}
    for params in ({}, {"lastN": "3"}, by_time, {"lastN": "5"}):
        answer = await door.get("/temporal/entities/urn:x:1", params=params)
        assert [one["value"] for one in answer.json()["fast"]] == [3, 4, 5], params
        assert answer.json().keys() == {"id", "type", "fast", "odd"}
    params = {"options": "aggregatedValues", "aggrMethods": "totalCount,min", "attrs": "fast"}
    answer = await door.get("/temporal/entities/urn:x:1", params=params)
    [[count, *_]] = answer.json()["fast"]["totalCount"]
    assert (count, answer.json()["fast"]["min"][0][0]) == (3, 3)
    for name, ids in (("past", []), ("fast", ["urn:x:1"])):
        found = await door.get("/temporal/entities", params={"attrs": name, "type": "T"} | by_time)
        assert [one["id"] for one in found.json()] == ids
    gone = {
        "id": "urn:x:2",
        "type": "T",
        "a": {"value": 1, "expiresAt": ends[1]},
        "b": {"value": 2},
    }
    await door.create(gone)
    answer = await door.get("/temporal/entities/urn:x:2", params=by_time)
    assert answer.json().keys() == {"id", "type", "b"}
