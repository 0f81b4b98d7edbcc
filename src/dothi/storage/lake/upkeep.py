"""Keeps the lake small and fast: compaction, retention, vacuum."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pyarrow as pa

from dothi.ports.clock import Clock
from dothi.storage.lake.deletions import Deletions
from dothi.storage.lake.engine import Engine, quoted
from dothi.storage.lake.layout import LAKE_SCHEMA
from dothi.storage.lake.parquet import ROW_GROUP_ROWS
from dothi.storage.lake.periods import to_us
from dothi.storage.lake.relation import files_sql
from dothi.storage.lake.settings import LakeSettings, RetentionRule
from dothi.storage.lake.snapshot import DataFile
from dothi.storage.lake.table import LakeTable

_log = logging.getLogger(__name__)
_ORDER = "attribute, entity, dataset, coalesce(observed_at, committed_at), seq"
_BATCH_ROWS = 8 * ROW_GROUP_ROWS


class Upkeep:
    """Rounds of upkeep; called from one thread at a time, beside sealing and queries.

    Every change replaces named files in one Delta commit, so it neither waits for sealing nor
    disturbs it: files that sealing adds meanwhile stay.
    """

    def __init__(
        self,
        table: LakeTable,
        engine: Engine,
        deletions: Deletions,
        clock: Clock,
        settings: LakeSettings,
    ) -> None:
        self._table = table
        self._engine = engine
        self._deletions = deletions
        self._clock = clock
        self._settings = settings
        self._swept_us = 0

    def round(self) -> None:
        """Compaction; once a day also retention and vacuum."""
        self.compact()
        now_us = to_us(self._clock.now())
        if now_us - self._swept_us >= self._settings.sweep_every_s * 1_000_000:
            self.retain()
            self._table.vacuum(self._settings.vacuum_retention_h)
            self._swept_us = now_us

    def compact(self) -> int:
        """Merge small files of a day into sorted ones; the number of days rewritten."""
        today = self._clock.now().date()
        rewritten = 0
        for day, files in sorted(self._table.snapshot().days.items()):
            small = [f for f in files if f.rows < self._settings.file_rows // 2]
            enough = 2 if day < today else self._settings.compact_files
            if len(small) < enough:
                continue
            if day >= today:
                small = _smallest(small, self._settings.compact_files)
            parts = self._sorted_rows(small, "true")
            metadata: dict[str, object] = {"dothi": "compact", "day": day.isoformat()}
            self._table.replace(small, day, parts, self._settings.file_rows, metadata)
            rewritten += 1
        return rewritten

    def retain(self) -> int:
        """Delete rows that the rules in force no longer keep; their number."""
        self._deletions.complete()
        today = self._clock.now().date()
        return sum(self._apply(rule, today) for rule in rules_in_force(self._settings, today))

    def _apply(self, rule: RetentionRule, today: date) -> int:
        oldest_kept = today - timedelta(days=rule.keep_days)
        deleted = 0
        for day, files in sorted(self._table.snapshot().days.items()):
            if day < oldest_kept:
                deleted += self._delete(rule, day, files)
        return deleted

    def _delete(self, rule: RetentionRule, day: date, files: Sequence[DataFile]) -> int:
        condition = _condition(rule)
        counts = self._engine.query(
            f"SELECT filename, count(*) AS rows FROM {files_sql(files, 'filename = true')} "
            f"WHERE {condition} GROUP BY ALL"
        )
        rows = dict(zip(counts["filename"].to_pylist(), counts["rows"].to_pylist(), strict=True))
        touched = [f for f in files if rows.get(f.location)]
        if not touched:
            return 0
        count = sum(rows.values())
        parts = self._sorted_rows(touched, f"NOT ({condition})")
        self._table.replace(
            touched,
            day,
            parts,
            self._settings.file_rows,
            self._deletions.metadata(rule, day, count),
        )
        self._deletions.complete()
        _log.info("retention rule %s deleted %d rows of %s", rule.id, count, day)
        return int(count)

    def _sorted_rows(self, files: Sequence[DataFile], condition: str) -> Iterator[pa.Table]:
        columns = ", ".join(LAKE_SCHEMA.names)
        sql = f"SELECT {columns} FROM {files_sql(files)} WHERE {condition} ORDER BY {_ORDER}"
        pending: list[pa.RecordBatch] = []
        rows = 0
        for batch in self._engine.stream(sql, _BATCH_ROWS):
            pending.append(batch)
            rows += batch.num_rows
            while rows >= _BATCH_ROWS:
                table = pa.Table.from_batches(pending)
                yield table.slice(0, _BATCH_ROWS)
                pending = table.slice(_BATCH_ROWS).to_batches()
                rows -= _BATCH_ROWS
        if pending:
            yield pa.Table.from_batches(pending)


def rules_in_force(settings: LakeSettings, day: date) -> list[RetentionRule]:
    """For each rule id the one with the latest start that is not after `day`."""
    latest: dict[str, RetentionRule] = {}
    for rule in sorted(settings.retention, key=lambda r: r.valid_from):
        if rule.valid_from <= day:
            latest[rule.id] = rule
    return list(latest.values())


def _smallest(files: Sequence[DataFile], count: int) -> list[DataFile]:
    return sorted(files, key=lambda f: f.rows)[: max(count, 2)]


def _condition(rule: RetentionRule) -> str:
    conditions = ["true"]
    if rule.entity_types:
        conditions.append(f"entity_type IN ({', '.join(map(quoted, rule.entity_types))})")
    if rule.attributes:
        conditions.append(f"attribute IN ({', '.join(map(quoted, rule.attributes))})")
    # A null type is no member of any list; such rows stay.
    return " AND ".join(f"coalesce({c}, false)" for c in conditions)
