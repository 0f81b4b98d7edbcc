"""Rows of the tables of alarms as values of the model, and back."""

from typing import Any

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


def alarm_values(one: Alarm, revision: int) -> dict[str, Any]:
    """Columns of `alarm`."""
    place = one.place
    return {
        "id": one.id,
        "condition": one.condition,
        "rule": one.rule,
        "version": one.version,
        "entity": place.entity,
        "entity_type": place.type,
        "entity_name": place.name,
        "lon": place.lon,
        "lat": place.lat,
        "areas": f"|{'|'.join(place.areas)}|" if place.areas else "",
        "state": str(one.state),
        "is_open": int(one.is_open),
        "priority": int(one.priority),
        "title": one.title,
        "title_en": one.title_en,
        "text": one.text,
        "text_en": one.text_en,
        "search": searched(one),
        "raised_us": us_of(one.raised_at),
        "opened_us": us_of(one.opened_at),
        "active_us": us_of(one.active_at),
        "seq": one.seq,
        "domain": one.domain,
        "position": one.position,
        "returned_us": us_of(one.returned_at),
        "acknowledged_us": us_of(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by,
        "closed_us": us_of(one.closed_at),
        "activations": one.activations,
        "is_latching": one.is_latching,
        "suppressed": int(one.suppressed),
        "owner": one.owner,
        "escalate_us": us_of(one.escalate_at),
        "escalations": one.escalations,
        "recent": ",".join(str(us_of(at)) for at in one.recent_at),
        "is_chattering": one.is_chattering,
        "revision": revision,
    }


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


def entry_values(one: AlarmEntry, number: int) -> dict[str, Any]:
    """Columns of `alarm_entry`."""
    return {
        "id": number,
        "alarm_id": one.alarm,
        "kind": str(one.kind),
        "at_us": us_of(one.at),
        "stored_us": us_of(one.stored_at),
        "state": str(one.state),
        "person": one.by,
        "reason": one.reason,
        "detail": one.detail,
        "detail_en": one.detail_en,
        "explanation": one.explanation,
        "is_announced": int(one.is_announced),
    }


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
