"""One query path over hot rows and lake."""

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from dothi.model.row import LOG_SCHEMA
from dothi.model.series import AggregateQuery, RawQuery

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


@dataclass(frozen=True, slots=True)
class HotHint:
    """What a question leaves unused, so that it need not be read; more may come all the same."""

    first_n: int | None = None
    """Only the earliest N keys of each series are needed."""
    last_n: int | None = None
    """Only the newest N keys of each series are needed."""
    columns: tuple[str, ...] = ()
    """Only these columns of LOG_SCHEMA are needed, beside those that say which row it is; others
    may be null or empty. Empty: all of them."""


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
