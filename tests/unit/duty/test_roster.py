"""Rosters from patterns, and rests that are too short."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from dothi.access.position import Pattern
from dothi.duty.roster import RosterOrder, rows_of, short_rests
from dothi.model.problem import Problem
from dothi.model.shift import PlannedShift

THREE = Pattern("3x8", "", "", (time(6), time(14), time(22)))
TWO = Pattern("2x12", "", "", (time(6), time(18)))
OFFICE = Pattern("office", "", "", (time(7, 30),), 9.5)
MONDAY = date(2026, 11, 30)


def days_of(pattern: Pattern, people: str, days: int) -> list[str]:
    """Per day the people of its shifts."""
    rows = rows_of(RosterOrder(pattern, "operator", list(people), MONDAY, days))
    per_day = len(pattern.starts)
    return ["".join(r.person for r in rows[i : i + per_day]) for i in range(0, len(rows), per_day)]


def test_four_people_on_three_shifts_work_three_days_and_rest_one() -> None:
    assert days_of(THREE, "abcd", 5) == ["adc", "bad", "cba", "dcb", "adc"]


def test_four_people_on_two_shifts_work_day_and_night_and_rest_two() -> None:
    assert days_of(TWO, "abcd", 4) == ["ad", "ba", "cb", "dc"]


@pytest.mark.parametrize("pattern", [THREE, TWO])
def test_the_shifts_leave_no_gap_and_do_not_overlap(pattern: Pattern) -> None:
    rows = rows_of(RosterOrder(pattern, "operator", list("abcd"), MONDAY, 14))
    assert rows[0].starts_at == datetime(2026, 11, 29, 23, tzinfo=UTC)
    for earlier, later in pairwise(rows):
        assert earlier.ends_at == later.starts_at
    assert rows[-1].ends_at == datetime(2026, 12, 13, 23, tzinfo=UTC)
    numbered = [replace(row, id=number) for number, row in enumerate(rows)]
    assert not short_rests(numbered, 24)
    assert short_rests(numbered, 25)


def test_office_hours_end_when_they_say() -> None:
    [row] = rows_of(RosterOrder(OFFICE, "it", ["a"], MONDAY, 1))
    assert row.ends_at - row.starts_at == timedelta(hours=9.5)


@pytest.mark.parametrize(("people", "days"), [("ab", 1), ("aab", 1), ("abc", 0), ("abc", 93)])
def test_what_cannot_be_shared_out_is_refused(people: str, days: int) -> None:
    with pytest.raises(Problem):
        days_of(THREE, people, days)


def test_a_rest_that_is_too_short_is_named() -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)

    def shift(number: int, person: str, start_h: float) -> PlannedShift:
        start = at + timedelta(hours=start_h)
        return PlannedShift(number, person, "operator", start, start + timedelta(hours=8))

    rows = [shift(1, "a", 0), shift(2, "a", 16), shift(3, "b", 8), shift(4, "a", 36)]
    assert short_rests(rows, 12) == {2}
    assert short_rests([shift(1, "a", 0), shift(2, "a", 8)], 12) == frozenset(), "one long shift"
