"""Rows of the hot log as columns, with the names behind their numbers."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import LOG_SCHEMA
from dothi.storage.relational.columns import Ints
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.hot_index import NO_TIME
from dothi.storage.relational.log_names import LogNames

ROW = pa.schema(
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
}
"""Columns of the log that a question may do without, and what they become."""
_PACKED = {"quality": 0, "change": 8, "revision": 16, "kind": 24}
"""Small numbers are read as one, each at its bit: every column that the driver makes costs a tenth
of a microsecond a row, as much as to find the row."""
_HAS_TEXT = 32
"""Bit that says whether the row has a text or a body."""
_PACKED_SQL = " | ".join(
    [
        *(f"({name} << {bit})" for name, bit in _PACKED.items()),
        f"((text IS NOT NULL OR body IS NOT NULL) << {_HAS_TEXT})",
    ]
)
_TEXTS = ("text", "body")
_LISTED_ROWS = 50_000
"""So many numbers are written into the question, which takes less than to put them into a table."""
_NAMES = {
    "attribute": "id, name AS first, dataset AS second FROM attribute",
    "entity": "id, uri AS first, json_extract(types, '$[0]') AS second FROM entity",
    "source": "id, name_id AS first, NULL AS second FROM source",
    "unit": "id, code AS first, NULL AS second FROM unit",
    "batch": "id, name_id AS first, NULL AS second FROM batch",
}


class PickedRows(NamedTuple):
    """Rows of some series."""

    seqs: Ints
    """Rising."""
    observed: Ints
    """NO_TIME where a row has none."""
    lone: Mapping[str, int]
    """attribute_id and entity_id where all are of one series, else empty."""
    forgotten: Sequence[int]
    """Series of which something is forgotten."""

    def after(self, seq: int) -> "PickedRows":
        first = int(np.searchsorted(self.seqs, seq, side="right"))
        return self._replace(seqs=self.seqs[first:], observed=self.observed[first:])


class LogRows:
    """Used by one reader at a time."""

    def __init__(self, connection: HotConnection) -> None:
        self._connection = connection
        connection.run("CREATE TEMP TABLE wanted (id INTEGER PRIMARY KEY)")
        self.names = {t: LogNames(connection, select) for t, select in _NAMES.items()}

    def of_seqs(self, rows: PickedRows, condition: str, columns: tuple[str, ...]) -> pa.Table:
        """Those of the rows that meet the condition; `columns`: see `where`."""
        seqs = rows.seqs
        if not len(seqs):
            return LOG_SCHEMA.empty_table()
        if seqs[-1] - seqs[0] == len(seqs) - 1:
            picked = f"seq BETWEEN {seqs[0]} AND {seqs[-1]}"
        elif len(seqs) <= _LISTED_ROWS:
            picked = f"seq IN ({','.join(map(str, seqs.tolist()))})"
        else:
            self._want(seqs)
            picked = "seq IN (SELECT id FROM temp.wanted)"
        if rows.lone and columns and "committed_at" not in columns:
            found = self._numbers(rows, picked)
            if found is not None:
                return found
        return self.where(f"({picked}) AND {condition} ORDER BY seq", columns, rows.lone)

    def _numbers(self, rows: PickedRows, picked: str) -> pa.Table | None:
        """LOG_SCHEMA of rows of one series that are numbers alike in all else, so that only the
        numbers need be read; None: they are not. committed_at is that of the observation."""
        if (rows.observed == NO_TIME).any():
            return None
        names = ", ".join(_PACKED)
        first = self._connection.query(f"SELECT {names} FROM log WHERE seq = {rows.seqs[0]}")
        if not first.num_rows:
            return None
        same = {name: int(first[name][0].as_py()) for name in _PACKED}
        alike = " AND ".join(f"{name} = {value}" for name, value in same.items())
        found = self._connection.query(
            f"SELECT number FROM log WHERE ({picked}) AND {alike} AND number IS NOT NULL "
            "AND text IS NULL AND body IS NULL ORDER BY seq"
        )
        count = len(rows.seqs)
        if found.num_rows < count:
            return None
        held = {n: _repeated(value, count) for n, value in (*rows.lone.items(), *same.items())}
        at = pa.array(rows.observed)
        held |= {"seq": pa.array(rows.seqs), "number": found["number"]}
        held |= {"observed_us": at, "committed_us": at}
        return self._named(held, count)

    def _want(self, ids: Ints) -> None:
        self._connection.run("DELETE FROM temp.wanted")
        self._connection.run("INSERT INTO temp.wanted VALUES (?)", pa.table({"id": ids}))

    def where(
        self, condition: str, needed: tuple[str, ...] = (), same: Mapping[str, int] | None = None
    ) -> pa.Table:
        """Log rows with their numbers replaced by names: LOG_SCHEMA.

        Args:
            condition: which rows of the log; their order stands behind it.
            needed: columns of LOG_SCHEMA; others that cost something are null or empty.
            same: columns of the log that are known to hold the same in all rows.
        """
        same = same or {}
        apart = {*same, *_PACKED, *(_TEXTS if needed else ())}
        read = [f for f in ROW if f.name not in apart and _is_needed(f.name, needed)]
        names = ", ".join(field.name for field in read)
        packed = pa.field("packed", pa.int64())
        rows = self._connection.typed(
            pa.schema([*read, packed]),
            f"SELECT {names}, {_PACKED_SQL} AS packed FROM log WHERE {condition}",
        )
        count = rows.num_rows
        if not count:
            return LOG_SCHEMA.empty_table()
        held = {field.name: rows[field.name] for field in read}
        held |= {name: _repeated(value, count) for name, value in same.items()}
        bits = rows["packed"].to_numpy()
        held |= {name: pa.array(bits >> bit & 0xFF) for name, bit in _PACKED.items()}
        if needed:
            held |= self._texts(held["seq"], bits, [n for n in _TEXTS if n in needed])
        return self._named(held, count)

    def _texts(self, seqs: pa.ChunkedArray, bits: Ints, needed: list[str]) -> dict[str, pa.Array]:
        """Texts and bodies of rows, of which most have none."""
        having = np.flatnonzero(bits >> _HAS_TEXT & 1)
        if not needed or not len(having):
            return {}
        at = seqs.to_numpy()
        self._want(at[having])
        found = self._connection.typed(
            pa.schema([ROW.field(name) for name in ("seq", *needed)]),
            f"SELECT seq, {', '.join(needed)} FROM log "
            "WHERE seq IN (SELECT id FROM temp.wanted) ORDER BY seq",
        )
        places = np.zeros(len(at), np.int64)
        places[having] = np.arange(len(having))
        where = pa.array(places, mask=bits >> _HAS_TEXT & 1 == 0)
        return {name: found[name].take(where) for name in needed}

    def _named(self, held: Mapping[str, pa.ChunkedArray], count: int) -> pa.Table:
        """LOG_SCHEMA of columns of the log; what is not among them is null or empty."""
        attribute, dataset = self.names["attribute"].of(held["attribute_id"])
        entity, entity_type = self.names["entity"].of(held["entity_id"])
        columns = {
            "lane": pa.repeat(pa.scalar(0, pa.int32()), count),
            "entity": entity,
            "entity_type": entity_type,
            "attribute": attribute,
            "dataset": dataset.fill_null(""),
            "observed_at": held["observed_us"],
            "committed_at": held["committed_us"],
        }
        for name in ("source", "unit", "batch"):
            if f"{name}_id" in held:
                columns[name] = self.names[name].of(held[f"{name}_id"])[0]
            elif name != "unit":
                columns[name] = pa.repeat(pa.scalar("", pa.string()), count)
        if "unit" in columns:
            columns["unit"] = _null_where_empty(columns["unit"])
        else:
            columns["unit"] = pa.nulls(count, pa.string())
        for name in ("seq", "number", *_PACKED):
            columns[name] = held[name]
        for name in _TEXTS:
            columns[name] = held[name] if name in held else pa.nulls(count, pa.string())
        return pa.table([columns[f.name].cast(f.type) for f in LOG_SCHEMA], schema=LOG_SCHEMA)


def _is_needed(name: str, columns: tuple[str, ...]) -> bool:
    """Whether a column of the log is read for a question that needs these of LOG_SCHEMA."""
    return not columns or name not in _COSTLY or _COSTLY[name] in columns


def _null_where_empty(texts: pa.Array) -> pa.Array:
    # A plain None would make Arrow look for pandas each time.
    empty = pc.equal(texts, pa.scalar("", pa.string()))
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts)


def _repeated(value: int, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.int64()), count)
