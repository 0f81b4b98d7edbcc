"""Names behind the numbers of log rows, remembered from one read to the next.

Looking up two thousand series in the tables takes three times as long as reading their rows.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from dothi.storage.relational.columns import Ints
from dothi.storage.relational.hot_connection import HotConnection

_MOST = 500_000
"""Names of one table in memory; beyond, they are forgotten and looked up again."""
_FOUND = pa.schema([("id", pa.int64()), ("first", pa.string()), ("second", pa.string())])
_ABSENT = ("", None)

Names = tuple[str, str | None]


class LogNames:
    """The names of one table by its numbers: one text of a row, and a second one.

    Used by one reader at a time; `forget` may be called from any thread.
    """

    def __init__(self, connection: HotConnection, select: str) -> None:
        """`select`: columns and table, `id, name AS first, dataset AS second FROM attribute`."""
        self._connection = connection
        self._select = select
        self._known: dict[int, Names] = {}
        self._generation = 0
        connection.run("CREATE TEMP TABLE IF NOT EXISTS wanted_name (id INTEGER PRIMARY KEY)")

    def forget(self, ids: Iterable[int]) -> None:
        """These names are others now. Called after the commit that changed them."""
        self._generation += 1
        for id_ in ids:
            self._known.pop(id_, None)

    def of(self, ids: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
        """Both texts of each row; an empty and no text where there is no such number."""
        numbers: Ints = ids.fill_null(0).to_numpy()
        is_one = bool(len(numbers)) and bool((numbers == numbers[0]).all())
        distinct, at = (
            (numbers[:1], numbers[:0]) if is_one else np.unique(numbers, return_inverse=True)
        )
        wanted: list[int] = distinct.tolist()
        known = {i: self._known[i] for i in wanted if i in self._known}
        if len(known) < len(wanted):
            known |= self._look_up([i for i in wanted if i not in known])
        pairs = [known.get(i, _ABSENT) for i in wanted]
        if is_one:
            return tuple(pa.repeat(pa.scalar(t, pa.string()), len(numbers)) for t in pairs[0])
        where = pa.array(at)
        return tuple(pa.array([pair[n] for pair in pairs], pa.string()).take(where) for n in (0, 1))

    def _look_up(self, ids: list[int]) -> dict[int, Names]:
        generation = self._generation
        self._connection.run("DELETE FROM temp.wanted_name")
        self._connection.run(
            "INSERT INTO temp.wanted_name VALUES (?)", pa.table({"id": pa.array(ids, pa.int64())})
        )
        rows = self._connection.typed(
            _FOUND, f"SELECT {self._select} WHERE id IN (SELECT id FROM temp.wanted_name)"
        )
        numbers, firsts, seconds = (column.to_pylist() for column in rows.columns)
        found = dict(zip(numbers, zip(firsts, seconds, strict=True), strict=True))
        # What changed while we looked is not remembered: we may have seen it as it was.
        if generation == self._generation:
            if len(self._known) + len(found) > _MOST:
                self._known.clear()
            self._known.update(found)
        return found
