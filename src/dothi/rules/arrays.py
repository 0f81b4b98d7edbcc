"""Names of the column types that the engine works on, and arrays that grow with the entities."""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEVER_US = -(2**62)
"""Stands for "not yet" in columns of times (µs since the epoch)."""


class Columns:
    """Columns with one place per entity; reading beyond the end gives the default."""

    def __init__(self, **defaults: float | int) -> None:
        self._defaults = defaults
        self._columns: dict[str, npt.NDArray[Any]] = {}
        self.size = 0
        for name, default in defaults.items():
            kind = np.float64 if isinstance(default, float) else np.int64
            self._columns[name] = np.zeros(0, kind)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self._columns[name]

    def reach(self, count: int) -> None:
        """Make room for so many entities."""
        if count <= self.size:
            return
        size = max(count, 2 * self.size, 64)
        for name, default in self._defaults.items():
            grown = np.full(size, default, self._columns[name].dtype)
            grown[: self.size] = self._columns[name]
            self._columns[name] = grown
        self.size = size

    def clear(self, entity: int) -> None:
        """Nothing is known of the entity any more."""
        if entity < self.size:
            for name, default in self._defaults.items():
                self._columns[name][entity] = default

    def packed(self, entities: Ints) -> dict[str, bytes]:
        """The values of some entities, for `unpack`."""
        return {name: column[entities].tobytes() for name, column in self._columns.items()}

    def unpack(self, entities: Ints, packed: dict[str, bytes]) -> None:
        if len(entities):
            self.reach(int(entities.max()) + 1)
        for name, column in self._columns.items():
            column[entities] = np.frombuffer(packed[name], column.dtype)


def is_among(column: Ints, some: Ints) -> Bools:
    """Which of the numbers (0 and up) are among some."""
    if not len(column) or not len(some):
        return np.zeros(len(column), np.bool_)
    marks = np.zeros(int(max(column.max(), some.max())) + 1, np.bool_)
    marks[some] = True
    found: Bools = marks[column]
    return found


def distinct(column: Ints) -> Ints:
    """The numbers of a sorted column, each once."""
    if not len(column):
        return column
    starts = np.ones(len(column), np.bool_)
    np.not_equal(column[1:], column[:-1], out=starts[1:])
    found: Ints = column[starts]
    return found


def ranges(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Every number of the ranges start..end (end exclusive), and the range each belongs to."""
    counts = np.maximum(ends - starts, 0)
    owner = np.repeat(np.arange(len(starts)), counts)
    before = np.cumsum(counts) - counts
    return np.arange(len(owner)) - before[owner] + starts[owner], owner
