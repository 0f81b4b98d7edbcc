"""Finds keys that are already sealed: tells duplicates from corrections among late rows."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import KEY_COLUMNS, LOG_SCHEMA
from dothi.model.series import SeriesKey
from dothi.ports.history import FOUND_KEYS
from dothi.storage.lake.engine import Engine
from dothi.storage.lake.question import Span, Wanted
from dothi.storage.lake.relation import Source, relation
from dothi.storage.lake.series_reader import SeriesReader
from dothi.storage.lake.snapshot import DataFile
from dothi.storage.lake.table import LakeTable

_SERIES = ("entity", "attribute", "dataset")
_VALUES = tuple(name for name in FOUND_KEYS.names if name not in _SERIES)
_EVER = Span(None, None)
_EVERY_SEQ = 1 << 62


class LakeKeys:
    """`ports.history.SealedKeys` over a lake table."""

    def __init__(self, table: LakeTable, engine: Engine, reader: SeriesReader) -> None:
        self._table = table
        self._engine = engine
        self._reader = reader

    def find_keys(self, keys: pa.Table) -> pa.Table:
        """See `SealedKeys.find_keys`."""
        late = keys.select(list(KEY_COLUMNS)).filter(pc.is_valid(keys["observed_at"]))
        files = self._files(late)
        if not files:
            return FOUND_KEYS.empty_table()
        distinct = late.select(_SERIES).group_by(list(_SERIES)).aggregate([])
        wanted = Wanted.of(map(SeriesKey, *(distinct[name].to_pylist() for name in _SERIES)))
        source = Source(self._engine, self._reader, files, LOG_SCHEMA.empty_table(), _EVERY_SEQ)
        rows = relation(source, wanted, _EVER, _VALUES, all_revisions=False)
        names = ", ".join(f"wanted.{n}" if n in _SERIES else f"r.{n}" for n in FOUND_KEYS.names)
        sql = f"""SELECT {names} FROM ({rows.sql}) r JOIN wanted ON wanted.k = r.k
            SEMI JOIN late ON wanted.entity = late.entity AND wanted.attribute = late.attribute
                AND wanted.dataset = late.dataset AND r.observed_at = late.observed_at"""
        return self._engine.query(sql, rows.tables | {"wanted": wanted.table(), "late": late}).cast(
            FOUND_KEYS
        )

    def _files(self, keys: pa.Table) -> Sequence[DataFile]:
        """Files of the keys' days."""
        if keys.num_rows == 0:
            return []
        days = set(pc.unique(keys["observed_at"].cast(pa.date32())).to_pylist())
        return [f for f in self._table.snapshot().files if not days.isdisjoint(f.days())]
