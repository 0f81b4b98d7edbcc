"""Aggregated temporal values (clause 4.5.19)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import Running, problem_of

from dothi.facades.ngsi_ld.operations.aggregate import METHODS

ID = "urn:ngsi-ld:Lamp:1"
PATH = f"/temporal/entities/{ID}"


def _one(value: Any, at: str, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": at, **more}


def _minutes(*values: Any) -> list[dict[str, Any]]:
    return [_one(value, f"2026-03-01T12:{n:02}:00Z") for n, value in enumerate(values)]


async def _post(door: Running, **attributes: Any) -> None:
    body = {"id": ID, "type": "Lamp", **attributes}
    answer = await door.send("POST", "/temporal/entities", body)
    assert answer.status_code == 201, answer.text


async def _get(door: Running, methods: str, duration: str = "", **params: Any) -> dict[str, Any]:
    asked = {"options": "aggregatedValues", "aggrMethods": methods, **params}
    if duration:
        asked["aggrPeriodDuration"] = duration
    answer = await door.get(PATH, params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_method_on_numbers(door: Running) -> None:
    await _post(door, level=_minutes(2, 4, 4, 6))
    found = (await _get(door, ",".join(METHODS), "PT1H"))["level"]
    span = ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"]
    expected = {
        "avg": 4,
        "distinctCount": 3,
        "max": 6,
        "min": 2,
        "sum": 16,
        "sumsq": 72,
        "totalCount": 4,
    }
    stddev = found.pop("stddev")
    assert round(stddev[0][0], 6) == 1.632993
    assert found == {"type": "Property"} | {m: [[v, *span]] for m, v in expected.items()}


async def test_numbers_without_end(door: Running) -> None:
    """What no float can hold is neither folded nor an error."""
    await _post(door, level=_minutes(2, 10**400, 1e200), huge=_minutes(1e308, 1e308))
    found = await _get(door, "max,sum,sumsq,totalCount", "PT1H")
    span = ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"]
    assert found["level"] == {
        "type": "Property",
        "max": [[1e200, *span]],
        "sum": [[1e200, *span]],
        "totalCount": [[3, *span]],
    }
    assert found["huge"].keys() == {"type", "max", "totalCount"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            ["b", "a", "b"],
            {"totalCount": 3, "distinctCount": 2, "max": "b", "min": "a"},
        ),
        (
            [True, False, True, True],
            {
                "totalCount": 4,
                "distinctCount": 2,
                "avg": 0.75,
                "max": 1,
                "min": 0,
                "sum": 3,
                "sumsq": 3,
                "stddev": 0.5,
            },
        ),
        (
            [[1, 2], [3], [3], []],
            {"totalCount": 4, "distinctCount": 3, "avg": 1, "max": 2, "min": 0, "sum": 4},
        ),
        ([{"a": 1}, {"a": 1}, {"b": 1}], {"totalCount": 3, "distinctCount": 2}),
        (
            ["2026-03-01T08:00:00Z", "2026-03-02T07:00:00Z"],
            {
                "totalCount": 2,
                "distinctCount": 2,
                "max": "2026-03-02T07:00:00Z",
                "min": "2026-03-01T08:00:00Z",
            },
        ),
    ],
)
async def test_values_of_other_types(
    door: Running, values: list[Any], expected: dict[str, Any]
) -> None:
    """Tables 4.5.19.1-1 and -2: what a method is not for is left out."""
    await _post(door, state=_minutes(*values))
    found = (await _get(door, ",".join(METHODS), "P1D"))["state"]
    assert {m: rows[0][0] for m, rows in found.items() if m != "type"} == expected


async def test_relationships_are_counted(door: Running) -> None:
    """Table 4.5.19.1-3."""
    links = [
        {"type": "Relationship", "object": uri, "observedAt": f"2026-03-01T12:0{n}:00Z"}
        for n, uri in enumerate(("urn:x:1", "urn:x:2", "urn:x:1"))
    ]
    await _post(door, owner=links)
    found = (await _get(door, "totalCount,distinctCount,avg", "PT1H"))["owner"]
    span = ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"]
    assert found == {
        "type": "Relationship",
        "totalCount": [[3, *span]],
        "distinctCount": [[2, *span]],
    }
    asked = {"format": "aggregatedValues", "aggrMethods": "avg"}
    answer = await door.get(PATH, params={**asked, "attrs": "owner"})
    problem_of(answer, 400, "InvalidRequest")
    assert "owner" not in (await _get(door, "avg"))


async def test_periods_begin_at_the_first_instant(door: Running) -> None:
    times = ["2026-03-01T12:03:00Z", "2026-03-01T13:05:00Z", "2026-03-01T14:07:00Z"]
    await _post(
        door,
        fuel=[_one(v, at) for v, at in zip((67, 53, 40), times, strict=True)],
        speed=[_one(9, "2026-03-01T12:30:00Z")],
    )
    found = await _get(door, "avg", "PT1H")
    assert found["fuel"]["avg"] == [
        [67, "2026-03-01T12:03:00Z", "2026-03-01T13:03:00Z"],
        [53, "2026-03-01T13:03:00Z", "2026-03-01T14:03:00Z"],
        [40, "2026-03-01T14:03:00Z", "2026-03-01T15:03:00Z"],
    ]
    assert found["speed"]["avg"] == [[9, "2026-03-01T12:03:00Z", "2026-03-01T13:03:00Z"]]
    asked = {"timerel": "after", "timeAt": "2026-03-01T13:00:00.5Z"}
    found = await _get(door, "sum", "PT2H", **asked)
    assert found["fuel"]["sum"] == [[93, "2026-03-01T13:00:00.5Z", "2026-03-01T15:00:00.5Z"]]


async def test_months_follow_the_calendar(door: Running) -> None:
    days = ["2026-01-31", "2026-02-27", "2026-02-28", "2026-03-30", "2026-03-31", "2027-06-01"]
    await _post(door, level=[_one(1, f"{day}T00:00:00Z") for day in days])
    found = await _get(door, "sum", "P1M")
    assert [[row[0], row[1][:10], row[2][:10]] for row in found["level"]["sum"]] == [
        [2, "2026-01-31", "2026-02-28"],
        [2, "2026-02-28", "2026-03-31"],
        [1, "2026-03-31", "2026-04-30"],
        [1, "2027-05-31", "2027-06-30"],
    ]
    found = await _get(door, "totalCount", "P1Y1DT1H")
    assert [row[0] for row in found["level"]["totalCount"]] == [5, 1]
    found = await _get(door, "totalCount", "P2W")
    assert sum(row[0] for row in found["level"]["totalCount"]) == 6


async def test_the_whole_range(door: Running) -> None:
    """A duration of 0, or none, spans the time of the query."""
    await _post(door, level=_minutes(1, 2, 3))
    asked = {
        "timerel": "between",
        "timeAt": "2026-03-01T00:00:00Z",
        "endTimeAt": "2026-03-02T00:00:00Z",
    }
    for duration in ("", "PT0S", "P0D"):
        found = await _get(door, "sum", duration, **asked)
        assert found["level"]["sum"] == [[6, asked["timeAt"], asked["endTimeAt"]]]
    assert (await _get(door, "sum", "PT0S"))["level"]["sum"][0][:2] == [6, "2026-03-01T12:00:00Z"]


async def test_each_dataset_is_aggregated_by_itself(door: Running) -> None:
    gps = _one(8, "2026-03-01T12:00:00Z", datasetId="urn:x:gps")
    await _post(door, level=[*_minutes(1, 2), gps])
    found = (await _get(door, "sum"))["level"]
    assert [(one.get("datasetId"), one["sum"][0][0]) for one in found] == [
        (None, 3),
        ("urn:x:gps", 8),
    ]


@pytest.mark.parametrize(
    ("methods", "duration", "named"),
    [
        ("mode", "", "aggrMethods"),
        ("", "", "aggrMethods"),
        ("avg", "P", "aggrPeriodDuration"),
        ("avg", "PT", "aggrPeriodDuration"),
        ("avg", "1H", "aggrPeriodDuration"),
        ("avg", "P1W2D", "aggrPeriodDuration"),
        ("avg", "P0001-00-00T00:00:00", "aggrPeriodDuration"),
    ],
)
async def test_wrong_aggregations(door: Running, methods: str, duration: str, named: str) -> None:
    await _post(door, level=_minutes(1))
    asked = {"options": "aggregatedValues"}
    asked |= {"aggrMethods": methods} if methods else {}
    asked |= {"aggrPeriodDuration": duration} if duration else {}
    body = problem_of(await door.get(PATH, params=asked), 400, "BadRequestData")
    assert named in body["detail"]


async def test_far_away_times_are_no_trouble(door: Running) -> None:
    await _post(door, level=[_one(1, "1901-01-01T00:00:00Z"), _one(2, "9990-01-01T00:00:00Z")])
    found = await _get(door, "sum", "P500Y")
    assert [row[0] for row in found["level"]["sum"]] == [1, 2]
    found = await _get(door, "sum", "P9000Y")
    assert [row[0] for row in found["level"]["sum"]] == [3]


async def test_periods_of_parts_of_a_second_are_told_exactly(door: Running) -> None:
    """Clause 4.5.19: each value is told with the start and the end of its period, end excluded."""
    await _post(door, level=[_one(n, f"2026-03-01T12:00:0{n}Z") for n in (1, 2)])
    times = {"timerel": "after", "timeAt": "2026-03-01T12:00:00.25Z"}
    found = (await _get(door, "max", "PT0.5S", **times))["level"]["max"]
    assert found == [
        [1, "2026-03-01T12:00:00.75Z", "2026-03-01T12:00:01.25Z"],
        [2, "2026-03-01T12:00:01.75Z", "2026-03-01T12:00:02.25Z"],
    ]
