"""Temporal evolutions: fetched from the history, and cut into pages (clauses 5.7.3, 6.3.10)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field
from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import too_many_results
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.times import TimeProperty, TimeQuery
from dothi.facades.ngsi_ld.wire.past import PastInstance, past_instances, without_expired
from dothi.model.row import VALUE_CHANGES, Change
from dothi.model.series import RawQuery, SeriesKey
from dothi.ports.evolution import EvolutionHead, PastSeries

SCOPE = "scope"
"""Name under which the history keeps the scopes of an entity."""
_WITH_DELETIONS = (*VALUE_CHANGES, Change.DELETE_ATTRIBUTE)
_MOST_ROWS = 500_000
"""Rows that are looked at where no limit of the history's own helps."""


class Wanted(Struct, frozen=True):
    """Which series of an entity."""

    names: tuple[str, ...] = ()
    """Attributes (stored names); empty: all."""
    datasets: tuple[str, ...] = ()
    """datasetIds, empty text for the default instance; empty: all."""

    def series(self, head: EvolutionHead) -> list[PastSeries]:
        return [
            one
            for one in head.series
            if (not self.names or one.name in self.names)
            and (not self.datasets or one.dataset in self.datasets or one.name == SCOPE)
        ]


class Evolution(Struct):
    """An entity with instances of its attributes: name -> instances, oldest first."""

    head: EvolutionHead
    rows: dict[str, list[PastInstance]] = field(default_factory=dict)

    @property
    def has_attributes(self) -> bool:
        return any(name != SCOPE for name in self.rows)


class Range(Struct, frozen=True):
    """What a page that could not hold everything covers, for Content-Range."""

    start_at: datetime
    end_at: datetime
    size: int | None
    """lastN; None: not asked for."""


def fetch_rows(
    broker: Broker, heads: Sequence[EvolutionHead], wanted: Wanted, times: TimeQuery, most: int
) -> pa.Table:
    """RAW_ANSWER of the instances that may hold, at least `most` of each series where there are.

    Those that have expired are left out. The history answers by observedAt (else the commit); for
    the other times it gives everything.
    """
    series = tuple(
        SeriesKey(head.id, one.name, one.dataset) for head in heads for one in wanted.series(head)
    )
    if times.by is not TimeProperty.OBSERVED:
        is_deleted = times.by is TimeProperty.DELETED
        changes = (Change.DELETE_ATTRIBUTE,) if is_deleted else VALUE_CHANGES
        return _all(broker, RawQuery(series, changes=changes))
    query = RawQuery(
        series, times.start_at, times.end_at, changes=_WITH_DELETIONS, limit=_MOST_ROWS
    )
    if not times.wants_all:
        query = replace(query, changes=VALUE_CHANGES)
    if times.last_n is not None:
        some = broker.history.raw(replace(query, last_n=min(times.last_n, most)))
    else:
        some = broker.history.raw(replace(query, first_n=most))
    is_full = times.wants_all or not some["observed_at"].null_count
    if is_full and without_expired(some).num_rows == some.num_rows:
        return some
    # Instances without a time, or that have expired, stood in the way of others.
    rows = _all(broker, query)
    return rows if times.wants_all else rows.filter(pc.is_valid(rows["observed_at"]))


def fetch_all(
    broker: Broker,
    heads: Sequence[EvolutionHead],
    wanted: Wanted,
    times: TimeQuery,
    columns: tuple[str, ...] = (),
) -> pa.Table:
    """RAW_ANSWER of every instance that may hold and has not expired.

    Raises NgsiError TooManyResults.

    Args:
        columns: those that are needed; empty: all.
    """
    series = tuple(
        SeriesKey(head.id, one.name, one.dataset) for head in heads for one in wanted.series(head)
    )
    if times.by is not TimeProperty.OBSERVED:
        needed = (*columns, "committed_at") if columns else ()
        return _all(broker, RawQuery(series, columns=needed))
    return _all(broker, RawQuery(series, times.start_at, times.end_at, columns=columns))


def _all(broker: Broker, query: RawQuery) -> pa.Table:
    rows = broker.history.raw(replace(query, limit=_MOST_ROWS))
    if rows.num_rows > _MOST_ROWS:
        raise too_many_results(
            f"more than {_MOST_ROWS} instances have to be looked at; name fewer attributes with "
            "attrs, or narrow the time"
        )
    return without_expired(rows) if not query.columns or "body" in query.columns else rows


def evolutions_of(
    heads: Iterable[EvolutionHead], rows: pa.Table, times: TimeQuery
) -> list[Evolution]:
    """The evolutions whose instances these rows are; those without any among them."""
    found = {head.id: Evolution(head) for head in heads}
    for row in past_instances(rows):
        if times.holds(row):
            evolution = found[row.entity]
            evolution.rows.setdefault(row.name, []).append(_told(row, evolution.head))
    for evolution in found.values():
        for name, instances in evolution.rows.items():
            # By datasetId they came; by time they are told.
            instances.sort(key=times.place_of)
            if times.last_n is not None:
                evolution.rows[name] = instances[-times.last_n :]
    return list(found.values())


def _told(row: PastInstance, head: EvolutionHead) -> PastInstance:
    """A deletion is told as one of the kind that the attribute had."""
    if not row.is_deletion:
        return row
    kinds = {(one.name, one.dataset): one.kind for one in head.series}
    return replace(row, kind=kinds.get((row.name, row.dataset), row.kind))


def cut(evolutions: Sequence[Evolution], times: TimeQuery, page: int) -> Range | None:
    """Keep what fits on a page, so that every attribute covers the same stretch of time.

    Attributes of which nothing is left stay with an empty list: there is more of them elsewhere.

    Args:
        page: instances of each attribute.
    """
    listed = [rows for evolution in evolutions for rows in evolution.rows.values()]
    is_last = times.last_n is not None
    edges = [
        times.place_of(rows[-page] if is_last else rows[page - 1])
        for rows in listed
        if len(rows) > page
    ]
    if not edges:
        return None
    edge = max(edges) if is_last else min(edges)
    for evolution in evolutions:
        for name, rows in evolution.rows.items():
            evolution.rows[name] = [
                row
                for row in rows
                if (times.place_of(row) >= edge if is_last else times.place_of(row) <= edge)
            ]
    kept = [times.place_of(r) for e in evolutions for rows in e.rows.values() for r in rows]
    if is_last:
        return Range(times.end_at or max(kept), min(kept), times.last_n)
    return Range(times.start_at or min(kept), max(kept), None)
