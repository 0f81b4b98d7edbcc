"""Why a rule did not fire at an entity at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from dothi.model.rule import Rule, Scope
from dothi.ports.rules import RuleRecord
from dothi.rules.explanation import Term
from dothi.rules.past import Surroundings, earlier_rows, history_rows, look_back
from dothi.rules.scope import EntityFacts

Reason = Literal[
    "active", "delayed", "false", "no_data", "bad_quality", "no_limit", "out_of_scope",
    "not_approved", "switched_off", "ending", "shelved", "suppressed", "out_of_service",
]  # fmt: skip


class WhyNot(Struct, frozen=True):
    """What one rule says of one entity at one time."""

    rule: Rule
    reason: Reason
    """The first that holds of: not_approved, out_of_scope, switched_off, active (it did fire) or
    ending (the condition is over, the off-delay is not), delayed, undecidable, false. Whoever knows
    the alarms says shelved, suppressed or out_of_service instead of the first two."""
    terms: tuple[Term, ...] = ()
    due_at: datetime | None = None
    """delayed, ending, kept back: until when."""
    out_of: tuple[str, ...] = ()
    """out_of_scope: which of types, ids, areas, sources."""


def why_not(
    records: Sequence[RuleRecord],
    entity: str,
    at: datetime,
    facts: EntityFacts,
    around: Surroundings,
) -> list[WhyNot]:
    """What every rule says: the version that was in force then, else the newest."""
    return [_of_rule(record, entity, at, facts, around) for record in records]


def _of_rule(
    record: RuleRecord, entity: str, at: datetime, facts: EntityFacts, around: Surroundings
) -> WhyNot:
    rule = version_at(record, at)
    if rule is None:
        return WhyNot(record.newest, "not_approved")
    out_of = out_of_scope(rule.scope, entity, facts)
    if out_of:
        return WhyNot(rule, "out_of_scope", out_of=out_of)
    engine = around.engine([rule])
    # A row of the asked moment itself counts.
    span = (at - look_back(rule), at + timedelta(microseconds=1))
    senders: set[str] = set()
    for rows in (
        *earlier_rows(rule, entity, span[0], around.history),
        *history_rows(rule, [entity], span, around.history, is_replayed=False),
    ):
        senders.update(rows["source"].unique().to_pylist())
        engine.evaluate(rows, at)
    if rule.scope.sources and senders and senders.isdisjoint(rule.scope.sources):
        return WhyNot(rule, "out_of_scope", out_of=("sources",))
    engine.tick(at)
    view = engine.view(rule.id, entity, at)
    if view is None:
        return WhyNot(rule, "switched_off" if not record.is_enabled else "no_data")
    if not record.is_enabled:
        return WhyNot(rule, "switched_off", view.terms)
    if view.is_active:
        return WhyNot(rule, "ending" if view.due_at else "active", view.terms, view.due_at)
    if view.due_at is not None:
        return WhyNot(rule, "delayed", view.terms, view.due_at)
    return WhyNot(rule, _undecided(view.terms) if view.verdict is None else "false", view.terms)


def version_at(record: RuleRecord, at: datetime) -> Rule | None:
    """The version that was in force at the time."""
    found = [
        rule for rule in record.versions if rule.approved_at is not None and rule.approved_at <= at
    ]
    return found[-1] if found else None


def out_of_scope(scope: Scope, entity: str, facts: EntityFacts) -> tuple[str, ...]:
    """Which parts of the scope do not hold at the entity."""
    own = {"types": facts.types, "ids": (entity,), "areas": facts.areas}
    return tuple(
        name
        for name, values in own.items()
        if getattr(scope, name) and set(getattr(scope, name)).isdisjoint(values)
    )


def _undecided(terms: Sequence[Term]) -> Reason:
    reasons = {term.reason for term in terms if term.verdict is None}
    for reason in ("no_data", "bad_quality", "no_limit"):
        if reason in reasons:
            return reason
    return "no_data"
