"""Shifts by the clock of the province."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from dothi.alarms.shift import planned_at, shift_at
from dothi.model.shift import PlannedShift

STARTS = (time(6), time(14), time(22))
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_a_night_shift_reaches_over_midnight() -> None:
    shift = shift_at(datetime(2026, 11, 22, 18, 30, tzinfo=UTC), STARTS, ZONE)
    assert shift.begins_at == datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
    assert shift.ends_at == datetime(2026, 11, 22, 23, 0, tzinfo=UTC)


def test_a_change_belongs_to_the_new_shift() -> None:
    shift = shift_at(datetime(2026, 11, 22, 7, 0, tzinfo=UTC), STARTS, ZONE)
    assert shift.begins_at == datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def test_one_change_a_day_is_a_shift_of_a_day() -> None:
    shift = shift_at(datetime(2026, 11, 22, 0, 0, tzinfo=UTC), (time(6),), ZONE)
    assert (shift.ends_at - shift.begins_at).total_seconds() == 86_400


def _planned(position: str, begins: int, ends: int) -> PlannedShift:
    day = datetime(2026, 11, 22, tzinfo=UTC)
    return PlannedShift(1, "lan", position, day.replace(hour=begins), day.replace(hour=ends))


def test_the_roster_says_when_the_shift_of_a_position_ends() -> None:
    planned = [_planned("operator", 1, 9), _planned("leader", 1, 12), _planned("operator", 8, 20)]
    at = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    found = planned_at(at, planned, "operator")
    assert found is not None
    assert (found.begins_at.hour, found.ends_at.hour) == (8, 20), "the one that goes on"
    assert planned_at(at.replace(hour=20), planned, "operator") is None, "its end is not part of it"
    assert planned_at(at, planned, "duty_officer") is None
