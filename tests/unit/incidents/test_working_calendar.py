"""Working days and office hours: known dates, and laws that hold for all."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.incidents.calendar_file import decode_calendar
from dothi.incidents.clocks import due_at, parse_limit
from dothi.incidents.working_calendar import FREE, WorkingCalendar
from dothi.model.problem import Problem
from dothi.model.procedure import LimitKind, Pause
from incident_ports import CALENDAR, calendar

VN = calendar().calendar
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAYS = st.dates(date(2026, 1, 1), date(2027, 11, 30))
COUNTS = st.integers(1, 40)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """The calendar of the file with more holidays and half days, drawn at random."""
    half, full = VN.plan(date(2026, 3, 2)), VN.plan(date(2026, 3, 2))
    half = type(full)(0.5, full.hours[:1])
    days = draw(st.dictionaries(DAYS, st.sampled_from([FREE, half, full]), max_size=60))
    return WorkingCalendar(ZONE, VN.week, {**VN.special, **days}, VN.known_from, VN.known_to)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-11-26", 2, "2026-11-30"),  # Thursday: Friday, Monday
        ("2026-02-13", 1, "2026-02-23"),  # Friday before Tết: the Monday after
        ("2026-04-24", 1, "2026-04-28"),  # Hùng Kings' day falls on Sunday: Monday is off in lieu
        ("2026-04-29", 1, "2026-05-04"),  # 30 April and 1 May, then a weekend
        ("2026-08-21", 1, "2026-08-22"),  # a Saturday that is worked
        ("2026-08-28", 1, "2026-09-03"),  # off in exchange, then National Day
        ("2026-11-28", 1, "2026-11-30"),  # from a free Saturday
    ],
)
def test_working_days_after_a_day(start: str, count: int, end: str) -> None:
    found = VN.add_working_days(date.fromisoformat(start), count)
    assert found == date.fromisoformat(end)


@given(calendars(), DAYS, COUNTS)
def test_adding_working_days_never_ends_on_a_free_day(
    of: WorkingCalendar, day: date, count: int
) -> None:
    assert of.is_working(of.add_working_days(day, count))


@given(calendars(), DAYS, COUNTS, COUNTS)
def test_more_days_end_no_earlier(of: WorkingCalendar, day: date, one: int, more: int) -> None:
    assert of.add_working_days(day, one) <= of.add_working_days(day, one + more)
    assert of.add_working_days(day, one) <= of.add_working_days(day + timedelta(days=more), one)


@given(calendars(), DAYS, COUNTS)
def test_counting_is_the_inverse_of_adding(of: WorkingCalendar, day: date, count: int) -> None:
    end = of.add_working_days(day, count)
    counted = of.working_days_between(day, end)
    assert count <= counted < count + 1  # a last whole day may follow a half one
    assert of.working_days_between(day, end - timedelta(days=1)) < count


@given(calendars(), DAYS, st.integers(0, 1439), st.integers(1, 4000))
def test_office_hours_are_the_inverse_of_adding(
    of: WorkingCalendar, day: date, minute: int, length: int
) -> None:
    start = datetime.combine(day, datetime.min.time(), ZONE) + timedelta(minutes=minute)
    start = start.astimezone(UTC)
    end = of.add_working_time(start, timedelta(minutes=length))
    assert of.working_time_between(start, end) == timedelta(minutes=length)
    assert of.is_working(of.day_of(end))


def test_limits_in_days_follow_the_civil_code() -> None:
    thursday_evening = local("2026-11-26T18:00")
    two = due_at(parse_limit("2 working days"), thursday_evening, (), VN)
    assert two == local("2026-12-01T00:00")  # the end of Monday, 24:00
    one = due_at(parse_limit("2 days"), thursday_evening, (), VN)
    assert one == local("2026-12-01T00:00")  # the last day is a Saturday: it moves to Monday
    hours = due_at(parse_limit("72 h"), thursday_evening, (), VN)
    assert hours == local("2026-11-29T18:00")
    office = due_at(parse_limit("4 working hours"), thursday_evening, (), VN)
    assert office == local("2026-11-27T11:30")


HALF_DAYS = """
[[day]]
on = 2026-11-28
to = 2026-11-30
kind = "half"
name = { vi = "Nửa ngày", en = "Half days" }
source = "test"
mark = "unverified"
note = "Saturday to Monday"
"""


@pytest.mark.parametrize(
    ("start", "limit", "at_midnight", "with_office"),
    [
        ("2026-11-26T18:00", "1 working days", "2026-11-28T00:00", "2026-11-27T17:00"),
        ("2026-11-26T18:00", "2 working days", "2026-11-30T00:00", "2026-11-29T11:30"),
        ("2026-11-27T16:00", "1 working days", "2026-11-30T00:00", "2026-11-29T11:30"),
        ("2026-11-28T08:00", "1 working days", "2026-12-01T00:00", "2026-11-30T11:30"),
        ("2026-11-29T08:00", "1 working days", "2026-12-02T00:00", "2026-12-01T17:00"),
        ("2026-11-27T16:00", "4 working hours", "2026-11-28T10:30", "2026-11-28T10:30"),
    ],
)
def test_half_days_count_half(start: str, limit: str, at_midnight: str, with_office: str) -> None:
    """Saturday 28, Sunday 29 and Monday 30 November are worked in the morning."""
    text = CALENDAR.read_text(encoding="utf-8") + HALF_DAYS
    office = text.replace('limit_ends = "midnight"', 'limit_ends = "office"')
    assert office != text
    for file, end in ((text, at_midnight), (office, with_office)):
        found = decode_calendar(file, "calendar.toml").calendar
        assert due_at(parse_limit(limit), local(start), (), found) == local(end)


def test_a_pause_stops_every_kind_of_clock() -> None:
    start = local("2026-11-26T08:00")
    noon, later = local("2026-11-26T08:10"), local("2026-11-30T09:00")
    still = Pause("why", noon, None, "lan")
    over = Pause("why", noon, later, "lan")
    for text, end in (
        ("30 min", "2026-11-30T09:20"),
        ("1 working hours", "2026-11-30T09:50"),
        ("2 working days", "2026-12-03T00:00"),
        ("3 days", "2026-12-04T00:00"),
    ):
        limit = parse_limit(text)
        assert due_at(limit, start, (still,), VN) is None
        assert due_at(limit, start, (over,), VN) == local(end), text


@given(DAYS, st.integers(0, 1439), st.integers(1, 3000), st.integers(0, 5000))
def test_a_pause_never_brings_the_end_forward(
    day: date, minute: int, gone: int, paused: int
) -> None:
    start = datetime.combine(day, datetime.min.time(), UTC) + timedelta(minutes=minute)
    stop = start + timedelta(minutes=gone)
    pause = Pause("why", stop, stop + timedelta(minutes=paused), "lan")
    for text in ("72 h", "3 days", "2 working days", "9 working hours"):
        limit = parse_limit(text)
        before = due_at(limit, start, (), VN)
        after = due_at(limit, start, (pause,), VN)
        assert before is not None and after is not None
        if before >= stop:  # a limit that has run out stays so
            assert after >= before, text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "0 h",
        "1.5 days",
        "0.5 working days",
        "1.5 working days",
        "-3 h",
        "2 working",
        "3 weeks",
    ],
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"limit|leaves|days"):
        parse_limit(text)


def test_kinds_of_limits() -> None:
    assert parse_limit("2 working days").kind is LimitKind.WORKING_DAYS
    assert parse_limit("4 working hours").amount == 4 * 3600
    assert parse_limit("90 min").kind is LimitKind.ELAPSED


def test_every_day_of_the_shipped_calendar_has_a_source_and_a_mark() -> None:
    file = calendar().file
    assert file.day
    for day in file.day:
        assert day.source, day.on
        assert day.mark == "verified" or day.note, f"{day.on}: an unverified day says why"
    assert file.office.mark == "unverified"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('monday = "full"', 'monday = "whole"'), "monday"),
        (("[office]", "[opening]"), "opening"),
        (('"07:30-11:30", "13:00', '"07:30-14:30", "13:00'), "overlap"),
        (("on = 2026-05-01", "on = 2026-04-30"), "2026-04-30 is given twice"),
        (('"Asia/Ho_Chi_Minh"', '"Asia/Sai_Gon"'), "zone"),
    ],
)
def test_a_wrong_calendar_is_refused_with_its_place(change: tuple[str, str], said: str) -> None:
    text = CALENDAR.read_text(encoding="utf-8")
    assert change[0] in text
    with pytest.raises(Problem, match=said):
        decode_calendar(text.replace(*change), "calendar.toml")


def test_a_holiday_of_unknown_years_is_not_known() -> None:
    assert VN.knows(date(2026, 11, 27))
    assert not VN.knows(date(2028, 1, 1))
