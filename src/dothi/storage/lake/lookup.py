"""Finds keys that are already sealed: tells duplicates from corrections among late rows."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import KEY_COLUMNS
from dothi.model.series import SeriesKey
from dothi.ports.history import FOUND_KEYS
from dothi.storage.lake.engine import Engine
from dothi.storage.lake.relation import (
    Wanted,
    files_sql,
    narrow,
    rows_sql,
    values_sql,
)
from dothi.storage.lake.series_index import Rows
from dothi.storage.lake.snapshot import DataFile
from dothi.storage.lake.table import LakeTable


class LakeKeys:
    """`ports.history.SealedKeys` over a lake table."""

    def __init__(self, table: LakeTable, engine: Engine) -> None:
        self._table = table
        self._engine = engine

    def find_keys(self, keys: pa.Table) -> pa.Table:
        """See `SealedKeys.find_keys`."""
        timed = keys.select(list(KEY_COLUMNS)).filter(pc.is_valid(keys["observed_at"]))
        files, rows = self._files(timed)
        if not files:
            return FOUND_KEYS.empty_table()
        columns = ", ".join(f"r.{name}" for name in FOUND_KEYS.names)
        newest = ""
        if any(f.is_revised for f in files):
            order = f"PARTITION BY {', '.join(KEY_COLUMNS)} ORDER BY revision DESC"
            newest = f"QUALIFY row_number() OVER ({order}) = 1"
        conditions = [*values_sql(files), *rows_sql(rows)]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        option = "filename = false" if rows is None else "file_row_number = true"
        sql = f"""SELECT {columns} FROM {files_sql(files, option)} r
            SEMI JOIN late ON r.entity = late.entity AND r.attribute = late.attribute
                AND r.dataset = late.dataset AND r.observed_at = late.observed_at
            {where} {newest}"""
        return self._engine.query(sql, {"late": timed}).cast(FOUND_KEYS)

    def _files(self, keys: pa.Table) -> tuple[Sequence[DataFile], Rows | None]:
        """Files of the keys' days that may hold one of their series, and the rows to look at."""
        days = self._table.snapshot().days
        if keys.num_rows == 0 or not days:
            return [], None
        wanted_days = pc.unique(keys["observed_at"].cast(pa.date32())).to_pylist()
        present = [days[day] for day in wanted_days if day in days]
        if not present:
            return [], None
        columns = ["entity", "attribute", "dataset"]
        distinct = keys.select(columns).group_by(columns).aggregate([])
        wanted = Wanted.of(map(SeriesKey, *(distinct[name].to_pylist() for name in columns)))
        return narrow(wanted.prune(present), wanted.series)
