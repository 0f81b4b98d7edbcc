"""Figures of the stores at `/metrics`: the log, the lake, the consumers, the disk."""

import shutil
from collections.abc import Sequence

from dothi.app.data_folder import DataFolder
from dothi.app.stores import Stores
from dothi.model.measure import Measure, gauge


class StoreMeasures:
    """How far the log is, what of it is in the lake, how far each consumer has read."""

    def __init__(self, stores: Stores, folder: DataFolder) -> None:
        self._stores = stores
        self._folder = folder

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        head = self._stores.reader.head()
        horizon = self._stores.reader.tail() - 1
        files = self._stores.lake.table.snapshot().files
        positions = sorted(self._stores.cursors.positions().items())
        return [
            gauge("dothi_log_head", "Number of the newest row of the log.", head),
            gauge("dothi_log_sealed", "Rows up to this number are in the lake.", horizon),
            gauge("dothi_log_hot_rows", "Rows that are not in the lake yet.", head - horizon),
            gauge("dothi_lake_rows", "Rows in the lake.", sum(f.rows for f in files)),
            gauge("dothi_lake_bytes", "Size of the lake.", sum(f.size for f in files)),
            gauge("dothi_lake_files", "Data files of the lake.", len(files)),
            gauge(
                "dothi_database_bytes",
                "Size of the operational database.",
                self._folder.database.stat().st_size,
            ),
            gauge(
                "dothi_disk_free_bytes",
                "Free space where the data is.",
                shutil.disk_usage(self._folder.path).free,
            ),
            Measure(
                "dothi_consumer_position",
                "gauge",
                "Last row that the consumer has done.",
                [({"consumer": name}, float(seq)) for name, seq in positions],
            ),
        ]
