"""Rules on the history: back-tests and why-not."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct

from dothi.api.deps import ApiDeps
from dothi.api.kept_back import with_kept_back
from dothi.api.query import Whole
from dothi.api.series_query import Instant
from dothi.model.alarm import Place
from dothi.model.moments import us_of
from dothi.model.problem import Problem
from dothi.model.rule import Rule
from dothi.ports.rules import Rules
from dothi.rules.explanation import Term
from dothi.rules.firings import new_firings
from dothi.rules.limits import DatedLimits
from dothi.rules.past import BackTest, Surroundings, back_test
from dothi.rules.plan import compile_rules
from dothi.rules.reading import read_rule
from dothi.rules.why_not import why_not

MOST_FIRINGS = 500
"""Told one by one; the figures count all."""
LONGEST = timedelta(days=3660)


class BackTestBody(Struct, forbid_unknown_fields=True):
    """Either a rule as it is written, or the id (and version) of a stored one."""

    start: Instant
    end: Instant
    rule: dict[str, Any] | None = None
    id: str = ""
    version: Whole | None = None
    entity: str = ""
    """Only this entity."""


class FiringView(Struct):
    """A time during which the rule was active."""

    entity: str
    start_at: datetime
    end_at: datetime | None
    text: str
    """Value against limit, in Vietnamese."""
    text_en: str
    is_new: bool
    """The version that is in force was not active at any moment of it."""


class LimitLine(Struct):
    """A limit of one term over time, for the chart."""

    entity: str
    attribute: str
    figure: str
    comparison: str
    start_at: datetime
    limit: float
    source: str


class BackTestView(Struct):
    entities: int
    rows: int
    fired: int
    new: int
    active_s: float
    longest_s: float
    in_force_fired: int | None
    """Of the version in force over the same time; null: none is."""
    by_entity: dict[str, int]
    firings: list[FiringView]
    """The newest 500, newest first."""
    lines: list[LimitLine]


class WhyNotQuery(Struct, forbid_unknown_fields=True):
    """`at` missing: now."""

    entity: Annotated[str, Meta(min_length=1)]
    at: Instant | None = None


class WhyNotView(Struct):
    rule: Rule
    reason: str
    terms: list[Term]
    due_at: datetime | None
    out_of: list[str]


def run_why_not(deps: ApiDeps, rules: Rules, asked: WhyNotQuery) -> list[WhyNotView]:
    """Blocking."""
    around, facts = surroundings(deps, rules)
    (own,) = facts.look_up([asked.entity], with_areas=True)
    at = asked.at or deps.clock.now()
    found = why_not(rules.all(), asked.entity, at, own, around)
    if deps.alarms is not None:
        place = Place(asked.entity, areas=own.areas)
        found = with_kept_back(found, place, at, deps.alarms.reader)
    return [
        WhyNotView(one.rule, one.reason, list(one.terms), one.due_at, list(one.out_of))
        for one in found
    ]


def run_back_test(deps: ApiDeps, rules: Rules, body: BackTestBody) -> BackTestView:
    """Blocking. Raises Problem: no such rule, or a time that makes no sense."""
    if not body.start < body.end <= body.start + LONGEST:
        raise Problem(
            "parameter_invalid",
            "Parameter not understood",
            "end must be later than start, by at most ten years",
            where="body end",
        )
    rule = _rule(rules, body)
    around, facts = surroundings(deps, rules)
    entities = facts.in_scope(rule)
    if body.entity:
        entities = [one for one in entities if one == body.entity]
    span = (body.start, body.end)
    tested = back_test(rule, entities, span, around)
    record = rules.get(rule.id)
    current = record.approved if record is not None and record.is_enabled else None
    before: BackTest | None = None
    if current is not None:
        scope = [one for one in facts.in_scope(current) if not body.entity or one == body.entity]
        before = back_test(current, scope, span, around)
    return _view(tested, before, entities, _lines(rule, entities, span, around), span)


def surroundings(deps: ApiDeps, rules: Rules) -> tuple[Surroundings, Any]:
    """What rules need beside their rows, and the facts."""
    facts = deps.rule_facts
    assert facts is not None, "given with the rules"
    limits, words = rules.limits(), deps.rule_vocabulary
    return Surroundings(deps.history, facts, limits, facts.area_shape, words), facts


def _rule(rules: Rules, body: BackTestBody) -> Rule:
    if body.rule is not None:
        return read_rule(body.rule, "$.rule")
    record = rules.get(body.id)
    found = () if record is None else record.versions
    if record is not None and body.version is None:
        return record.approved or record.newest
    for one in found:
        if one.version == body.version:
            return one
    raise Problem(
        "rule_unknown",
        "No such rule",
        f"there is no rule {body.id!r}, version {body.version}",
        404,
        where="body id",
        remedy="give a rule, or the id of one that GET /api/v1/rules lists",
    )


def _view(
    tested: BackTest,
    before: BackTest | None,
    entities: list[str],
    lines: list[LimitLine],
    span: tuple[datetime, datetime],
) -> BackTestView:
    firings = tested.firings
    is_new = [True] * len(firings) if before is None else new_firings(firings, before.firings)
    newest = list(zip(firings[-MOST_FIRINGS:], is_new[-MOST_FIRINGS:], strict=True))[::-1]
    return BackTestView(
        len(entities),
        tested.rows,
        len(firings),
        sum(is_new),
        tested.active_s,
        max(firings.lengths_s(span), default=0.0),
        None if before is None else len(before.firings),
        firings.by_entity(),
        [
            FiringView(f.entity, f.start_at, f.end_at, f.told.text, f.told.text_en, new)
            for f, new in newest
        ],
        lines,
    )


_MOST_LINES = 200


def _lines(
    rule: Rule, entities: list[str], span: tuple[datetime, datetime], around: Surroundings
) -> list[LimitLine]:
    """Limits as they were valid over the time; of at most a few entities."""
    dated = DatedLimits(around.limits)
    plan = compile_rules([rule])
    found: list[LimitLine] = []
    for entity in entities[:_MOST_LINES]:
        for leaf in plan.leaves:
            figure = plan.signals[leaf.signal].kind
            inside = [us for us in dated.edges_us if us_of(span[0]) < us < us_of(span[1])]
            last: float | None = None
            for us in [us_of(span[0]), *inside]:
                limit = dated.find(leaf.limit, entity, us)
                if limit is None or limit.value == last:
                    continue
                last = limit.value
                source = "" if limit.origin is None else limit.origin.source
                at = span[0] + timedelta(microseconds=us - us_of(span[0]))
                found.append(
                    LimitLine(entity, leaf.name, figure, leaf.comparison, at, limit.value, source)
                )
    return found
