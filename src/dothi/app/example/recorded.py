"""A recorded series, re-timed to now: it runs at its own pace and begins again at its end."""

import csv
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dothi.app.example.registry import Feed, Station
from dothi.app.example.signal import HOUR_US, Numbers, Sampled, Times
from dothi.model.quality import UNSET, Quality


class _Column(Struct, frozen=True):
    at_us: Times
    number: Numbers
    quality: npt.NDArray[np.uint8]


class RecordedSignal:
    """Reads the record at (time + shift) modulo the length of the loop.

    The loop of hourly air records is a whole number of weeks, so that hour and weekday stay
    what they were. Between two recorded values the line between them is given, flagged
    estimated; across a gap nothing is given.
    """

    def __init__(self, folder: Path, feed: Feed, station: Station) -> None:
        path = folder / "series" / feed.file
        self._columns = {a: _read(path, station.key, name) for a, name in feed.columns.items()}
        first = min(int(column.at_us[0]) for column in self._columns.values())
        self._start_us = _us(feed.start_at) if feed.start_at else first
        self._loop_us = round(feed.loop_s * 1_000_000)
        self._shift_us = round(station.shift_h * HOUR_US)
        self._max_gap_us = feed.max_gap_s * 1_000_000

    def sample(self, at_us: Times) -> dict[str, Sampled]:
        then = self._start_us + (at_us + self._shift_us - self._start_us) % self._loop_us
        return {name: self._at(column, then) for name, column in self._columns.items()}

    def _at(self, column: _Column, then: Times) -> Sampled:
        right = np.searchsorted(column.at_us, then, "left").clip(1, len(column.at_us) - 1)
        left = right - 1
        t0, t1 = column.at_us[left], column.at_us[right]
        part = (then - t0) / (t1 - t0)
        number = column.number[left] * (1 - part) + column.number[right] * part
        silent = (then < t0) | (then > t1) | (t1 - t0 > self._max_gap_us)
        exact0, exact1 = then == t0, then == t1
        number[exact0] = column.number[left][exact0]
        number[exact1] = column.number[right][exact1]
        number[silent & ~exact0 & ~exact1] = np.nan
        between = np.maximum(column.quality[left], column.quality[right])
        quality = np.where(between == Quality.BAD, between, np.uint8(Quality.ESTIMATED))
        quality = np.where(exact0, column.quality[left], quality)
        quality = np.where(exact1, column.quality[right], quality)
        return Sampled(np.round(number, 3), quality.astype(np.uint8))


@lru_cache(maxsize=64)
def _read(path: Path, key: str, name: str) -> _Column:
    """One column of a CSV file, read once for all stations that share it.

    Plain CSV instead of Parquet: its reader alone would cost 20 MB of memory.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            (row["at"].removesuffix("Z"), row[name], row.get("quality", ""))
            for row in csv.DictReader(file)
            if row[name] and (not key or row["station"] == key)
        ]
    if not rows:
        raise ValueError(f"{path.name} holds no values of {name!r} for series {key!r}")
    at, number, flag = zip(*rows, strict=True)
    at_us = np.array(at, "datetime64[us]").astype(np.int64)
    order = np.argsort(at_us, kind="stable")
    # A good flag in the record says nothing about our limits, so admit judges the value anew.
    flags = [UNSET if f in {"", str(int(Quality.GOOD))} else int(f) for f in flag]
    return _Column(
        at_us[order], np.array(number, np.float64)[order], np.array(flags, np.uint8)[order]
    )


def _us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)
