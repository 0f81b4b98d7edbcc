"""Which period an instant belongs to, as SQL over UTC microseconds, and the periods' edges.

Every period has a whole number, its label. SQL computes labels of rows; Python turns the few
labels of an answer into edges. Calendar periods go by what the clocks of the zone show: the
range is cut at the zone's changes of offset, within each piece local time is UTC plus a number.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from dothi.model.problem import Problem
from dothi.model.series import CalendarPeriod, FixedPeriod

DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BIAS_US = 719_162 * DAY_US
"""From 0001-01-01, a Monday, to 1970-01-01: keeps labels positive and weeks aligned."""


class Periods(Struct, frozen=True):
    """Periods that meet one range."""

    label_sql: str
    """Expression over a column `us` (UTC microseconds) within the range; BIGINT."""
    edges: Callable[[int], tuple[int, int]]
    """Label -> start and end in UTC microseconds, end exclusive."""


def to_us(at: datetime) -> int:
    """UTC microseconds since 1970 of an aware datetime, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def periods(period: FixedPeriod | CalendarPeriod | None, start_us: int, end_us: int) -> Periods:
    """Periods for rows with start_us <= us < end_us.

    Raises:
        Problem: a period of no length, an unknown unit or time zone.
    """
    if period is None:
        return Periods("0", lambda _label: (start_us, end_us))
    if isinstance(period, FixedPeriod):
        return _fixed(period, start_us)
    return _calendar(period, start_us, end_us)


def _fixed(period: FixedPeriod, start_us: int) -> Periods:
    length_us = round(period.seconds * 1_000_000)
    if length_us < 1:
        raise _bad_period(f"a period of {period.seconds:g} s", "give at least one microsecond")
    origin_us = 0 if period.origin_at is None else to_us(period.origin_at)
    first_us = origin_us + (start_us - origin_us) // length_us * length_us

    def edges(label: int) -> tuple[int, int]:
        return first_us + label * length_us, first_us + (label + 1) * length_us

    return Periods(f"((us - ({first_us})) // {length_us})", edges)


def _calendar(period: CalendarPeriod, start_us: int, end_us: int) -> Periods:
    if period.unit not in _UNITS:
        raise _bad_period(f"the calendar unit {period.unit!r}", f"use one of {', '.join(_UNITS)}")
    unit = _UNITS[period.unit]
    zone = _zone(period.zone)
    pieces = _pieces(period.zone, start_us, end_us)
    local = str(pieces[-1][1] + _BIAS_US)
    if len(pieces) > 1:
        whens = [
            f"WHEN us < {following[0]} THEN {piece[1] + _BIAS_US}"
            for piece, following in pairwise(pieces)
        ]
        local = f"CASE {' '.join(whens)} ELSE {local} END"

    def edges(label: int) -> tuple[int, int]:
        first, following = unit.first_day(label), unit.first_day(label + 1)
        return _day_start_us(period.zone, zone, first), _day_start_us(period.zone, zone, following)

    return Periods(unit.label_sql.format(local=f"(us + {local})"), edges)


class _Unit(Struct, frozen=True):
    label_sql: str
    first_day: Callable[[int], date]


def _month_sql() -> str:
    at = f"make_timestamp({{local}} - {_BIAS_US})"
    return f"(year({at}) * 12 + month({at}) - 1)"


_UNITS = {
    "day": _Unit(f"({{local}} // {DAY_US})", lambda n: date.fromordinal(n + 1)),
    "week": _Unit(f"({{local}} // {7 * DAY_US})", lambda n: date.fromordinal(n * 7 + 1)),
    "month": _Unit(_month_sql(), lambda n: date(n // 12, n % 12 + 1, 1)),
    "year": _Unit(f"year(make_timestamp({{local}} - {_BIAS_US}))", lambda n: date(n, 1, 1)),
}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _bad_period(
            f"the time zone {name!r}", "use an IANA name such as Asia/Ho_Chi_Minh"
        ) from None


def _bad_period(what: str, remedy: str) -> Problem:
    return Problem("bad_period", "Unusable period", f"{what} cannot be used", 400, "period", remedy)


def _pieces(zone: str, start_us: int, end_us: int) -> list[tuple[int, int]]:
    """(start, offset) in microseconds of the pieces of constant offset that meet the range."""
    first, last = _at(start_us).year, _at(max(start_us, end_us - 1)).year
    pieces = [piece for year in range(first, last + 1) for piece in _year_pieces(zone, year)]
    inside = [piece for piece in pieces if start_us < piece[0] < end_us]
    before = [piece for piece in pieces if piece[0] <= start_us]
    return [(start_us, before[-1][1] if before else pieces[0][1]), *inside]


@lru_cache(maxsize=4096)
def _year_pieces(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """Pieces of constant offset of one UTC year, the first one from its first instant on."""
    info = ZoneInfo(zone)
    low = to_us(datetime(year, 1, 1, tzinfo=UTC))
    days = 366 if (date(year, 12, 31) - date(year, 1, 1)).days == 365 else 365
    pieces = [(low, _offset_us(info, low))]
    for us in range(low, low + days * DAY_US, DAY_US):
        until = min(us + DAY_US, low + days * DAY_US - 1)
        if _offset_us(info, until) != pieces[-1][1]:
            change = _change_between(info, us, until)
            pieces.append((change, _offset_us(info, change)))
    return tuple(pieces)


def _change_between(info: ZoneInfo, low: int, high: int) -> int:
    """First instant in (low, high] with another offset than at low; offsets change on seconds."""
    before = _offset_us(info, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_us(info, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_us(info: ZoneInfo, us: int) -> int:
    offset = _at(us).astimezone(info).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


@lru_cache(maxsize=65_536)
def _day_start_us(zone_name: str, zone: ZoneInfo, day: date) -> int:
    """The first instant at which the zone's clocks show `day` or, if they skip it, a later day."""
    midnight_us = (day.toordinal() - 1) * DAY_US - _BIAS_US
    low, high = midnight_us - 2 * DAY_US, midnight_us + 2 * DAY_US
    pieces = _pieces(zone_name, low, high)
    ends = [piece[0] for piece in pieces[1:]] + [high]
    for (start_us, offset_us), end_us in zip(pieces, ends, strict=True):
        candidate = max(start_us, midnight_us - offset_us)
        if candidate < end_us:
            return candidate
    raise AssertionError(f"no start of {day} in {zone}")


def _at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
