"""Reading the hot log: for consumers, for the history and for sealing."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from dothi.model.row import LOG_SCHEMA
from dothi.ports.entity_states import EARLIER_ROWS
from dothi.ports.history import FORGOTTEN, NO_HINT, HotHint
from dothi.storage.relational.columns import Ints
from dothi.storage.relational.forgotten import read_forgotten
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.hot_index import NO_TIME, HotIndex
from dothi.storage.relational.log_rows import ROW, LogRows, PickedRows

_EARLIER = pa.schema(
    [(f.name, pa.int64() if pa.types.is_timestamp(f.type) else f.type) for f in EARLIER_ROWS]
)

_FEW_ROWS = 500
"""So few rows are joined with their names at once; remembered names pay for more."""
_FEW_FRESH = 100
"""Fewer rows than this are read so although they lie in memory, where they are not columns yet."""
_PLAIN = pa.schema(
    [
        (f.name, f.type if pa.types.is_string(f.type) or f.name == "number" else pa.int64())
        for f in LOG_SCHEMA
    ]
)
_JOINED = """
SELECT 0 AS lane, l.seq, coalesce(s.name_id, '') AS source, coalesce(e.uri, '') AS entity,
    json_extract(e.types, '$[0]') AS entity_type, coalesce(a.name, '') AS attribute,
    coalesce(a.dataset, '') AS dataset, l.observed_us AS observed_at, l.number, l.text, l.body,
    nullif(u.code, '') AS unit, l.quality, l.kind, l.change, coalesce(b.name_id, '') AS batch,
    l.committed_us AS committed_at, l.revision
