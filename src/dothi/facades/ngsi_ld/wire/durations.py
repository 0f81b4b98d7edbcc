"""ISO 8601 durations that say for how long something lives."""

import re

from dothi.facades.ngsi_ld.errors import bad_request_data

_NUMBER = r"(\d{1,9}(?:[.,]\d{1,6})?)"
_DURATION = re.compile(
    rf"P(?=.)(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=.)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_SECONDS = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)


def read_lifetime_s(value: object, where: str) -> float:
    """Seconds; a year counts as 365 days, a month as 30. Raises BadRequestData."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise bad_request_data(f"{where}: {value!r} is no duration such as PT1H or P1D")
    parts = (float((part or "0").replace(",", ".")) for part in found.groups())
    return sum(part * size for part, size in zip(parts, _SECONDS, strict=True))
