"""Finds the stored twins of rows that arrive late: first in the hot log, then in the lake."""

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from dothi.model.row import Change
from dothi.ports.history import SealedKeys
from dothi.storage.relational.columns import NO_TIME, Ints, times
from dothi.storage.relational.forgotten import FORGOTTEN_SPANS
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.numbered import Mask, Numbered
from dothi.storage.relational.series_registry import UNKNOWN, Registry
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
_NO_QUALITY = -1
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

    def judge(self, numbered: Numbered) -> Verdict:
        """Tell duplicates and corrections among rows."""
        rows = numbered.rows
        new = Values(
            numbered.series,
            numbered.observed,
            rows["number"].to_numpy(),
            rows["text"].combine_chunks(),
            rows["body"].combine_chunks(),
            rows["quality"].to_numpy().astype(np.int64),
            np.zeros(rows.num_rows, np.int64),
        )
        # An assignment decides what is current, so it is recorded even when it repeats a value.
        decides = rows["change"].to_numpy() == Change.ASSIGN
        return judge(new, self.stored(numbered), decides)

    def stored(self, numbered: Numbered) -> Values:
        """Values in force of keys that are stored already, of all rows that may have a twin.

        A row later than everything in its series has none, so most batches look nothing up.
        """
        rows, attribute, observed = numbered.rows, numbered.series, numbered.observed
        late = (observed != NO_TIME) & (observed <= self._registry.newest[attribute])
        if not late.any():
            return EMPTY
        counted = late & self._corrects_newest(numbered, late)
        late &= ~counted
        known = self._counted(attribute[counted], observed[counted])
        if not late.any():
            return known
        found = self._looked_up(rows, attribute, observed, late)
        return _join(known, found) if len(known) else found

    def _corrects_newest(self, numbered: Numbered, late: Mask) -> Mask:
        """Which late rows assign a value anew under the latest time of their series.

        An assignment is recorded whatever value stood there, so that only the number of its
        corrections must be known, and that is at hand.
        """
        attribute = numbered.series
        is_newest = numbered.observed == self._registry.newest[attribute]
        counted: Mask = late & is_newest & (self._registry.revision[attribute] != UNKNOWN)
        counted &= numbered.rows["change"].to_numpy() == Change.ASSIGN
        others = late & ~counted
        if others.any() and counted.any():
            counted &= ~np.isin(attribute, attribute[others])
        return counted

    def _counted(self, attribute: Ints, observed: Ints) -> Values:
        """Stand-ins for stored values of which only the revision matters; they equal nothing."""
        if not len(attribute):
            return EMPTY
        attribute, first = np.unique(attribute, return_index=True)
        none = pa.nulls(len(attribute), pa.string())
        nan = np.full(len(attribute), np.nan)
        quality = np.full(len(attribute), _NO_QUALITY)
        revision = self._registry.revision[attribute]
        return Values(attribute, observed[first], nan, none, none, quality, revision)

    def _looked_up(self, rows: pa.Table, attribute: Ints, observed: Ints, late: Mask) -> Values:
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
        return replace(values, quality=np.where(gone, _NO_QUALITY, values.quality))

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
