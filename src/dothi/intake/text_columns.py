"""Columns of text to columns of numbers and times; what does not parse becomes null."""

import pyarrow as pa
import pyarrow.compute as pc

_ISO = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
_ZONED = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
_DATE_CHARS = 10
_NUMBER = r"^[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]{1,3})?$"


def numbers(texts: pa.Array, decimal: str = "any") -> pa.Array:
    """float64 of each decimal number; null for anything else (NaN, Infinity, two separators).

    Args:
        texts: strings without surrounding spaces.
        decimal: `.`, `,` or `any`: the decimal separators that count.
    """
    fits = pc.match_substring_regex(texts, _NUMBER)
    if decimal != "any":
        other = "," if decimal == "." else "."
        fits = pc.and_(fits, pc.invert(pc.match_substring(texts, other)))
    plain = pc.if_else(fits, pc.replace_substring(texts, ",", "."), None)
    values = plain.cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, None)


def compact_times(texts: pa.Array, offset_s: int) -> pa.Array:
    """timestamp(us, UTC) of each `yyyyMMddHHmmss` on a clock `offset_s` ahead of UTC.

    Null for anything that is not exactly such a time (31 February, 25 o'clock, signs, spaces,
    a year before 1900).
    """
    fits = pc.match_substring_regex(texts, r"^(19|[2-9][0-9])[0-9]{12}$")
    digits = pc.if_else(fits, texts, None)
    local = pc.strptime(digits, format="%Y%m%d%H%M%S", unit="s", error_is_null=True)
    # strptime rolls 31 February over to March: only a time that writes itself back is real.
    real = pc.equal(pc.strftime(local, format="%Y%m%d%H%M%S"), digits)
    utc = pc.subtract(local, pa.scalar(offset_s, pa.duration("s")))
    return pc.if_else(real, utc, None).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))


def iso_times(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """ISO 8601 times: the moments of those with an offset, the local times of those without.

    Returns:
        timestamp(us, UTC) and timestamp(us) of the same length; at most one is not null.
    """
    texts = pc.if_else(pc.match_substring_regex(texts, _ISO), texts, None)
    day = pc.utf8_slice_codeunits(texts, 0, _DATE_CHARS)
    parsed = pc.strptime(day, format="%Y-%m-%d", unit="s", error_is_null=True)
    texts = pc.if_else(pc.equal(pc.strftime(parsed, format="%Y-%m-%d"), day), texts, None)
    # A plain date also ends in what looks like an offset ("-30"): it is too short to have one.
    has_time = pc.greater(pc.utf8_length(texts), _DATE_CHARS)
    zoned = pc.and_(has_time, pc.match_substring_regex(texts, _ZONED))
    moments = pc.if_else(zoned, texts, None).cast(pa.timestamp("us", tz="UTC"))
    return moments, pc.if_else(zoned, None, texts).cast(pa.timestamp("us"))
