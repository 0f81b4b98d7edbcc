"""Rows of the tables of alarms as values of the model, and back."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import Row

from dothi.model.alarm import (
    Alarm,
    AlarmEntry,
    AlarmState,
    Entry,
    Place,
    Suppressed,
    Suppression,
    SuppressionCause,
)
from dothi.model.fold import fold
from dothi.model.moments import at_of, us_of
from dothi.model.priority import Priority


@lru_cache(10_000)
def _us_text(at: datetime) -> str:
    """An alarm that comes and goes tells the same times again and again."""
    return str(us_of(at))


Part = Callable[[Alarm], Any]

_PARTS: dict[str, dict[str, Part]] = {
    "id": {"id": lambda one: one.id},
    "condition": {"condition": lambda one: one.condition},
    "rule": {"rule": lambda one: one.rule},
    "version": {"version": lambda one: one.version},
    "place": {
        "entity": lambda one: one.place.entity,
        "entity_type": lambda one: one.place.type,
        "entity_name": lambda one: one.place.name,
        "lon": lambda one: one.place.lon,
        "lat": lambda one: one.place.lat,
        "areas": lambda one: f"|{'|'.join(one.place.areas)}|" if one.place.areas else "",
        "search": lambda one: searched(one),
    },
    "state": {"state": lambda one: str(one.state), "is_open": lambda one: int(one.is_open)},
    "priority": {"priority": lambda one: int(one.priority)},
    "title": {"title": lambda one: one.title, "search": lambda one: searched(one)},
    "title_en": {"title_en": lambda one: one.title_en, "search": lambda one: searched(one)},
    "text": {"text": lambda one: one.text, "search": lambda one: searched(one)},
    "text_en": {"text_en": lambda one: one.text_en, "search": lambda one: searched(one)},
    "raised_at": {"raised_us": lambda one: us_of(one.raised_at)},
    "opened_at": {"opened_us": lambda one: us_of(one.opened_at)},
    "active_at": {"active_us": lambda one: us_of(one.active_at)},
    "seq": {"seq": lambda one: one.seq},
    "domain": {"domain": lambda one: one.domain},
    "position": {"position": lambda one: one.position},
    "returned_at": {"returned_us": lambda one: us_of(one.returned_at)},
    "acknowledged_at": {"acknowledged_us": lambda one: us_of(one.acknowledged_at)},
    "acknowledged_by": {"acknowledged_by": lambda one: one.acknowledged_by},
    "closed_at": {"closed_us": lambda one: us_of(one.closed_at)},
    "activations": {"activations": lambda one: one.activations},
    "is_latching": {"is_latching": lambda one: int(one.is_latching)},
    "suppressed": {"suppressed": lambda one: int(one.suppressed)},
    "owner": {"owner": lambda one: one.owner},
    "escalate_at": {"escalate_us": lambda one: us_of(one.escalate_at)},
    "escalations": {"escalations": lambda one: one.escalations},
    "recent_at": {"recent": lambda one: ",".join(map(_us_text, one.recent_at))},
    "is_chattering": {"is_chattering": lambda one: int(one.is_chattering)},
    "revision": {"revision": lambda one: one.revision},
}
"""Field of an alarm -> columns that follow from it."""
COLUMNS: dict[str, Part] = {name: part for parts in _PARTS.values() for name, part in parts.items()}
"""All columns of `alarm`."""


_FIELDS = tuple(_PARTS[field] for field in Alarm.__struct_fields__)


def changed_columns(before: Alarm, after: Alarm) -> tuple[str, ...]:
    """Columns whose values differ, or may."""
    pairs = zip(astuple(before), astuple(after), strict=True)
    return _columns_of(tuple([n for n, (a, b) in enumerate(pairs) if a is not b and a != b]))


@cache
def _columns_of(fields: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for n in fields for name in _FIELDS[n]))


@cache
def parts_of(columns: tuple[str, ...]) -> tuple[Part, ...]:
    """What gives the cells of these columns."""
    return tuple(COLUMNS[name] for name in columns)


def searched(one: Alarm) -> str:
    """What words are looked for in."""
    words = (one.title, one.title_en, one.text, one.text_en, one.place.name, one.place.entity)
    return fold(" ".join(words))


def alarm_of(row: Row[Any]) -> Alarm:
    """A row of `alarm`."""
    return Alarm(
        id=row.id,
        condition=row.condition,
        rule=row.rule,
        version=row.version,
        place=Place(
            row.entity,
            row.entity_type,
            row.entity_name,
            row.lon,
            row.lat,
            tuple(row.areas.strip("|").split("|")) if row.areas else (),
        ),
        state=AlarmState(row.state),
        priority=Priority(row.priority),
        title=row.title,
        title_en=row.title_en,
        text=row.text,
        text_en=row.text_en,
        raised_at=at_of(row.raised_us),
        opened_at=at_of(row.opened_us),
        active_at=at_of(row.active_us),
        seq=row.seq,
        domain=row.domain,
        position=row.position,
        returned_at=at_of(row.returned_us),
        acknowledged_at=at_of(row.acknowledged_us),
        acknowledged_by=row.acknowledged_by,
        closed_at=at_of(row.closed_us),
        activations=row.activations,
        is_latching=bool(row.is_latching),
        suppressed=Suppressed(row.suppressed),
        owner=row.owner,
        escalate_at=at_of(row.escalate_us),
        escalations=row.escalations,
        recent_at=tuple(at_of(int(us)) for us in row.recent.split(",") if us),
        is_chattering=bool(row.is_chattering),
        revision=row.revision,
    )


def entry_cells(one: AlarmEntry, number: int) -> tuple[Any, ...]:
    """Cells of `alarm_entry`, in the order of its columns."""
    return (
        number,
        one.alarm,
        str(one.kind),
        us_of(one.at),
        us_of(one.stored_at),
        str(one.state),
        one.by,
        one.reason,
        one.detail,
        one.detail_en,
        one.explanation,
        int(one.is_announced),
    )


def entry_of(row: Row[Any]) -> AlarmEntry:
    """A row of `alarm_entry`."""
    return AlarmEntry(
        row.alarm_id,
        Entry(row.kind),
        at_of(row.at_us),
        at_of(row.stored_us),
        AlarmState(row.state),
        row.person,
        row.reason,
        row.detail,
        row.explanation,
        bool(row.is_announced),
        row.detail_en,
        row.id,
    )


def suppression_values(one: Suppression) -> dict[str, Any]:
    """Columns of `alarm_suppression` but its id."""
    return {
        "cause": str(one.cause),
        "person": one.by,
        "reason": one.reason,
        "from_us": us_of(one.from_at),
        "until_us": us_of(one.until_at),
        "rule": one.rule,
        "entity": one.entity,
        "area": one.area,
        "parent": one.parent,
        "least_urgent": None if one.least_urgent is None else int(one.least_urgent),
        "permit": one.permit,
        "has_begun": one.has_begun,
        "ended_us": us_of(one.ended_at),
        "ended_by": one.ended_by,
    }


def suppression_of(row: Row[Any]) -> Suppression:
    """A row of `alarm_suppression`."""
    return Suppression(
        cause=SuppressionCause(row.cause),
        by=row.person,
        reason=row.reason,
        from_at=at_of(row.from_us),
        until_at=at_of(row.until_us),
        rule=row.rule,
        entity=row.entity,
        area=row.area,
        parent=row.parent,
        least_urgent=None if row.least_urgent is None else Priority(row.least_urgent),
        permit=row.permit,
        id=row.id,
        has_begun=bool(row.has_begun),
        ended_at=at_of(row.ended_us),
        ended_by=row.ended_by,
    )
