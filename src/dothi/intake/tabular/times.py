"""A column of times in any of the agreed forms to UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dothi.intake.text_columns import iso_times
from dothi.model.problem import Problem
from dothi.model.row import TIMESTAMP

_EPOCH = {"epoch_s": "s", "epoch_ms": "ms"}
_NAIVE = pa.timestamp("us")
_HOUR_US = 3_600_000_000
_EPOCH_AT = datetime(1970, 1, 1, tzinfo=UTC)


class Times:
    """Reads times of one format; `zone` belongs to those that carry none."""

    def __init__(self, time_format: str, zone: str) -> None:
        """Raises Problem: the zone or a part of the format is not known."""
        self._format = time_format
        self._zone = _zone(zone) if zone else None
        for part in ("%z", "%Z", "%f"):
            if part in time_format:
                raise Problem(
                    "mapping_invalid",
                    "The mapping does not fit",
                    f"`time_format` may not hold {part}",
                    remedy="use `iso` for times with fractions or zones",
                )

    def read(self, column: pa.Array) -> pa.Array:
        """timestamp(us, UTC); null where the cell is no time of this format.

        Raises:
            Problem: times without a zone, and none was given.
        """
        if pa.types.is_timestamp(column.type):
            return column.cast(TIMESTAMP, safe=False) if column.type.tz else self._utc(column)
        if pa.types.is_date(column.type):
            return self._utc(column)
        if self._format in _EPOCH:
            return self._epoch(column)
        texts = column.cast(pa.string())
        return self._iso(texts) if self._format == "iso" else self._formatted(texts)

    def _epoch(self, column: pa.Array) -> pa.Array:
        if pa.types.is_string(column.type):
            fits = pc.match_substring_regex(column, r"^-?[0-9]{1,14}(\.[0-9]*)?$")
            column = pc.if_else(fits, column, None).cast(pa.float64())
        scale = 1_000_000 if _EPOCH[self._format] == "s" else 1_000
        us = pc.round(pc.multiply(column.cast(pa.float64()), scale)).cast(pa.int64())
        return us.cast(TIMESTAMP)

    def _iso(self, texts: pa.Array) -> pa.Array:
        moments, local = iso_times(texts)
        if local.null_count == len(local):
            return moments
        return pc.coalesce(moments, self._utc(local))

    def _formatted(self, texts: pa.Array) -> pa.Array:
        local = pc.strptime(texts, format=self._format, unit="s", error_is_null=True)
        # strptime rolls 31 February over to March: only what writes itself back is real.
        written = pc.strftime(local, format=self._format)
        real = pc.equal(_unpadded(written), _unpadded(texts))
        return self._utc(pc.if_else(real, local, None))

    def _utc(self, local: pa.Array) -> pa.Array:
        if self._zone is None:
            raise Problem(
                "zone_missing",
                "The times carry no zone",
                "2026-11-22 08:00 may be the time of Vietnam or UTC, seven hours apart",
                remedy="say which: --zone Asia/Ho_Chi_Minh, or --zone UTC",
            )
        us = local.cast(_NAIVE, safe=False).cast(pa.int64())
        values = us.fill_null(0).to_numpy(zero_copy_only=False)
        hours, place = np.unique(values // _HOUR_US, return_inverse=True)
        offsets = np.array([_offset_us(self._zone, int(hour)) for hour in hours], np.int64)
        utc = pa.array(values - offsets[place], mask=~us.is_valid().to_numpy(zero_copy_only=False))
        return utc.cast(TIMESTAMP)


def _zone(name: str) -> Callable[[datetime], timedelta]:
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Problem(
            "zone_unknown",
            "The time zone is not known",
            f"`{name}`: {error}",
            remedy="use an IANA name such as Asia/Ho_Chi_Minh or UTC",
        ) from error
    return lambda local: local.replace(tzinfo=zone).utcoffset() or timedelta()


def _offset_us(zone: Callable[[datetime], timedelta], hour: int) -> int:
    """Offset of a local hour; the clocks change on whole hours."""
    try:
        local = _EPOCH_AT + timedelta(hours=hour)
    except OverflowError:
        return 0
    return round(zone(local).total_seconds() * 1e6)


def _unpadded(texts: pa.Array) -> pa.Array:
    """5:07 and 05:07, pm and PM are the same."""
    plain = pc.utf8_lower(texts)
    return pc.replace_substring_regex(plain, r"(^|[^0-9])0+([0-9])", r"\1\2")
