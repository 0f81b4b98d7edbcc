"""Finds keys that are already sealed: tells duplicates from corrections among late rows."""

import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import KEY_COLUMNS
from dothi.model.series import SeriesKey
from dothi.ports.history import FOUND_KEYS
from dothi.storage.lake.engine import Engine
from dothi.storage.lake.relation import Wanted, files_sql, values_sql
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
        files = self._files(timed)
        if not files:
            return FOUND_KEYS.empty_table()
        columns = ", ".join(f"r.{name}" for name in FOUND_KEYS.names)
        newest = ""
        if any(f.is_revised for f in files):
            order = f"PARTITION BY {', '.join(KEY_COLUMNS)} ORDER BY revision DESC"
            newest = f"QUALIFY row_number() OVER ({order}) = 1"
        where = "".join(f"WHERE {condition}" for condition in values_sql(files))
        sql = f"""SELECT {columns} FROM {files_sql(files)} r
            SEMI JOIN late ON r.entity = late.entity AND r.attribute = late.attribute
                AND r.dataset = late.dataset AND r.observed_at = late.observed_at
            {where} {newest}"""
        return self._engine.query(sql, {"late": timed}).cast(FOUND_KEYS)

    def _files(self, keys: pa.Table) -> list[DataFile]:
        """Files of the keys' days that may hold one of their series."""
        days = self._table.snapshot().days
        if keys.num_rows == 0 or not days:
            return []
        wanted_days = pc.unique(keys["observed_at"].cast(pa.date32())).to_pylist()
        present = [days[day] for day in wanted_days if day in days]
        if not present:
            return []
        ends = pc.min_max(keys["entity"]).as_py()
        names = pc.unique(keys["attribute"]).to_pylist()
        corners = [SeriesKey(end, name) for end in ends.values() for name in names]
        return Wanted.of(corners).prune(present)
