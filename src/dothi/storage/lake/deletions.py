"""The record of what retention deleted: a Delta table of its own, beside the observations.

The commit that deletes carries the record; from there it is copied to the table of records,
because the Delta log itself is shortened after some days. The table of records holds, as
application transaction, the last commit that was copied, so each deletion stands there once.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from dothi.model.row import TIMESTAMP
from dothi.storage.lake.settings import RetentionRule
from dothi.storage.lake.table import LakeTable

DELETION_SCHEMA = pa.schema(
    [
        pa.field("deleted_at", TIMESTAMP, nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("keep_days", pa.int32(), nullable=False),
        pa.field("day", pa.date32(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("entity_types", pa.string(), nullable=False),
        pa.field("attributes", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
    ]
)
"""One row per rule and day; entity_types and attributes are JSON arrays, version is the commit."""

_APP_ID = "dothi-retention"
_MARK = "dothi.deletion"


class Deletions:
    """Any thread that runs upkeep; one at a time."""

    def __init__(self, root: Path, table: LakeTable) -> None:
        self._root = root
        self._table = table

    def metadata(self, rule: RetentionRule, rows: Mapping[date, int]) -> dict[str, object]:
        """What the deleting commit carries: the rows of each day."""
        records = [
            {
                "rule": rule.id,
                "reason": rule.reason,
                "keep_days": rule.keep_days,
                "day": day.isoformat(),
                "rows": count,
                "entity_types": json.dumps(rule.entity_types, ensure_ascii=False),
                "attributes": json.dumps(rule.attributes, ensure_ascii=False),
            }
            for day, count in sorted(rows.items())
        ]
        return {"dothi": "retain", _MARK: json.dumps(records, ensure_ascii=False)}

    def complete(self) -> None:
        """Copy records of commits that are not in the table of records yet."""
        copied = self._copied()
        fresh = [c for c in self._table.commits(None) if int(str(c["version"])) > copied]
        rows = [row for c in reversed(fresh) if _MARK in c for row in _rows(c)]
        if rows:
            last = max(int(str(row["version"])) for row in rows)
            records: pa.Table = pa.Table.from_pylist(rows, DELETION_SCHEMA)
            write_deltalake(
                self._root,
                records,
                mode="append",
                name="deletions",
                commit_properties=CommitProperties(app_transactions=[Transaction(_APP_ID, last)]),
            )

    def read(self) -> pa.Table:
        """DELETION_SCHEMA, every deletion so far, oldest first."""
        if not DeltaTable.is_deltatable(str(self._root)):
            return DELETION_SCHEMA.empty_table()
        table = DeltaTable(self._root).to_pyarrow_table().cast(DELETION_SCHEMA)
        return table.sort_by([("version", "ascending"), ("rule", "ascending")])

    def _copied(self) -> int:
        if not DeltaTable.is_deltatable(str(self._root)):
            return -1
        return DeltaTable(self._root).transaction_version(_APP_ID) or 0


def _rows(commit: Mapping[str, object]) -> list[dict[str, object]]:
    at = datetime.fromtimestamp(int(str(commit["timestamp"])) / 1000, UTC)
    return [
        {
            **record,
            "day": date.fromisoformat(record["day"]),
            "deleted_at": at,
            "version": commit["version"],
        }
        for record in json.loads(str(commit[_MARK]))
    ]
