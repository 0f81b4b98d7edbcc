"""One query path over hot rows and lake."""

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from dothi.model.row import LOG_SCHEMA
from dothi.model.series import AggregateQuery, RawQuery, ScanQuery

FOUND_KEYS = pa.schema(
    [
        LOG_SCHEMA.field(name)
        for name in (
            "entity",
            "attribute",
            "dataset",
            "observed_at",
            "number",
            "text",
            "body",
            "unit",
            "quality",
            "source",
            "revision",
            "seq",
        )
    ]
)
"""What `SealedKeys.find_keys` tells; `revision` is the highest one of the key."""

FORGOTTEN = pa.schema(
    [
        *(LOG_SCHEMA.field(name) for name in ("entity", "attribute", "dataset", "observed_at")),
        pa.field("from_seq", pa.int64()),
        pa.field("up_to_seq", pa.int64()),
    ]
)
"""Rows of the history that are no longer told: those of the series with from_seq <= seq <=
up_to_seq, and where `observed_at` is not null only those of that time."""


class History(Protocol):
    """Any thread; blocking. Callers in the event loop use a worker thread."""

    def raw(self, query: RawQuery) -> pa.Table:
        """RAW_ANSWER rows sorted by entity, attribute, dataset, observed_at."""
        ...

    def aggregate(self, query: AggregateQuery) -> pa.Table:
        """AGGREGATE_KEYS columns and one column per function, sorted by series and period."""
        ...


class Stretches(Struct, frozen=True):
    """Numbers of some series. A stretch is rows of one series that rise by time."""

    k: npt.NDArray[np.int64]
    """Position of each stretch's series in the question; a series may have several stretches."""
    starts: npt.NDArray[np.int64]
    """Place of each stretch's first row in the columns; none is empty."""
    us: npt.NDArray[np.int64]
    """observed_at, else committed_at."""
    number: npt.NDArray[np.float64]
    """NaN: none."""
    quality: npt.NDArray[np.int64] | int
    """One per row, or that of all of them."""
    rows: npt.NDArray[np.int64]
    """How many rows each stretch stands for."""
    is_exact: bool = True
    """False: the numbers are not those of their rows, but lie between the same edges."""


T = TypeVar("T")


@runtime_checkable
class Scans(History, Protocol):
    """A history that can be read a great many rows at a time."""

    def scan(self, query: ScanQuery, fold: Callable[[Stretches], T]) -> list[T]:
        """What `fold` makes of all rows in force (values only), in no particular order.

        First and last row of each stretch are always told. Rows of one series in two different
        stretches may lie between each other in time where files overlap: the caller has to look.

        Args:
            fold: called in several threads at once, with some rows each time.
        """
        ...


class HotHint(Struct, frozen=True):
    """What a question leaves unused, so that it need not be read; more may come all the same."""

    first_n: int | None = None
    """Only the earliest N keys of each series are needed."""
    last_n: int | None = None
    """Only the newest N keys of each series are needed."""
    columns: tuple[str, ...] = ()
    """Only these columns of LOG_SCHEMA are needed, beside those that say which row it is; others
    may be null or empty, and committed_at another time where there is an observed_at. Empty:
    all of them."""


NO_HINT = HotHint()


class HotRows(Protocol):
    """The part of the history that is still in the log."""

    def hot(
        self,
        keys: pa.Table | None,
        start_us: int | None,
        end_us: int | None,
        hint: HotHint = NO_HINT,
    ) -> tuple[pa.Table, int, pa.Table]:
        """Hot rows, the seal horizon and what is forgotten, of one consistent view.

        Args:
            keys: table of entity, attribute, dataset; None: every series.
            start_us, end_us: range of observed_at in UTC microseconds, end exclusive. Rows
                without observed_at carry their committed_at there.
        Returns:
            LOG_SCHEMA rows with seq > horizon, and the horizon: everything up to it is in the
            lake, nothing after it is. The lake side must ignore rows with seq > horizon. Third,
            FORGOTTEN rows of the keys (none when `keys` is None); they are not applied yet.
        """
        ...


class SealedKeys(Protocol):
    """What the lake already holds, for rows that arrive later than the hot window reaches back."""

    def find_keys(self, keys: pa.Table) -> pa.Table:
        """Values in force of those keys that are in the lake.

        Args:
            keys: KEY_COLUMNS (entity, attribute, dataset, observed_at); rows without observed_at
                are ignored: they have no key.
        Returns:
            FOUND_KEYS, one row per key that was found, in no particular order, forgotten or
            not. Everything that was sealed before the call is seen. Thread-safe; blocking; days
            without a file and series without a row cost no file access.
        """
        ...
