"""Times as tables and columns hold them: microseconds since the UNIX epoch, UTC."""

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def us_of(moment: datetime) -> int: ...
@overload
def us_of(moment: None) -> None: ...
def us_of(moment: datetime | None) -> int | None:
    """Microseconds of an aware time."""
    if moment is None:
        return None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@overload
def at_of(us: int) -> datetime: ...
@overload
def at_of(us: None) -> None: ...
def at_of(us: int | None) -> datetime | None:
    """Aware UTC time of microseconds."""
    return None if us is None else _EPOCH + timedelta(microseconds=us)
