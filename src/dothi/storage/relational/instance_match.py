"""Conditions on instances of the past, decided by the same SQL as those on the current state.

The instances are put into tables of a database in memory that look like those of the current
state, with the one difference that an attribute has many rows there.
"""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, Table, create_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex

from dothi.model.condition import Condition
from dothi.ports.entity_query import EntitySearch
from dothi.ports.evolution import EvolutionHead
from dothi.storage.relational import adbc_dialect, schema
from dothi.storage.relational.adbc_dialect import Connection
from dothi.storage.relational.entity_query import SqliteEntities

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLES: tuple[Table, ...] = (schema.entity, schema.entity_type, schema.attribute)
_ANYWHERE = {"min_lon": -180.0, "min_lat": -90.0, "max_lon": 180.0, "max_lat": 90.0}


class InstanceMatch:
    """Any thread: each has a database of its own."""

    def __init__(self) -> None:
        self._local = threading.local()

    def matching(
        self, condition: Condition, heads: Sequence[EvolutionHead], rows: pa.Table
    ) -> set[str]:
        """See ports.evolution.Evolutions."""
        engine = self._engine()
        pooled = engine.raw_connection()
        try:
            connection = pooled.driver_connection
            assert isinstance(connection, Connection)
            _run(connection, "BEGIN")
            for name, table in _filled(heads, rows).items():
                _run(connection, f"DELETE FROM {name}")
                columns = ", ".join(table.column_names)
                places = ", ".join("?" * table.num_columns)
                _run(connection, f"INSERT INTO {name} ({columns}) VALUES ({places})", table)
            _run(connection, "COMMIT")
        finally:
            pooled.close()
        return set(SqliteEntities(engine).find(EntitySearch(condition=condition, limit=None)))

    def _engine(self) -> Engine:
        engine: Engine | None = getattr(self._local, "engine", None)
        if engine is None:
            engine = create_engine(f"{adbc_dialect.URL_SCHEME}:///:memory:", poolclass=StaticPool)
            pooled = engine.raw_connection()
            connection = pooled.driver_connection
            assert isinstance(connection, Connection)
            for table in _TABLES:
                columns = ", ".join(_column(c.name) for c in table.columns)
                _run(connection, f"CREATE TABLE {table.name} ({columns})")
                # Some questions name the index that they use.
                for index in table.indexes:
                    _run(connection, str(CreateIndex(index).compile(dialect=engine.dialect)))
            _run(connection, "CREATE INDEX of_entity ON attribute (entity_id, name)")
            _run(connection, "CREATE INDEX by_type ON entity_type (type, entity_id)")
            pooled.close()
            self._local.engine = engine
        return engine


def _column(name: str) -> str:
    return "id INTEGER PRIMARY KEY" if name == "id" else name


def _run(connection: Connection, sql: str, rows: pa.Table | None = None) -> None:
    if rows is None or rows.num_rows:
        with connection.statement() as statement:
            statement.executemany(sql, rows)


def _filled(heads: Sequence[EvolutionHead], rows: pa.Table) -> dict[str, pa.Table]:
    # Numbers begin at 1, as those of the tables do: pages begin behind 0.
    ids = pa.array(range(1, len(heads) + 1), pa.int64())
    entity = {
        "id": ids,
        "uri": pa.array([head.id for head in heads], pa.string()),
        "types": pa.array([msgspec.json.encode(h.types).decode() for h in heads], pa.string()),
        "scope": pa.repeat(pa.scalar("[]"), len(heads)),
        "created_us": pa.array([_us(head.created_at) for head in heads], pa.int64()),
        "modified_us": pa.array([_us(head.modified_at) for head in heads], pa.int64()),
    }
    entity |= {n: pa.repeat(pa.scalar(edge), len(heads)) for n, edge in _ANYWHERE.items()}
    pairs = [(name, n) for n, head in enumerate(heads, 1) for name in head.types]
    entity_type = {
        "type": pa.array([name for name, _ in pairs], pa.string()),
        "entity_id": pa.array([n for _, n in pairs], pa.int64()),
    }
    committed = rows["committed_at"].cast(pa.int64())
    attribute = {
        "id": pa.array(range(rows.num_rows), pa.int64()),
        "entity_id": pc.add(pc.index_in(rows["entity"], entity["uri"]).cast(pa.int64()), 1),
        "name": rows["attribute"],
        **{name: rows[name] for name in ("dataset", "number", "text", "body", "unit")},
        "kind": rows["kind"].cast(pa.int64()),
        "quality": rows["quality"].cast(pa.int64()),
        "observed_us": rows["observed_at"].cast(pa.int64()),
        "created_us": committed,
        "modified_us": committed,
    }
    return {
        "entity": pa.table(entity),
        "entity_type": pa.table(entity_type),
        "attribute": pa.table(attribute),
    }


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
