"""What the USGS services share: parameter codes, qualifiers, values that are words."""

from collections.abc import Mapping, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from dothi.intake.pull.observations import Series, refuse_words, rows_of
from dothi.intake.text_columns import numbers
from dothi.model.batch import Rejection
from dothi.model.quality import UNSET, Quality

PARAMETERS: Mapping[str, tuple[str, str]] = {
    "00010": ("temperature", "CEL"),
    "00045": ("precipitation", "INH"),
    "00060": ("flow", "2K"),
    "00065": ("level", "FOT"),
    "00095": ("conductivity", "G42"),
    "00300": ("dissolvedOxygen", "M1"),
    "00400": ("pH", "C62"),
    "63680": ("turbidity", "NTU"),
}
"""Parameter code -> attribute and unit (https://help.waterdata.usgs.gov/codes-and-parameters)."""

UNITS = {
    "deg C": "CEL",
    "degC": "CEL",
    "ft": "FOT",
    "ft3/s": "2K",
    "ft^3/s": "2K",
    "in": "INH",
    "uS/cm": "G42",
    "uS/cm @25C": "G42",
    "mg/l": "M1",
    "mg/L": "M1",
    "std units": "C62",
    "FNU": "NTU",
    "_FNU": "NTU",
}
"""Unit as the services write it -> UN/CEFACT code."""

_NO_DATA = -999_999.0
_WORDS = frozenset({"ICE", "EQP", "BKW", "MNT", "DIS", "SSN", "RAT", "ZFL", "TST", "***", "--"})
"""Written instead of a value: ice, equipment, backwater, maintenance, discontinued, seasonal ..."""
_ESTIMATED = frozenset({"E", "ESTIMATED"})
_PLAIN = frozenset({"A", "P", "APPROVED", "PROVISIONAL", ""})
_PROVISIONAL = frozenset({"P", "PROVISIONAL"})


def attribute_of(code: str, chosen: Mapping[str, str]) -> str:
    """The configured name, the known one, or `usgs00123`."""
    return chosen.get(code) or PARAMETERS.get(code, (f"usgs{code}", ""))[0]


def usgs_rows(
    series: Series,
    times: pa.Array,
    texts: Sequence[str | None],
    qualifiers: Sequence[Sequence[str]],
    no_data: float = _NO_DATA,
) -> tuple[pa.Table, tuple[Rejection, ...]]:
    """Rows of one series with approval and qualifiers kept beside the values.

    An approved value without further qualifiers needs no body. Provisional values are usable;
    when they are approved they come again without the mark, as a correction. A value that other
    qualifiers speak of (ice, backwater ...) is uncertain; "e" makes it estimated.
    """
    plain = pc.utf8_trim_whitespace(pa.array([text or "" for text in texts], pa.string()))
    words = pc.is_in(pc.utf8_upper(plain), pa.array(sorted(_WORDS)))
    found = numbers(pc.if_else(words, "", plain), ".")
    refused = refuse_words(series, pc.if_else(words, "", plain), found)
    is_good = pc.or_(found.is_valid(), pc.or_(words, pc.equal(plain, "")))
    found = pc.if_else(pc.equal(found, no_data), None, found)
    marks = [
        [*(codes or ()), *([word] if is_word else [])]
        for codes, word, is_word in zip(
            qualifiers, plain.to_pylist(), words.to_pylist(), strict=True
        )
    ]
    meaning = {tuple(codes): _meaning(codes) for codes in marks}
    quality = pa.array([meaning[tuple(codes)][0] for codes in marks], pa.uint8())
    bodies = pa.array([meaning[tuple(codes)][1] for codes in marks], pa.string())
    rows, without_time = rows_of(
        series,
        times.filter(is_good),
        found.filter(is_good),
        quality.filter(is_good),
        bodies.filter(is_good),
    )
    return rows, (*refused, *without_time)


def _meaning(codes: Sequence[str]) -> tuple[int, str | None]:
    """Quality of a value, and the body that stands beside it (None: no body)."""
    folded = [code.strip().upper() for code in codes]
    special = [code for code, fold in zip(codes, folded, strict=True) if fold not in _PLAIN]
    is_provisional = any(fold in _PROVISIONAL for fold in folded)
    quality: int = UNSET
    if any(fold in _ESTIMATED for fold in folded):
        quality = Quality.ESTIMATED
    elif special:
        quality = Quality.UNCERTAIN
    if not is_provisional and not special:
        return quality, None
    beside: dict[str, object] = {
        "approval": {
            "type": "Property",
            "value": "provisional" if is_provisional else "approved",
        }
    }
    if special:
        beside["qualifiers"] = {"type": "Property", "value": special}
    return quality, msgspec.json.encode(beside).decode()
