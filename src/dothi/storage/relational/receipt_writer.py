"""Receipts, totals and rejects: received = stored + rejected + duplicate, in the same commit."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from msgspec import Struct

from dothi.model.batch import Rejection
from dothi.storage.relational.columns import NO_TIME, Ints, distinct, ints, sums, texts
from dothi.storage.relational.hot_connection import HotConnection

MINUTE_US = 60_000_000
HOUR_US = 3_600_000_000
KEPT_REJECTS = 1000
"""Texts kept per source; the counts are kept for good."""
_SAMPLE_CHARS = 300
_SEVEN = pa.struct([(f"c{n}", pa.int64()) for n in range(7)])


class Tally(Struct, frozen=True):
    """One row each that was received in a batch and judged by the writer."""

    source: Ints
    received_us: Ints
    observed: Ints
    duplicate: Ints
    """1 where the row was a duplicate, 0 where it was stored."""


class ReceiptWriter:
    """Writes tables receipt, source_total, reject, reject_count."""

    def __init__(self, connection: HotConnection) -> None:
        self._connection = connection

    def write(self, tally: Tally, rejected: Sequence[tuple[int, int, Rejection]]) -> None:
        """Add to the figures of each source and minute.

        Args:
            tally: rows stored or found to be duplicates.
            rejected: (source id, received_us, rejection).
        """
        refused_source = np.array([s for s, _, _ in rejected], np.int64)
        refused_us = np.array([t for _, t, _ in rejected], np.int64)
        refused = np.array([r.count for _, _, r in rejected], np.int64)
        sources = np.concatenate([tally.source, refused_source])
        if not len(sources):
            return
        received = np.concatenate([tally.received_us, refused_us])
        counts = np.zeros((len(sources), 4), np.int64)
        taken = len(tally.source)
        counts[:taken, 1] = 1 - tally.duplicate
        counts[:taken, 3] = tally.duplicate
        counts[taken:, 2] = refused
        counts[:, 0] = counts[:, 1:].sum(axis=1)
        delay = np.zeros(len(sources), np.int64)
        timed = (tally.observed != NO_TIME) & (tally.duplicate == 0)
        delay[:taken][timed] = (tally.received_us[timed] - tally.observed[timed]) // 1000
        self._add_minutes(sources, received - received % MINUTE_US, counts, delay)
        observed = np.concatenate([tally.observed, np.full(len(refused), NO_TIME)])
        self._add_totals(sources, counts, received, observed)
        if rejected:
            self._keep_rejects(rejected)

    def _add_minutes(self, sources: Ints, minutes: Ints, counts: Ints, delay: Ints) -> None:
        first_minute = int(minutes.min())
        span = (int(minutes.max()) - first_minute) // MINUTE_US + 1
        packed = sources * span + (minutes - first_minute) // MINUTE_US
        _, first, at = distinct(packed, int(packed.max()) + 1)
        figures = sums(at, len(first), np.column_stack([counts, delay]))
        self._connection.put(
            "INSERT INTO receipt (source_id, minute_us, received, stored, rejected, duplicate, "
            "delay_ms_sum) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source_id, minute_us) "
            "DO UPDATE SET received = received + excluded.received, "
            "stored = stored + excluded.stored, rejected = rejected + excluded.rejected, "
            "duplicate = duplicate + excluded.duplicate, "
            "delay_ms_sum = delay_ms_sum + excluded.delay_ms_sum",
            [*map(tuple, np.column_stack([sources[first], minutes[first], figures]).tolist())],
            _SEVEN,
        )

    def _add_totals(self, sources: Ints, counts: Ints, received: Ints, observed: Ints) -> None:
        keys, _, at = distinct(sources, int(sources.max()) + 1)
        last_received = np.full(len(keys), NO_TIME)
        last_observed = np.full(len(keys), NO_TIME)
        np.maximum.at(last_received, at, received)
        np.maximum.at(last_observed, at, observed)
        columns = np.column_stack([keys, sums(at, len(keys), counts), last_received])
        rows = [
            (*row, None if seen == NO_TIME else seen)
            for row, seen in zip(columns.tolist(), last_observed.tolist(), strict=True)
        ]
        self._connection.put(
            "INSERT INTO source_total (source_id, received, stored, rejected, duplicate, "
            "last_received_us, last_observed_us) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (source_id) DO UPDATE SET received = received + excluded.received, "
            "stored = stored + excluded.stored, rejected = rejected + excluded.rejected, "
            "duplicate = duplicate + excluded.duplicate, "
            "last_received_us = max(last_received_us, excluded.last_received_us), "
            "last_observed_us = coalesce(max(last_observed_us, excluded.last_observed_us), "
            "last_observed_us, excluded.last_observed_us)",
            rows,
            _SEVEN,
        )

    def _keep_rejects(self, rejected: Sequence[tuple[int, int, Rejection]]) -> None:
        hours: Counter[tuple[int, int, str]] = Counter()
        for source, received_us, found in rejected:
            hours[(source, received_us - received_us % HOUR_US, found.reason)] += found.count
        source_ids, hour_us, reasons = zip(*hours, strict=True)
        self._connection.run(
            "INSERT INTO reject_count (source_id, hour_us, reason, count) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (source_id, hour_us, reason) DO UPDATE SET count = count + excluded.count",
            pa.table(
                {
                    "s": ints(source_ids),
                    "h": ints(hour_us),
                    "r": texts(reasons),
                    "c": ints(hours.values()),
                }
            ),
        )
        self._connection.run(
            "INSERT INTO reject (source_id, received_us, reason, detail, sample, count) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            pa.table(
                {
                    "s": ints(s for s, _, _ in rejected),
                    "t": ints(t for _, t, _ in rejected),
                    "r": texts(r.reason for _, _, r in rejected),
                    "d": texts(_located(r) for _, _, r in rejected),
                    "x": texts(r.sample[:_SAMPLE_CHARS] for _, _, r in rejected),
                    "c": ints(r.count for _, _, r in rejected),
                }
            ),
        )
        self._connection.run(
            "DELETE FROM reject WHERE source_id = ?1 AND id <= (SELECT id FROM reject "
            f"WHERE source_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET {KEPT_REJECTS})",
            pa.table({"s": ints(sorted(set(source_ids)))}),
        )


def _located(found: Rejection) -> str:
    return found.detail if found.row is None else f"row {found.row}: {found.detail}"
