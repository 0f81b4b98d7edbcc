"""Finds the stored twins of rows that arrive late: first in the hot log, then in the lake."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from dothi.ports.history import SealedKeys
from dothi.storage.relational.columns import NO_TIME, Ints, times
from dothi.storage.relational.forgotten import FORGOTTEN_SPANS
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.series_registry import Registry
from dothi.storage.relational.twins import EMPTY, Values, Verdict, judge

_STORED = pa.schema(
    [
        ("attribute_id", pa.int64()),
        ("observed_us", pa.int64()),
        ("number", pa.float64()),
        ("text", pa.string()),
        ("body", pa.string()),
        ("quality", pa.int64()),
        ("revision", pa.int64()),
        ("seq", pa.int64()),
    ]
)
_FORGOTTEN_QUALITY = -1
"""Equals no quality, so that nothing is a duplicate of a value that is forgotten: what comes again
is stored again, as a correction of it."""


class TwinLookup:
    """Used by the writer only."""

    def __init__(
        self,
        connection: HotConnection,
        registry: Registry,
        index: HotIndex,
        sealed: SealedKeys | None,
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._index = index
        self._sealed = sealed
        connection.run("CREATE TEMP TABLE wanted_seq (seq INTEGER PRIMARY KEY)")

    def judge(self, rows: pa.Table, attribute: Ints) -> Verdict:
        """Tell duplicates and corrections among rows of these series."""
        observed = times(rows["observed_at"])
        new = Values(
            attribute,
            observed,
            rows["number"].to_numpy(),
            rows["text"].combine_chunks(),
            rows["body"].combine_chunks(),
            rows["quality"].cast(pa.int64()).to_numpy(),
            np.zeros(rows.num_rows, np.int64),
        )
        return judge(new, self.stored(rows, attribute, observed))

    def stored(self, rows: pa.Table, attribute: Ints, observed: Ints) -> Values:
        """Values in force of keys that are stored already, of all rows that may have a twin.

        A row later than everything in its series has none, so most batches look nothing up.
        """
        late = (observed != NO_TIME) & (observed <= self._registry.newest[attribute])
        if not late.any():
            return EMPTY
        hot = self._hot(attribute[late], observed[late])
        if self._sealed is None:
            return hot
        found = _keys(hot.attribute, hot.observed)
        left = np.flatnonzero(late)
        left = left[
            [
                k not in found
                for k in zip(attribute[left].tolist(), observed[left].tolist(), strict=True)
            ]
        ]
        if not len(left):
            return hot
        return _join(hot, self._lake(self._sealed, rows, attribute, observed, left))

    def _hot(self, attribute: Ints, observed: Ints) -> Values:
        seqs = self._index.rows_of_keys(attribute, observed)
        if not len(seqs):
            return EMPTY
        self._connection.run("DELETE FROM temp.wanted_seq")
        self._connection.run("INSERT INTO temp.wanted_seq VALUES (?)", pa.table({"seq": seqs}))
        rows = self._connection.typed(
            _STORED,
            "SELECT l.* FROM temp.wanted_seq w CROSS JOIN log l ON l.seq = w.seq ORDER BY w.seq",
        )
        values = Values(
            rows["attribute_id"].to_numpy(),
            times(rows["observed_us"]),
            rows["number"].to_numpy(),
            rows["text"],
            rows["body"],
            rows["quality"].to_numpy(),
            rows["revision"].to_numpy(),
        )
        return _in_force(self._marked(values, rows["seq"].to_numpy()))

    def _marked(self, values: Values, seq: Ints) -> Values:
        """The values with those that are forgotten told apart by their quality."""
        concerned = [i for i in set(values.attribute.tolist()) if i in self._index.forgotten]
        if not concerned:
            return values
        gone = np.zeros(len(seq), np.bool_)
        found = self._connection.typed(
            FORGOTTEN_SPANS,
            f"SELECT * FROM forgotten WHERE attribute_id IN ({', '.join(map(str, concerned))})",
        )
        for series, first, last, at in zip(*(c.to_pylist() for c in found.columns), strict=True):
            of_span = (values.attribute == series) & (seq >= first) & (seq <= last)
            gone |= of_span if at is None else of_span & (values.observed == at)
        return replace(values, quality=np.where(gone, _FORGOTTEN_QUALITY, values.quality))

    def _lake(
        self, sealed: SealedKeys, rows: pa.Table, attribute: Ints, observed: Ints, at: Ints
    ) -> Values:
        chosen = rows.take(pa.array(at))
        names = {n: chosen[n].cast(pa.string()) for n in ("entity", "attribute", "dataset")}
        keys = pa.table(names | {"observed_at": chosen["observed_at"]})
        found = sealed.find_keys(keys)
        ids = {
            key: id_
            for key, id_ in zip(
                zip(*(names[n].to_pylist() for n in names), strict=True),
                attribute[at].tolist(),
                strict=True,
            )
        }
        found_names = zip(*(found[n].to_pylist() for n in names), strict=True)
        values = Values(
            np.array([ids[key] for key in found_names], np.int64),
            times(found["observed_at"]),
            found["number"].to_numpy(),
            found["text"],
            found["body"],
            found["quality"].cast(pa.int64()).to_numpy(),
            found["revision"].cast(pa.int64()).to_numpy(),
        )
        return self._marked(values, found["seq"].to_numpy())


def _in_force(values: Values) -> Values:
    """The highest revision of each key."""
    order = np.lexsort((values.revision, values.observed, values.attribute))
    last = np.append(
        (np.diff(values.attribute[order]) != 0) | (np.diff(values.observed[order]) != 0), True
    )
    return _take(values, order[last])


def _take(values: Values, at: Ints) -> Values:
    where = pa.array(at)
    return Values(
        values.attribute[at],
        values.observed[at],
        values.number[at],
        values.text.take(where),
        values.body.take(where),
        values.quality[at],
        values.revision[at],
    )


def _join(first: Values, second: Values) -> Values:
    def both(name: str) -> Ints:
        joined: Ints = np.concatenate([getattr(first, name), getattr(second, name)])
        return joined

    def texts(name: str) -> pa.ChunkedArray:
        parts = [getattr(v, name) for v in (first, second)]
        chunks = [c for p in parts for c in (p.chunks if isinstance(p, pa.ChunkedArray) else [p])]
        return pa.chunked_array(chunks, pa.string())

    return Values(
        both("attribute"),
        both("observed"),
        np.concatenate([first.number, second.number]),
        texts("text"),
        texts("body"),
        both("quality"),
        both("revision"),
    )


def _keys(attribute: Ints, observed: Ints) -> set[tuple[int, int]]:
    return set(zip(attribute.tolist(), observed.tolist(), strict=True))
