"""Columns of text to columns of numbers and times; what does not parse becomes null."""

import pyarrow as pa
import pyarrow.compute as pc

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