FROM log l LEFT JOIN source s ON s.id = l.source_id LEFT JOIN entity e ON e.id = l.entity_id
LEFT JOIN attribute a ON a.id = l.attribute_id LEFT JOIN unit u ON u.id = l.unit_id
LEFT JOIN batch b ON b.id = l.batch_id
WHERE l.seq > {after} ORDER BY l.seq LIMIT {limit}
"""


class SqliteLogReader:
    """ports.log.LogReader and ports.history.HotRows on SQLite, lane 0. Any thread."""

    def __init__(self, path: Path, index: HotIndex) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._connection = HotConnection(path, cache_mb=16, pragmas=("query_only=OFF",))
        self._rows = LogRows(self._connection)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def forget_types(self, entity_ids: Iterable[int]) -> None:
        """The writer has committed other types for these entities."""
        self._rows.names["entity"].forget(entity_ids)

    def load_index(self) -> int:
        """Fill the index from the log (at start); gives the number of rows."""
        schema = pa.schema([ROW.field(n) for n in ("seq", "attribute_id", "observed_us")])
        with self._lock:
            gone = self._connection.query(
                "SELECT DISTINCT attribute_id AS id FROM forgotten WHERE from_seq <= up_to_seq"
            )
            self._index.forgotten.update(gone["id"].to_pylist())
            after, count = self._horizon(), 0
            while True:
                rows = self._connection.typed(
                    schema,
                    f"SELECT * FROM log WHERE seq > {after} ORDER BY seq LIMIT 500000",
                )
                if not rows.num_rows:
                    return count
                observed = rows["observed_us"].fill_null(NO_TIME).to_numpy()
                self._index.append(
                    rows["seq"].to_numpy(), rows["attribute_id"].to_numpy(), observed
                )
                after, count = int(rows["seq"][-1].as_py()), count + rows.num_rows

    def read(
        self, after_seq: int, limit: int, lane: int = 0, columns: tuple[str, ...] = ()
    ) -> pa.Table:
        """See ports.log.LogReader."""
        with self._lock:
            count = self._index.fresh.count_after(after_seq)
            if count is not None and count > _FEW_FRESH:
                fresh = self._index.fresh.after(after_seq, limit)
                if fresh is not None:
                    return self._typed(fresh)
            if limit <= _FEW_ROWS or count is not None:
                most = min(limit, _FEW_ROWS)
                rows = self._connection.typed(_PLAIN, _JOINED.format(after=after_seq, limit=most))
                return rows.cast(LOG_SCHEMA)
            return self._rows.where(f"seq > {after_seq} ORDER BY seq LIMIT {limit}", columns)

    def head(self, lane: int = 0) -> int:
        """See ports.log.LogReader."""
        with self._lock:
            top = self._connection.number("SELECT max(seq) FROM log")
            return max(top, self._horizon())

    def tail(self, lane: int = 0) -> int:
        """See ports.log.LogReader."""
        with self._lock:
            return self._horizon() + 1

    def hot(
        self,
        keys: pa.Table | None,
        start_us: int | None,
        end_us: int | None,
        hint: HotHint = NO_HINT,
    ) -> tuple[pa.Table, int, pa.Table]:
        """See ports.history.HotRows."""
        with self._lock:
            # Before the view begins: else rows that are sealed in between would be in neither.
            picked = None if keys is None else self._pick(keys, (start_us, end_us), hint)
            self._connection.run("BEGIN")
            try:
                horizon = self._horizon()
                when = "coalesce(observed_us, committed_us)"
                where = [f"seq > {horizon}"]
                where += [f"{when} >= {start_us}"] if start_us is not None else []
                where += [f"{when} < {end_us}"] if end_us is not None else []
                condition = " AND ".join(where)
                if picked is None:
                    rows = self._rows.where(f"{condition} ORDER BY seq")
                    return rows, horizon, FORGOTTEN.empty_table()
                rows = self._rows.of_seqs(picked.after(horizon), condition, hint.columns)
                gone = read_forgotten(self._connection, self._rows.names, picked.forgotten)
                return rows, horizon, gone
            finally:
                self._connection.run("COMMIT")

    def _pick(
        self, keys: pa.Table, span: tuple[int | None, int | None], hint: HotHint
    ) -> PickedRows:
        """Rows of the series within the span, by the index."""
        series = self._series(keys)
        ids = series["attribute_id"]
        gone = [i for i in ids.tolist() if i in self._index.forgotten]
        # Of what is forgotten nobody knows how many keys it takes away.
        ends = (None, None) if gone else (hint.first_n, hint.last_n)
        seqs, observed = self._index.select(ids, span, ends)
        lone = {n: int(of[0]) for n, of in series.items()} if len(ids) == 1 else {}
        return PickedRows(seqs, observed, lone, gone)

    def rows_before(self, places: Sequence[tuple[int, int]]) -> pa.Table:
        """See ports.entity_states.EarlierRows."""
        with self._lock:
            found = {self._index.last_before(series, seq) for series, seq in places} - {0}
            if not found:
                return EARLIER_ROWS.empty_table()
            rows = self._connection.typed(
                _EARLIER,
                "SELECT l.seq, l.attribute_id AS series, l.observed_us AS observed_at, l.number, "
                "l.text, l.body, nullif(u.code, '') AS unit, l.kind, l.change, "
                "l.committed_us AS committed_at FROM log l LEFT JOIN unit u ON u.id = l.unit_id "
                f"WHERE l.seq IN ({', '.join(map(str, sorted(found)))}) ORDER BY l.seq",
            )
        return rows.cast(EARLIER_ROWS)

    def _series(self, keys: pa.Table) -> dict[str, Ints]:
        """attribute_id and entity_id of those of the keys that are there."""
        texts = keys.select(["entity", "attribute", "dataset"])
        found = self._connection.ask(
            "SELECT a.id AS attribute_id, e.id AS entity_id FROM entity e JOIN attribute a "
            "ON a.entity_id = e.id AND a.name = ?2 AND a.dataset = ?3 WHERE e.uri = ?1",
            texts.cast(pa.schema([(n, pa.string()) for n in texts.column_names])),
        )
        return {name: found[name].cast(pa.int64()).to_numpy() for name in found.column_names}

    def _typed(self, fresh: pa.Table) -> pa.Table:
        """Rows that lay in memory, with the types of their entities."""
        _, types = self._rows.names["entity"].of(fresh["entity_id"])
        columns = [types if f.name == "entity_type" else fresh[f.name] for f in LOG_SCHEMA]
        return pa.table(columns, schema=LOG_SCHEMA)

    def _horizon(self) -> int:
        return self._connection.number("SELECT value FROM watermark WHERE name = 'sealed' LIMIT 1")
