"""One version of the lake as a list of files that queries prune."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.transaction import RemoveAction
from msgspec import Struct

from dothi.storage.lake.layout import FOLDED_PREFIX, LAKE_SCHEMA, PARTITION
from dothi.storage.lake.series_index import FOLDER


class DataFile(Struct, frozen=True):
    """A data file with what the Delta log tells about its content."""

    root: Path
    path: str
    """Relative to the root of the table."""
    day: date
    """UTC day on which the file's range begins."""
    last_day: date
    """UTC day on which it ends: the same, but for files that hold several days."""
    rows: int
    size: int
    least: Mapping[str, object]
    greatest: Mapping[str, object]
    """Column -> least and greatest value; a column of nulls only is absent."""
    nulls: Mapping[str, int]

    @property
    def location(self) -> str:
        return str(self.root / self.path)

    @property
    def index(self) -> str:
        """Where `series_index` keeps the places of the series."""
        return f"{self.root}/{FOLDER}/{self.path}.npy"

    def days(self) -> list[date]:
        """UTC days of which it may hold rows."""
        return [self.day + timedelta(days=n) for n in range((self.last_day - self.day).days + 1)]

    @property
    def is_folded(self) -> bool:
        """Holds the days of a third of a month (see folding)."""
        return self.path.rpartition("/")[2].startswith(FOLDED_PREFIX)

    @property
    def is_revised(self) -> bool:
        """Holds corrections."""
        return self._greatest_int("revision", 1) > 0

    @property
    def last_seq(self) -> int:
        return self._greatest_int("seq", 1 << 62)

    @property
    def has_timeless(self) -> bool:
        """Holds rows without observed_at."""
        return self.nulls.get("observed_at", 1) > 0

    def may_hold(self, attributes: Sequence[str], first_entity: str, last_entity: str) -> bool:
        """Could hold one of the attributes for an entity between the two, ends included."""
        least, greatest = self.least, self.greatest
        if "entity" not in least or "attribute" not in least:
            return True
        if str(greatest["entity"]) < first_entity or str(least["entity"]) > last_entity:
            return False
        low, high = str(least["attribute"]), str(greatest["attribute"])
        return any(low <= name <= high for name in attributes)

    def constant(self, column: str) -> tuple[bool, object]:
        """Whether the column holds one and the same value in every row, and which."""
        nulls = self.nulls.get(column)
        if nulls is None:
            return False, None
        if nulls == self.rows:
            return True, None
        low = self.least.get(column)
        return nulls == 0 and low is not None and low == self.greatest.get(column), low

    def remove_action(self) -> RemoveAction:
        """What the Delta log has to hold for the file to leave the table."""
        return RemoveAction(
            path=self.path,
            deletion_timestamp=int(datetime.now(UTC).timestamp() * 1000),
            data_change=True,
            partition_values={PARTITION: self.day.isoformat()},
            size=self.size,
        )

    def _greatest_int(self, column: str, unknown: int) -> int:
        value = self.greatest.get(column)
        return value if isinstance(value, int) else unknown


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of one version of the table."""

    version: int
    files: tuple[DataFile, ...]
    """By first day."""
    by_path: Mapping[str, DataFile] = field(repr=False)

    def by_day(self) -> dict[date, list[DataFile]]:
        """First day -> the files that are not folded, earliest day first."""
        days: dict[date, list[DataFile]] = {}
        for file in self.files:
            if not file.is_folded:
                days.setdefault(file.day, []).append(file)
        return days


def read_snapshot(root: Path, delta: DeltaTable, known: Snapshot | None) -> Snapshot:
    """Parse the table's file list; entries of `known` are taken over as they are."""
    adds = pa.table(delta.get_add_actions(flatten=True))
    seen = known.by_path if known is not None else {}
    paths: list[str] = adds["path"].to_pylist()
    fresh = [n for n, path in enumerate(paths) if path not in seen]
    parsed = {file.path: file for file in _parse(root, adds.take(pa.array(fresh, pa.int64())))}
    by_path = {path: seen.get(path) or parsed[path] for path in paths}
    return Snapshot(delta.version(), tuple(sorted(by_path.values(), key=_by_day)), by_path)


def day_of(us: int) -> date:
    """UTC day of microseconds since 1970."""
    return date(1970, 1, 1) + timedelta(days=us // 86_400_000_000)


def _by_day(file: DataFile) -> date:
    return file.day


def _parse(root: Path, adds: pa.Table) -> Iterable[DataFile]:
    for row in adds.to_pylist():
        day = row[f"partition.{PARTITION}"]
        greatest = _present(row, "max.")
        nulls = {k: int(str(v)) for k, v in _present(row, "null_count.").items()}
        yield DataFile(
            root=root,
            path=row["path"],
            day=day,
            last_day=_last_day(day, greatest, nulls),
            rows=row["num_records"],
            size=row["size_bytes"],
            least=_present(row, "min."),
            greatest=greatest,
            nulls=nulls,
        )


def _last_day(day: date, greatest: Mapping[str, object], nulls: Mapping[str, int]) -> date:
    """From the statistics, so that it also holds of files that another writer merged."""
    has_timeless = nulls.get("observed_at", 1) > 0
    ends = [greatest.get("observed_at"), greatest.get("committed_at") if has_timeless else None]
    return max([day, *(at.date() for at in ends if isinstance(at, datetime))])


def _present(row: Mapping[str, object], prefix: str) -> dict[str, object]:
    values = ((name, row.get(prefix + name)) for name in LAKE_SCHEMA.names)
    return {name: value for name, value in values if value is not None}
