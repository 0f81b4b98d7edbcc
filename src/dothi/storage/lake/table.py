"""The Delta table of observations: opened or created, appended to, rewritten, read as snapshots."""

import threading
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction, RemoveAction

from dothi.storage.lake.layout import PARTITION, TABLE_SCHEMA, split_days, to_lake
from dothi.storage.lake.parquet import FileShape, sync_file, sync_folder, write_day
from dothi.storage.lake.series_index import FOLDER
from dothi.storage.lake.snapshot import DataFile, Snapshot, read_snapshot

_CONFIGURATION = {
    "delta.checkpointInterval": "100",
    "delta.logRetentionDuration": "interval 7 days",
    "delta.enableExpiredLogCleanup": "true",
}


class LakeTable:
    """One Delta table on a local folder. Any thread; commits of this process are serialised."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._delta: DeltaTable | None = None
        self._snapshot: Snapshot | None = None

    def snapshot(self) -> Snapshot:
        """The newest committed version; a cached one when nothing was committed since."""
        with self._lock:
            known = self._snapshot
            if known is not None and not self._log_path(known.version + 1).exists():
                return known
            delta = self._open()
            delta.update_incremental()
            self._snapshot = read_snapshot(self.root, delta, known)
            return self._snapshot

    def sealed_version(self, app_id: str) -> int:
        """Version of the last application transaction of `app_id` (0: none)."""
        with self._lock:
            delta = self._open()
            delta.update_incremental()
            return delta.transaction_version(app_id) or 0

    def append(self, rows: pa.Table, app_id: str, version: int, file_rows: int) -> None:
        """Write LOG_SCHEMA rows and commit them durably together with the transaction version.

        Raises ValueError when the lake already holds a version >= `version`.
        """
        actions: list[AddAction] = []
        for table in split_days(to_lake(rows)):
            day: date = table[PARTITION][0].as_py()
            actions += write_day(self.root, day, [table], FileShape(file_rows))
        with self._lock:
            delta = self._open()
            delta.update_incremental()
            done = delta.transaction_version(app_id) or 0
            if done >= version:
                raise ValueError(f"{app_id} is already sealed up to {done}, not only to {version}")
            properties = CommitProperties(
                app_transactions=[Transaction(app_id, version)],
                custom_metadata={"dothi": "seal"},
            )
            self._commit(delta, actions, properties)

    def replace(
        self,
        old: Sequence[DataFile],
        day: date,
        parts: Iterable[pa.Table],
        shape: FileShape,
        metadata: dict[str, object],
    ) -> int:
        """Put `parts` (LAKE_SCHEMA rows in file order) in the place of files.

        Files that are added meanwhile stay. Returns the version of the table.

        Args:
            day: the first day of the rows.
        """
        added: list[AddAction | RemoveAction] = []
        added += write_day(self.root, day, parts, shape)
        removed = [file.remove_action() for file in old]
        with self._lock:
            delta = self._open()
            delta.update_incremental()
            properties = CommitProperties(custom_metadata=dict(metadata))
            return self._commit(delta, [*added, *removed], properties)

    def vacuum(self, retention_h: int) -> int:
        """Delete files that no version younger than `retention_h` hours needs; their number."""
        with self._lock:
            delta = self._open()
            delta.update_incremental()
            gone = delta.vacuum(
                retention_h, dry_run=False, enforce_retention_duration=False, full=True
            )
            delta.cleanup_metadata()
        folder = self.root / FOLDER
        for index in folder.glob("*/*.npy"):
            if not (self.root / index.relative_to(folder).with_suffix("")).exists():
                index.unlink()
        return len(gone)

    def commits(self, limit: int | None) -> list[dict[str, object]]:
        """Newest first: what the Delta log says about the last commits."""
        with self._lock:
            delta = self._open()
            delta.update_incremental()
            return delta.history(limit)

    def _commit(
        self,
        delta: DeltaTable,
        actions: Sequence[AddAction | RemoveAction],
        properties: CommitProperties,
    ) -> int:
        delta.create_write_transaction(
            list(actions), "append", TABLE_SCHEMA, [PARTITION], commit_properties=properties
        )
        delta.update_incremental()
        version = delta.version()
        # Delta writes its log without fsync; the log rows are deleted only after this.
        sync_file(self._log_path(version))
        sync_folder(self.root / "_delta_log")
        return version

    def _open(self) -> DeltaTable:
        if self._delta is None:
            self.root.mkdir(parents=True, exist_ok=True)
            self._delta = DeltaTable.create(
                self.root,
                TABLE_SCHEMA,
                mode="ignore",
                partition_by=[PARTITION],
                name="observations",
                description="dothi: observations older than the hot window",
                configuration=_CONFIGURATION,
            )
        return self._delta

    def _log_path(self, version: int) -> Path:
        return self.root / "_delta_log" / f"{version:020d}.json"
