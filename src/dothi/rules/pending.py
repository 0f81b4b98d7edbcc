"""What was known when a change was decided: enough to tell of it when it takes place, or never."""

import msgspec
import numpy as np

from dothi.rules.explanation import MAX_POINTS, Source
from dothi.rules.samples import Points


class Seen(msgspec.Struct, array_like=True, frozen=True):
    """A figure and the limit that it was held against."""

    us: int
    value: float
    is_usable: bool
    seq: int
    was_on: bool
    limit: float | None
    source: Source | None
    unit: str
    other: float | None = None
    points: tuple[bytes, bytes, bytes] | None = None
    """Windows: time, value and seq of what was in it, as columns of eight bytes."""


class Pending(msgspec.Struct, array_like=True, frozen=True):
    """A change that was decided."""

    state: bool
    """What the pair becomes."""
    decided_us: int
    evaluated_us: int
    seen: tuple[Seen, ...]
    """Of each leaf of the rule."""


def kept(points: Points | None) -> tuple[bytes, bytes, bytes] | None:
    """Values of a window, apart from the run that they were found in."""
    if points is None or len(points.us) > MAX_POINTS:
        return None
    return points.us.tobytes(), points.value.tobytes(), points.seq.tobytes()


def listed(points: tuple[bytes, bytes, bytes] | None) -> list[tuple[int, float, int]]:
    """Time (µs), value and seq of each."""
    if points is None:
        return []
    us, value, seq = points
    columns = (np.frombuffer(us, np.int64), np.frombuffer(value), np.frombuffer(seq, np.int64))
    return list(zip(*(column.tolist() for column in columns), strict=True))
