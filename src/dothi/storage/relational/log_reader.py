"""Reading the hot log: for consumers, for the history and for sealing."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import LOG_SCHEMA
from dothi.ports.entity_states import EARLIER_ROWS
from dothi.ports.history import FORGOTTEN, NO_HINT, HotHint
from dothi.storage.relational.columns import Ints
from dothi.storage.relational.forgotten import read_forgotten
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.hot_index import NO_TIME, HotIndex
from dothi.storage.relational.log_names import LogNames

_ROW = pa.schema(
    [
        ("seq", pa.int64()),
        ("attribute_id", pa.int64()),
        ("entity_id", pa.int64()),
        ("observed_us", pa.int64()),
        ("number", pa.float64()),
        ("text", pa.string()),
        ("body", pa.string()),
        ("unit_id", pa.int64()),
        ("quality", pa.int64()),
        ("source_id", pa.int64()),
        ("batch_id", pa.int64()),
        ("committed_us", pa.int64()),
        ("change", pa.int64()),
        ("revision", pa.int64()),
        ("kind", pa.int64()),
    ]
)
_COSTLY = {
    "source_id": "source",
    "unit_id": "unit",
    "batch_id": "batch",
    "text": "text",
    "body": "body",
    "kind": "kind",
}
"""Columns of the log that a question may do without, and what they become."""
_ABSENT = {
    "text": pa.scalar(None, pa.string()),
    "body": pa.scalar(None, pa.string()),
    "kind": pa.scalar(1, pa.int64()),
}
"""What stands in columns that were not read."""
_LISTED_ROWS = 50_000
"""So many numbers are written into the question, which takes less than to put them into a table."""
_NAMES = {
    "attribute": "id, name AS first, dataset AS second FROM attribute",
    "entity": "id, uri AS first, json_extract(types, '$[0]') AS second FROM entity",
    "source": "id, name_id AS first, NULL AS second FROM source",
    "unit": "id, code AS first, NULL AS second FROM unit",
    "batch": "id, name_id AS first, NULL AS second FROM batch",
}

_EARLIER = pa.schema(
    [(f.name, pa.int64() if pa.types.is_timestamp(f.type) else f.type) for f in EARLIER_ROWS]
)

_FEW_ROWS = 500
"""So few rows are joined with their names at once; remembered names pay for more."""
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
        self._connection.run("CREATE TEMP TABLE wanted (id INTEGER PRIMARY KEY)")
        self._names = {t: LogNames(self._connection, select) for t, select in _NAMES.items()}

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def forget_types(self, entity_ids: Iterable[int]) -> None:
        """The writer has committed other types for these entities."""
        self._names["entity"].forget(entity_ids)

    def load_index(self) -> int:
        """Fill the index from the log (at start); gives the number of rows."""
        schema = pa.schema([_ROW.field(n) for n in ("seq", "attribute_id", "observed_us")])
        with self._lock:
            gone = self._connection.query("SELECT DISTINCT attribute_id AS id FROM forgotten")
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
            fresh = self._index.fresh.after(after_seq, limit)
            if fresh is not None:
                return self._typed(fresh)
            if limit <= _FEW_ROWS:
                rows = self._connection.typed(_PLAIN, _JOINED.format(after=after_seq, limit=limit))
                return rows.cast(LOG_SCHEMA)
            names = ", ".join(name for name in _ROW.names if _is_needed(name, columns))
            return self._rows(
                f"SELECT {names} FROM log WHERE seq > {after_seq} ORDER BY seq LIMIT {limit}",
                columns,
            )

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
            self._connection.run("BEGIN")
            try:
                horizon = self._horizon()
                when = "coalesce(observed_us, committed_us)"
                where = [f"seq > {horizon}"]
                where += [f"{when} >= {start_us}"] if start_us is not None else []
                where += [f"{when} < {end_us}"] if end_us is not None else []
                condition = " AND ".join(where)
                if keys is None:
                    sql = f"SELECT * FROM log WHERE {condition} ORDER BY seq"
                    return self._rows(sql), horizon, FORGOTTEN.empty_table()
                series = self._attribute_ids(keys)
                gone = [i for i in series.tolist() if i in self._index.forgotten]
                # Of what is forgotten nobody knows how many keys it takes away.
                ends = (None, None) if gone else (hint.first_n, hint.last_n)
                seqs = self._index.select(series, (start_us, end_us), ends)
                rows = self._of_seqs(seqs[seqs > horizon], condition, hint.columns)
                return rows, horizon, read_forgotten(self._connection, self._names, gone)
            finally:
                self._connection.run("COMMIT")

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

    def _of_seqs(self, seqs: Ints, condition: str, columns: tuple[str, ...]) -> pa.Table:
        """Rows with these numbers that meet the condition."""
        if not len(seqs):
            return LOG_SCHEMA.empty_table()
        if seqs[-1] - seqs[0] == len(seqs) - 1:
            picked = f"seq BETWEEN {seqs[0]} AND {seqs[-1]}"
        elif len(seqs) <= _LISTED_ROWS:
            picked = f"seq IN ({','.join(map(str, seqs.tolist()))})"
        else:
            self._want(seqs)
            picked = "seq IN (SELECT id FROM temp.wanted)"
        names = ", ".join(name for name in _ROW.names if _is_needed(name, columns))
        return self._rows(
            f"SELECT {names} FROM log WHERE ({picked}) AND {condition} ORDER BY seq", columns
        )

    def _attribute_ids(self, keys: pa.Table) -> Ints:
        self._connection.run(
            "CREATE TEMP TABLE IF NOT EXISTS wanted_key (entity TEXT, name TEXT, dataset TEXT)"
        )
        self._connection.run("DELETE FROM temp.wanted_key")
        texts = keys.select(["entity", "attribute", "dataset"])
        self._connection.run(
            "INSERT INTO temp.wanted_key VALUES (?, ?, ?)",
            texts.cast(pa.schema([(n, pa.string()) for n in texts.column_names])),
        )
        ids: Ints = self._connection.typed(
            pa.schema([("id", pa.int64())]),
            "SELECT a.id FROM temp.wanted_key k JOIN entity e ON e.uri = k.entity "
            "JOIN attribute a ON a.entity_id = e.id AND a.name = k.name AND a.dataset = k.dataset",
        )["id"].to_numpy()
        return ids

    def _horizon(self) -> int:
        return self._connection.number("SELECT value FROM watermark WHERE name = 'sealed' LIMIT 1")

    def _want(self, ids: Ints) -> None:
        self._connection.run("DELETE FROM temp.wanted")
        self._connection.run("INSERT INTO temp.wanted VALUES (?)", pa.table({"id": ids}))

    def _typed(self, fresh: pa.Table) -> pa.Table:
        """Rows that lay in memory, with the types of their entities."""
        _, types = self._names["entity"].of(fresh["entity_id"])
        columns = [types if f.name == "entity_type" else fresh[f.name] for f in LOG_SCHEMA]
        return pa.table(columns, schema=LOG_SCHEMA)

    def _rows(self, sql: str, needed: tuple[str, ...] = ()) -> pa.Table:
        """Log rows with their numbers replaced by names: LOG_SCHEMA.

        Args:
            needed: columns of LOG_SCHEMA; others that cost something are null or empty.
        """
        schema = pa.schema([field for field in _ROW if _is_needed(field.name, needed)])
        rows = self._connection.typed(schema, sql)
        count = rows.num_rows
        if not count:
            return LOG_SCHEMA.empty_table()
        attribute, dataset = self._names["attribute"].of(rows["attribute_id"])
        entity, entity_type = self._names["entity"].of(rows["entity_id"])
        columns = {
            "lane": pa.repeat(pa.scalar(0, pa.int32()), count),
            "entity": entity,
            "entity_type": entity_type,
            "attribute": attribute,
            "dataset": dataset.fill_null(""),
            "observed_at": rows["observed_us"],
            "committed_at": rows["committed_us"],
        }
        for name in ("source", "unit", "batch"):
            if f"{name}_id" in schema.names:
                columns[name] = self._names[name].of(rows[f"{name}_id"])[0]
            else:
                columns[name] = pa.repeat(pa.scalar("", pa.string()), count)
        columns["unit"] = _null_where_empty(columns["unit"])
        for name in ("seq", "number", "quality", "change", "revision"):
            columns[name] = rows[name]
        for name, absent in _ABSENT.items():
            columns[name] = rows[name] if name in schema.names else pa.repeat(absent, count)
        return pa.table([columns[f.name].cast(f.type) for f in LOG_SCHEMA], schema=LOG_SCHEMA)


def _is_needed(name: str, columns: tuple[str, ...]) -> bool:
    """Whether a column of the log is read for a question that needs these of LOG_SCHEMA."""
    return not columns or name not in _COSTLY or _COSTLY[name] in columns


def _null_where_empty(texts: pa.Array) -> pa.Array:
    # A plain None would make Arrow look for pandas each time.
    empty = pc.equal(texts, pa.scalar("", pa.string()))
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts)
