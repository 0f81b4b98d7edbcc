"""The evolutions of other brokers among ours: ports that a handler may be given instead.

As with `overlay` for the current state, every representation, filter, aggregation and page is made
by the same code as for local requests.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from dothi.facades.ngsi_ld.distributed.remote_entity import UNKNOWN_AT
from dothi.facades.ngsi_ld.distributed.remote_evolution import RemoteEvolution, Row, as_table
from dothi.facades.ngsi_ld.operations.broker import Broker, has_types
from dothi.facades.ngsi_ld.registrations.data import Mode
from dothi.facades.ngsi_ld.registrations.matching import finds
from dothi.model.condition import Condition
from dothi.model.row import Change
from dothi.model.series import RAW_ANSWER, RawQuery
from dothi.ports.evolution import EvolutionHead, Evolutions, EvolutionSearch
from dothi.ports.history import History

RemotePast = Mapping[str, Sequence[tuple[Mode, RemoteEvolution]]]
"""Entity id -> what each source gave of its evolution."""
_KEYS = ("entity", "attribute", "dataset")


class OverlaidEvolutions:
    """Our evolutions together with those that other sources gave."""

    def __init__(self, local: Evolutions, remote: Mapping[str, EvolutionHead]) -> None:
        self._local = local
        self._remote = remote

    def __getattr__(self, name: str) -> Any:
        """What distribution does not concern is asked of the real store."""
        return getattr(self._local, name)

    def find(self, search: EvolutionSearch, after: str = "", limit: int | None = None) -> list[str]:
        """Ours in the order of the search, then those that only others have, by id.

        With an order by id all of them stand in it.
        """
        others = self._only_remote(search)
        if search.order:
            ours = self._local.find(search)
            found = sorted({*ours, *others}, reverse=search.order == "desc")
        elif after in others:
            found = others
        else:
            ours = self._local.find(search, after, limit)
            return (ours + others)[:limit]
        start = found.index(after) + 1 if after in found else 0
        return found[start:][:limit]

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[EvolutionHead]:
        local = {head.id: head for head in self._local.load(ids, names)}
        found = []
        for uri in dict.fromkeys(ids):
            ours, theirs = local.get(uri), self._remote.get(uri)
            head = ours if theirs is None else _united(ours, theirs)
            if head is not None:
                found.append(head)
        return found

    def matching(
        self, condition: Condition, heads: Sequence[EvolutionHead], rows: pa.Table
    ) -> set[str]:
        return self._local.matching(condition, heads, rows)

    def _only_remote(self, search: EvolutionSearch) -> list[str]:
        here = {head.id for head in self._local.load(list(self._remote), ("",)) if head.is_recorded}
        return [
            uri
            for uri, head in sorted(self._remote.items())
            if uri not in here and _is_wanted(head, search)
        ]


class OverlaidHistory:
    """Our history together with the instances that other sources gave."""

    def __init__(self, local: History, values: pa.Table, deletions: pa.Table) -> None:
        self._local = local
        self._values = values
        self._deletions = deletions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._local, name)

    def raw(self, query: RawQuery) -> pa.Table:
        """See `History.raw`; what two brokers tell of one time is told once."""
        # By the times of the commits it is told whose value of one moment came last.
        ours = self._local.raw(replace(query, columns=()))
        theirs = [self._values]
        if Change.DELETE_ATTRIBUTE in query.changes:
            has_values = len(query.changes) > 1
            theirs = [self._values, self._deletions] if has_values else [self._deletions]
        others = _within(pa.concat_tables(theirs), query)
        if not others.num_rows:
            return ours
        merged = _once(pa.concat_tables([ours, others]).combine_chunks())
        if query.first_n is not None or query.last_n is not None:
            merged = _outermost(merged, query)
        return merged.slice(0, query.limit + 1)


def with_past(
    broker: Broker,
    remote: RemotePast,
    others: Callable[[Sequence[str]], Mapping[str, Sequence[str]]],
) -> Broker:
    """The broker with evolutions of others among its own. Blocking."""
    ours = {
        head.id: {one.name for one in head.series}
        for head in broker.evolutions.load(list(remote))
        if head.is_recorded
    }
    heads: dict[str, EvolutionHead] = {}
    values: list[Row] = []
    deletions: list[Row] = []
    for uri, parts in remote.items():
        held = set(ours.get(uri, ()))
        # An auxiliary source only adds what nobody else has (clause 4.3.6.2).
        for mode, part in sorted(parts, key=lambda one: one[0] is Mode.AUXILIARY):
            is_extra = mode is Mode.AUXILIARY
            taken = [row for row in part.values if not (is_extra and row["attribute"] in held)]
            values += taken
            deletions += [] if is_extra else part.deletions
            heads[uri] = _united(heads.get(uri), part.head)
            if not is_extra:
                held |= {row["attribute"] for row in taken}
    history = OverlaidHistory(broker.history, as_table(values), as_table(deletions))
    evolutions = OverlaidEvolutions(broker.evolutions, heads)
    return replace(
        broker,
        history=cast(History, history),
        evolutions=cast(Evolutions, evolutions),
        others=others,
    )


def _united(ours: EvolutionHead | None, theirs: EvolutionHead) -> EvolutionHead:
    if ours is None or not ours.is_recorded:
        return theirs
    created = [at for at in (ours.created_at, theirs.created_at) if at != UNKNOWN_AT]
    ends = [at for at in (ours.deleted_at, theirs.deleted_at) if at is not None]
    series = {(one.name, one.dataset): one for one in (*theirs.series, *ours.series)}
    return EvolutionHead(
        ours.id,
        tuple(dict.fromkeys((*ours.types, *theirs.types))),
        min(created, default=UNKNOWN_AT),
        max(ours.modified_at, theirs.modified_at),
        max(ends) if len(ends) == 2 else None,
        True,
        tuple(series[key] for key in sorted(series)),
    )


def _is_wanted(head: EvolutionHead, search: EvolutionSearch) -> bool:
    names = {one.name for one in head.series}
    if search.attributes and names.isdisjoint(search.attributes):
        return False
    return not search.selectors or any(
        (not one.ids or head.id in one.ids)
        and (not one.id_pattern or finds(one.id_pattern, head.id))
        and (one.types is None or has_types(head.types, one.types))
        for one in search.selectors
    )


def _moments(rows: pa.Table) -> Any:
    return pc.coalesce(rows["observed_at"], rows["committed_at"])


def _within(rows: pa.Table, query: RawQuery) -> pa.Table:
    """Those of the series and of the time of the query."""
    if not rows.num_rows:
        return rows
    wanted = {(one.entity, one.attribute, one.dataset) for one in query.series}
    keys = zip(*(rows[name].to_pylist() for name in _KEYS), strict=True)
    keep = pa.array([key in wanted for key in keys], pa.bool_())
    at = _moments(rows)
    if query.start_at is not None:
        keep = pc.and_(keep, pc.greater_equal(at, pa.scalar(query.start_at, at.type)))
    if query.end_at is not None:
        keep = pc.and_(keep, pc.less(at, pa.scalar(query.end_at, at.type)))
    return rows.filter(keep)


def _once(rows: pa.Table) -> pa.Table:
    """In the order of a raw answer; of one time of a series only what was written last (4.5.5)."""
    with_at = rows.append_column("at", _moments(rows))
    order = [(name, "ascending") for name in (*_KEYS, "at", "committed_at", "seq")]
    ordered = with_at.sort_by(order).select(RAW_ANSWER.names).combine_chunks()
    seen = list(zip(*(ordered[n].to_pylist() for n in (*_KEYS, "observed_at")), strict=True))
    keep = [
        row[3] is None or n + 1 == len(seen) or seen[n + 1] != row for n, row in enumerate(seen)
    ]
    return ordered.filter(pa.array(keep, pa.bool_()))


def _outermost(rows: pa.Table, query: RawQuery) -> pa.Table:
    """The earliest or newest rows of each series, as many as the query asks for."""
    keys = np.array(
        ["\x00".join(k) for k in zip(*(rows[n].to_pylist() for n in _KEYS), strict=True)]
    )
    at = np.arange(len(keys))
    starts = np.ones(len(keys), np.bool_)
    starts[1:] = keys[1:] != keys[:-1]
    group = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    sizes = np.diff(np.append(first, len(keys)))
    rank = at - first[group]
    if query.last_n is not None:
        keep = sizes[group] - 1 - rank < query.last_n
    else:
        keep = rank < (query.first_n or 0)
    return rows.filter(pa.array(keep))
