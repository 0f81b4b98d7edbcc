"""Alarms, their records and figures, as the API answers them."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Raw, Struct

from dothi.alarms.limits import Limits
from dothi.live.alarm_view import AlarmView
from dothi.model.alarm import Alarm, AlarmEntry, RuleFacts
from dothi.rules.explanation import agrees


class CountsView(Struct):
    """How many open alarms there are."""

    unacknowledged: int
    by_priority: list[int]
    """Not suppressed ones, the most urgent first."""
    shelved: int
    by_design: int
    out_of_service: int
    stale: int


class AlarmPage(Struct):
    """Alarms in order."""

    items: list[AlarmView]
    next: str | None
    """`after` of the page that follows; null: this is the last."""
    counts: CountsView
    """Of all open alarms, whatever was asked for."""


class EntryView(Struct):
    """One line of the record."""

    number: int
    kind: str
    at: datetime
    stored_at: datetime
    state: str
    """After it."""
    by: str
    """Person; empty: dothi itself."""
    reason: str
    detail: str
    detail_en: str
    is_announced: bool
    explanation: Raw | None
    """JSON of the rules: inputs, limits, verdicts."""
    agrees: bool | None
    """Whether the explanation, decided again from its inputs, says the same; null: none."""


class SeriesView(Struct):
    """A series that decided."""

    entity: str
    attribute: str
    dataset: str


class FactsView(Struct):
    """What the rule says to the operator, in both languages."""

    title: str
    title_en: str
    domain: str
    consequence: str
    consequence_en: str
    response: str
    response_en: str
    respond_within_s: float | None


class AlarmDetail(Struct):
    """Everything about one alarm."""

    alarm: AlarmView
    rule: FactsView
    record: list[EntryView]
    explanation: Raw | None
    """Of the latest activation."""
    series: list[SeriesView]
    """What it was decided by, for the trend."""
    history: list[AlarmView]
    """Latest occurrences of the same condition, this one included, newest first."""
    shelve_from_at: datetime
    """Earliest end of a shelf that begins now."""
    shelve_until_at: datetime
    """Latest one: the end of the shift."""
    suppressions: list["SuppressionView"]
    """What keeps it from the operators now."""


class SuppressionView(Struct):
    """Alarms that are kept from the operators."""

    id: int
    cause: str
    by: str
    reason: str
    from_at: datetime
    until_at: datetime | None
    rule: str
    entity: str
    area: str
    parent: str
    least_urgent: int | None
    permit: str
    ended_at: datetime | None
    ended_by: str
    state: str
    """in_force, planned or ended."""
    alarms: int
    """Open alarms that it keeps from the operators now."""


def entry_view(entry: AlarmEntry) -> EntryView:
    return EntryView(
        entry.number,
        str(entry.kind),
        entry.at,
        entry.stored_at,
        str(entry.state),
        entry.by,
        entry.reason,
        entry.detail,
        entry.detail_en or entry.detail,
        entry.is_announced,
        raw_json(entry.explanation),
        agrees(entry.explanation) if entry.explanation else None,
    )


def facts_view(facts: RuleFacts, alarm: Alarm, limits: Limits) -> FactsView:
    """What the rule says; its title as the alarm has kept it."""
    within_s = facts.respond_within_s or limits.escalate_after_s[alarm.priority - 1]
    return FactsView(
        alarm.title,
        alarm.title_en,
        alarm.domain,
        facts.consequence or facts.consequence_en,
        facts.consequence_en or facts.consequence,
        facts.response or facts.response_en,
        facts.response_en or facts.response,
        within_s,
    )


def raw_json(text: str) -> Raw | None:
    return Raw(text.encode()) if text else None


def series_of(explanation: str) -> list[SeriesView]:
    """Series that an explanation names, wherever it names them, each once."""
    found = {
        (one["entity"], one["attribute"], one.get("dataset") or ""): None
        for one in _objects(json.loads(explanation) if explanation else None)
        if isinstance(one.get("entity"), str) and isinstance(one.get("attribute"), str)
    }
    return [SeriesView(*key) for key in found]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)
