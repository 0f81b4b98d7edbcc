"""Which batches of a group may be applied: not a replay, and their guards hold."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from msgspec import Struct

from dothi.model.batch import Batch, CommitResult
from dothi.model.row import PAST_CHANGES, Change
from dothi.storage.relational.columns import codes, texts
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.series_registry import Registry

Touched = dict[int, list[tuple[str, int]]]
"""Batch number -> (entity, change) of rows about guarded entities, in order."""
TouchedOf = Callable[[set[str]], Touched]


class Fate(Struct):
    """What was decided of each batch of a group."""

    results: dict[int, CommitResult]
    """batch number -> result of those that are not applied."""

    def applies(self, batch_no: int) -> bool:
        return batch_no not in self.results


def replays(connection: HotConnection, batches: Sequence[Batch]) -> Fate:
    """Batches whose id is already in the record, or stands twice in the group."""
    named = [batch.id for batch in batches if not batch.is_single]
    if not named:
        return Fate({})
    rows = connection.ask(
        "SELECT name_id, received, stored, duplicates, first_seq, last_seq "
        "FROM batch WHERE name_id = ?",
        pa.table({"id": texts(named)}),
    )
    known = {row["name_id"]: row for row in rows.to_pylist()}
    results: dict[int, CommitResult] = {}
    seen: set[str] = set()
    for number, batch in enumerate(batches):
        if batch.id in known:
            was = known[batch.id]
            results[number] = CommitResult(
                batch.id,
                was["received"],
                was["stored"],
                was["duplicates"],
                batch.rejected,
                replayed=True,
                first_seq=was["first_seq"],
                last_seq=was["last_seq"],
            )
        elif batch.id in seen:
            results[number] = CommitResult(batch.id, 0, 0, 0, (), replayed=True)
        seen.add(batch.id)
    return Fate(results)


def check_guards(
    registry: Registry, batches: Sequence[Batch], touched_of: TouchedOf, fate: Fate
) -> None:
    """Refuse batches whose guards fail, as if the batches were applied one after the other."""
    ids = {
        uri
        for number, batch in enumerate(batches)
        if fate.applies(number)
        for uri in batch.guards.absent | batch.guards.present
    }
    if not ids:
        return
    present = {u for u, (_, is_live) in registry.look_up_entities(sorted(ids)).items() if is_live}
    touched = touched_of(ids)
    for number, batch in enumerate(batches):
        if not fate.applies(number):
            continue
        wrong = (batch.guards.absent & present) | (batch.guards.present - present)
        if wrong:
            fate.results[number] = CommitResult(
                batch.id, batch.rows.num_rows, 0, 0, batch.rejected, refused=min(wrong)
            )
            continue
        for uri, change in touched.get(number, ()):
            if change == Change.DELETE_ENTITY:
                present.discard(uri)
            elif change != Change.DELETE_ATTRIBUTE and change not in PAST_CHANGES:
                present.add(uri)


def touched(rows: pa.Table, ids: set[str]) -> Touched:
    """What columns do to these entities."""
    names, at = codes(rows["entity"])
    is_guarded = np.array([name in ids for name in names], np.bool_)
    about = np.flatnonzero(is_guarded[at])
    found: Touched = {}
    for number, code, change in zip(
        rows["batch_no"].to_numpy()[about].tolist(),
        at[about].tolist(),
        rows["change"].to_numpy()[about].tolist(),
        strict=True,
    ):
        found.setdefault(number, []).append((names[code] or "", change))
    return found
