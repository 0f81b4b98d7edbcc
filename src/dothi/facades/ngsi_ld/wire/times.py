"""DateTime on the wire (ISO 8601, UTC) and in the program (aware datetime)."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?"
)
_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d{1,6})?Z")
_NO_UTC = "is not a time in UTC such as 2026-01-31T08:00:00Z, with at most six decimals of a second"

MOST_S = 10**9
"""Durations from users: longer ones lead to dates that no calendar here holds."""
LEAST_S = 0.1
"""What repeats for users does so no faster."""


def parse_utc(text: object) -> datetime:
    """Aware time of a DateTime of context data (clause 4.6.3): in UTC, ends in Z.

    Raises ValueError.
    """
    if not isinstance(text, str):
        raise ValueError(f"{text!r} {_NO_UTC}")
    return _parsed_utc(text)


@lru_cache(maxsize=4096)
def _parsed_utc(text: str) -> datetime:
    """Kept, since what is written together mostly has one time."""
    if not _UTC.fullmatch(text):
        raise ValueError(f"{text!r} {_NO_UTC}")
    return datetime.fromisoformat(text)


def parse_date_time(text: object) -> datetime:
    """Aware UTC time of an ISO 8601 date-time; without a zone it is UTC. Raises ValueError."""
    found = _DATE_TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is not a date and time such as 2026-01-31T08:00:00Z")
    seconds, fraction, zone = found.groups()
    at = datetime.fromisoformat(f"{seconds}.{(fraction or '0')[:6]:0<6}{zone or 'Z'}")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from error


def is_over(text: object) -> bool:
    """Whether the time of an expiresAt has come; what is no time never ends."""
    try:
        return parse_date_time(text) <= datetime.now(UTC)
    except ValueError:
        return False


def is_plain(text: str) -> bool:
    """Whether a DateTime of context data is written as `format_date_time` writes it."""
    return "," not in text and not ("." in text and text.endswith("0Z"))


@lru_cache(maxsize=16_384)
def format_date_time(at: datetime) -> str:
    """`2026-01-31T08:00:00Z`, with a fraction only where there is one."""
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text.rstrip("0") + "Z" if "." in text else text + "Z"
