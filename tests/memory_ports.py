"""Ports in memory for tests of the doors: what was handed in, with duplicates and corrections."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from dothi.model.batch import Batch, CommitResult, Rejection
from dothi.model.source import Source
from dothi.ports.files import SeenFile
from dothi.ports.pulls import PullRun

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@dataclass
class FixedClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class KeptBatches:
    """ports.Ingest: knows batch ids and keys like the real one; `revisions` keeps every value."""

    batches: list[Batch] = field(default_factory=list)
    revisions: dict[tuple[Any, ...], list[Any]] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)
    """Raised, one by one, before anything is taken."""
    _results: dict[str, CommitResult] = field(default_factory=dict)

    async def submit(self, batch: Batch) -> CommitResult:
        if self.errors:
            raise self.errors.pop(0)
        if batch.id in self._results:
            return replace(self._results[batch.id], replayed=True)
        self.batches.append(batch)
        stored = duplicates = 0
        for row in batch.rows.to_pylist():
            key = (row["entity"], row["attribute"], row["dataset"], row["observed_at"])
            value = (row["number"], row["text"], row["body"])
            values = self.revisions.setdefault(key, [])
            if values and values[-1] == value:
                duplicates += 1
            else:
                values.append(value)
                stored += 1
        rejected = sum(r.count for r in batch.rejected)
        received = stored + duplicates + rejected
        result = CommitResult(batch.id, received, stored, duplicates, batch.rejected)
        self._results[batch.id] = result
        return result

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for batch in self.batches for row in batch.rows.to_pylist()]

    @property
    def rejected(self) -> list[Rejection]:
        return [rejection for batch in self.batches for rejection in batch.rejected]

    @property
    def reasons(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for rejection in self.rejected:
            counts[rejection.reason] = counts.get(rejection.reason, 0) + rejection.count
        return counts


@dataclass
class KeptSources:
    """ports.Sources, as far as doors use it."""

    kept: dict[str, Source] = field(default_factory=dict)

    def all(self) -> Sequence[Source]:
        return list(self.kept.values())

    def get(self, source_id: str) -> Source | None:
        return self.kept.get(source_id)

    def put(self, source: Source) -> None:
        self.kept[source.id] = source


@dataclass
class KeptFilesSeen:
    kept: dict[str, SeenFile] = field(default_factory=dict)

    def known(self, paths: Sequence[str]) -> dict[str, SeenFile]:
        return {path: self.kept[path] for path in paths if path in self.kept}

    def record(self, files: Sequence[SeenFile]) -> None:
        self.kept.update({seen.path: seen for seen in files})


@dataclass
class KeptPullRuns:
    kept: dict[str, PullRun] = field(default_factory=dict)

    def get(self, connector: str) -> PullRun | None:
        return self.kept.get(connector)

    def put(self, run: PullRun) -> None:
        self.kept[run.connector] = run

    def all(self) -> Sequence[PullRun]:
        return [self.kept[name] for name in sorted(self.kept)]
