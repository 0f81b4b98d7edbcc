"""Keeps the lake small and fast: compaction, folding, erasing, retention, vacuum."""

import logging
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from dothi.model.measure import Measure, gauge
from dothi.ports.clock import Clock
from dothi.ports.sealing import ForgottenRows
from dothi.storage.lake.deletions import Deletions
from dothi.storage.lake.engine import Engine, quoted
from dothi.storage.lake.erasing import erase_forgotten
from dothi.storage.lake.folding import due, fold
from dothi.storage.lake.lake_rows import files_sql
from dothi.storage.lake.parquet import FOLDED, FileShape
from dothi.storage.lake.periods import to_us
from dothi.storage.lake.settings import LakeSettings, RetentionRule
from dothi.storage.lake.snapshot import DataFile
from dothi.storage.lake.sorted_slices import sorted_slices
from dothi.storage.lake.table import LakeTable

_log = logging.getLogger(__name__)
_MOMENT = "coalesce(observed_at, committed_at)"


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
        forgotten: ForgottenRows | None = None,
    ) -> None:
        self._forgotten = forgotten
        self._table = table
        self._engine = engine
        self._deletions = deletions
        self._clock = clock
        self._settings = settings
        self._shape = FileShape(settings.file_rows)
        self._swept_us = 0

    def round(self) -> None:
        """Erasing, compaction and folding; once a day also retention and vacuum."""
        self.erase()
        self.compact()
        self.fold()
        now_us = to_us(self._clock.now())
        if now_us - self._swept_us >= self._settings.sweep_every_s * 1_000_000:
            self.retain()
            self._table.vacuum(self._settings.vacuum_retention_h)
            self._swept_us = now_us

    def erase(self) -> int:
        """Take out what is forgotten; the number of rows."""
        if self._forgotten is None:
            return 0
        return erase_forgotten(self._table, self._engine, self._forgotten, self._shape)

    def measures(self) -> Sequence[Measure]:
        """What is forgotten and still stored."""
        left = 0 if self._forgotten is None else self._forgotten.left()
        name = "dothi_forgotten_stretches"
        return (gauge(name, "Stretches of history that are forgotten and still stored", left),)

    def compact(self) -> int:
        """Merge small files of a day into sorted ones; the number of days rewritten."""
        today = self._clock.now().date()
        rewritten = 0
        for day, files in self._table.snapshot().by_day().items():
            small = [f for f in files if f.rows < self._settings.file_rows // 2]
            enough = 2 if day < today else self._settings.compact_files
            if len(small) < enough:
                continue
            if day >= today:
                small = _smallest(small, self._settings.compact_files)
            parts = sorted_slices(self._engine, small, "true")
            metadata: dict[str, object] = {"dothi": "compact", "day": day.isoformat()}
            self._table.replace(small, day, parts, self._shape, metadata)
            rewritten += 1
        return rewritten

    def fold(self) -> int:
        """Fold what is due; the number of thirds of a month folded."""
        after_days = self._settings.fold_after_days
        if after_days == 0:
            return 0
        before = self._clock.now().date() - timedelta(days=after_days)
        thirds = due(self._table.snapshot(), before)
        for first, files in thirds.items():
            fold(self._table, self._engine, first, files)
            _log.info("folded %d files of the third of a month from %s", len(files), first)
        return len(thirds)

    def retain(self) -> int:
        """Delete rows that the rules in force no longer keep; their number."""
        self._deletions.complete()
        today = self._clock.now().date()
        return sum(self._apply(rule, today) for rule in rules_in_force(self._settings, today))

    def _apply(self, rule: RetentionRule, today: date) -> int:
        oldest_kept = today - timedelta(days=rule.keep_days)
        condition = f"{_condition(rule)} AND {_MOMENT} < TIMESTAMPTZ '{oldest_kept} 00:00:00+00'"
        old = [f for f in self._table.snapshot().files if f.day < oldest_kept]
        return sum(self._delete(rule, condition, files) for files in _together(old))

    def _delete(self, rule: RetentionRule, condition: str, files: Sequence[DataFile]) -> int:
        counted = self._engine.query(
            f"SELECT filename, CAST({_MOMENT} AS DATE) AS day, count(*) AS rows "
            f"FROM {files_sql(files, 'filename = true')} WHERE {condition} GROUP BY ALL"
        ).to_pylist()
        found = {row["filename"] for row in counted}
        touched = [f for f in files if f.location in found]
        if not touched:
            return 0
        rows: dict[date, int] = {}
        for row in counted:
            rows[row["day"]] = rows.get(row["day"], 0) + row["rows"]
        day, is_folded = touched[0].day, touched[0].is_folded
        self._table.replace(
            touched,
            day,
            sorted_slices(self._engine, touched, f"NOT ({condition})"),
            FOLDED if is_folded else self._shape,
            self._deletions.metadata(rule, rows),
        )
        self._deletions.complete()
        count = sum(rows.values())
        _log.info("retention rule %s deleted %d rows from %s on", rule.id, count, day)
        return count


def rules_in_force(settings: LakeSettings, day: date) -> list[RetentionRule]:
    """For each rule id the one with the latest start that is not after `day`."""
    latest: dict[str, RetentionRule] = {}
    for rule in sorted(settings.retention, key=lambda r: r.valid_from):
        if rule.valid_from <= day:
            latest[rule.id] = rule
    return list(latest.values())


def _together(files: Iterable[DataFile]) -> list[list[DataFile]]:
    """Files by first day, folded ones apart from the others."""
    groups: dict[tuple[date, bool], list[DataFile]] = {}
    for file in files:
        groups.setdefault((file.day, file.is_folded), []).append(file)
    return list(groups.values())


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
