"""CAP times (3.3.2): seconds and a numeric offset; `Z` must not be used, UTC is `-00:00`."""

from datetime import datetime, timedelta

_NO_OFFSET = timedelta(0)


def cap_time(moment: datetime) -> str:
    """An aware time, its fraction of a second left out."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a CAP time needs an offset")
    text = moment.replace(microsecond=0, tzinfo=None).isoformat()
    if offset == _NO_OFFSET:
        return f"{text}-00:00"
    minutes = round(offset / timedelta(minutes=1))
    sign = "-" if minutes < 0 else "+"
    return f"{text}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def read_cap_time(text: str) -> datetime:
    """Of any sender: `Z` and fractions are taken too. Raises ValueError: no time with an offset."""
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError(f"{text!r} has no offset")
    return moment.replace(microsecond=0)
