"""Shifts by the clock of the province."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from dothi.alarms.shift import shift_at

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
