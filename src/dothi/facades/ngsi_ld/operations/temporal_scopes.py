"""Scope queries on evolutions (clauses 4.18, 4.19, 5.7.4.4): a scope holds from the time at which
it is set until another one is set, or none."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.evolution import SCOPE, Evolution
from dothi.facades.ngsi_ld.operations.times import TimeQuery
from dothi.facades.ngsi_ld.wire.past import PastInstance, past_instances
from dothi.model.condition import AllOf, AnyOf, Condition, HasScope
from dothi.model.row import VALUE_CHANGES, Change
from dothi.model.series import RawQuery, SeriesKey
from dothi.pipeline.matching import scope_matches
from dothi.ports.evolution import EvolutionHead

_NEVER = datetime.max.replace(tzinfo=UTC)
_EVER = datetime.min.replace(tzinfo=UTC)


class ScopeSpan(Struct, frozen=True):
    """One setting of the scopes that satisfies a scope query, and how long it held."""

    instance: PastInstance
    start_at: datetime
    end_at: datetime

    def holds_at(self, at: datetime) -> bool:
        return self.start_at <= at < self.end_at


def matching_spans(
    broker: Broker, heads: Sequence[EvolutionHead], condition: Condition, times: TimeQuery
) -> dict[str, list[ScopeSpan]]:
    """Entity -> settings of its scopes that satisfy the condition and held within the times."""
    series = tuple(SeriesKey(head.id, SCOPE) for head in heads)
    query = RawQuery(series, None, times.end_at, changes=(*VALUE_CHANGES, Change.DELETE_ATTRIBUTE))
    settings: dict[str, list[PastInstance]] = {}
    for row in past_instances(broker.history.raw(query)):
        settings.setdefault(row.entity, []).append(row)
    found: dict[str, list[ScopeSpan]] = {}
    start = times.start_at or _EVER
    for entity, rows in settings.items():
        begins = [row.observed_at or row.committed_at for row in rows]
        spans = [
            ScopeSpan(row, begin, end)
            for row, begin, end in zip(rows, begins, [*begins[1:], _NEVER], strict=True)
            if end > start and _matches(_scopes(row), condition)
        ]
        if spans:
            found[entity] = spans
    return found


def keep_within(evolution: Evolution, spans: Sequence[ScopeSpan], times: TimeQuery) -> None:
    """Leave the instances that fall into a time in which a scope matched, and those scopes."""
    kept = {
        name: [row for row in rows if any(s.holds_at(times.place_of(row)) for s in spans)]
        for name, rows in evolution.rows.items()
        if name != SCOPE
    }
    evolution.rows = {name: rows for name, rows in kept.items() if rows}
    evolution.rows[SCOPE] = [span.instance for span in spans]


def _scopes(row: PastInstance) -> list[str]:
    if row.is_deletion or row.body is None:
        return []
    value = msgspec.json.decode(row.body).get("value", [])
    return value if isinstance(value, list) else [value]


def _matches(scopes: Sequence[str], condition: Condition) -> bool:
    match condition:
        case AllOf(parts):
            return all(_matches(scopes, part) for part in parts)
        case AnyOf(parts):
            return any(_matches(scopes, part) for part in parts)
        case HasScope():
            return any(scope_matches(scope, condition) for scope in scopes)
    raise TypeError(f"{condition!r} is no scope query")
