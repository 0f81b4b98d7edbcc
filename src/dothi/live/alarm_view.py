"""How alarms look to a screen: the shapes of docs/reference/http-api.md."""

from datetime import datetime

from msgspec import Struct

from dothi.model.alarm import Alarm, Suppressed


class AlarmView(Struct, gc=False):
    """One occurrence of a condition, as it stands."""

    id: int
    condition: str
    rule: str
    version: int
    entity: str
    entity_type: str
    place: str
    """Name of the entity."""
    lon: float | None
    lat: float | None
    areas: list[str]
    state: str
    priority: int
    title: str
    title_en: str
    text: str
    """Value against limit, in Vietnamese."""
    text_en: str
    domain: str
    position: str
    raised_at: datetime
    active_at: datetime
    returned_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    closed_at: datetime | None
    activations: int
    """How often it became active: say it when acknowledging."""
    suppressed: list[str]
    """shelved, by_design, out_of_service."""
    owner: str
    escalations: int
    is_chattering: bool
    is_latching: bool


def alarm_view(alarm: Alarm) -> AlarmView:
    """An alarm as a screen gets it."""
    place = alarm.place
    return AlarmView(
        id=alarm.id,
        condition=alarm.condition,
        rule=alarm.rule,
        version=alarm.version,
        entity=place.entity,
        entity_type=place.type,
        place=place.name,
        lon=place.lon,
        lat=place.lat,
        areas=list(place.areas),
        state=str(alarm.state),
        priority=int(alarm.priority),
        title=alarm.title,
        title_en=alarm.title_en,
        text=alarm.text,
        text_en=alarm.text_en or alarm.text,
        domain=alarm.domain,
        position=alarm.position,
        raised_at=alarm.raised_at,
        active_at=alarm.active_at,
        returned_at=alarm.returned_at,
        acknowledged_at=alarm.acknowledged_at,
        acknowledged_by=alarm.acknowledged_by,
        closed_at=alarm.closed_at,
        activations=alarm.activations,
        suppressed=suppressed_names(alarm.suppressed),
        owner=alarm.owner,
        escalations=alarm.escalations,
        is_chattering=alarm.is_chattering,
        is_latching=alarm.is_latching,
    )


def suppressed_names(mask: Suppressed) -> list[str]:
    """Names of the kinds."""
    return [str(kind.name).lower() for kind in Suppressed if mask & kind]
