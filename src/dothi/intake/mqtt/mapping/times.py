"""Times in payloads, to microseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dothi.intake.mqtt.mapping.bad_payload import BadPayload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_US = -62_135_596_800_000_000  # year 1
_LAST_US = 253_402_300_799_999_999  # year 9999

_SCALES = ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1))


def to_us(moment: datetime) -> int:
    """An aware datetime as microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def read_time(value: object, zone: ZoneInfo | None) -> int:
    """Microseconds since 1970 UTC.

    Text is RFC 3339. A number counts from 1970: below 10^11 seconds, below 10^14 milliseconds,
    below 10^17 microseconds, above it nanoseconds.

    Args:
        zone: of times without an offset; None: those are refused.
    Raises:
        BadPayload: time_invalid.
    """
    if isinstance(value, str):
        return _read_text(value, zone)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadPayload("time_invalid", f"a time is RFC 3339 text or a number, not {value!r:.80}")
    magnitude = abs(value)
    if not magnitude < 1e20:
        raise BadPayload("time_invalid", f"{value!r:.40} is no time in any unit")
    for limit, factor in _SCALES:
        if magnitude < limit:
            return _in_range(round(value * factor))
    return _in_range(round(value / 1_000))


def _read_text(text: str, zone: ZoneInfo | None) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadPayload(
            "time_invalid",
            f"{text!r:.80} is not an RFC 3339 time such as 2026-01-31T08:00:00+07:00",
        ) from None
    if moment.tzinfo is None:
        if zone is None:
            raise BadPayload(
                "time_invalid",
                f"{text!r:.80} lacks the offset (Z or +07:00); or set `zone` in the rule",
            )
        moment = moment.replace(tzinfo=zone)
    return _in_range(to_us(moment))


def _in_range(moment_us: int) -> int:
    if _FIRST_US <= moment_us <= _LAST_US:
        return moment_us
    raise BadPayload("time_invalid", "the time lies outside the years 1 to 9999")
