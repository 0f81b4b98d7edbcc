"""Which alarms are kept from the operators: shelved, suppressed by design, out of service.

ISA-18.2-2016 clause 3.1 keeps the three apart; a suppressed alarm goes on living in the record.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from dothi.model.alarm import Alarm, Suppressed, Suppression, SuppressionCause

ParentIsActive = Callable[[str, str], bool]
"""Whether a rule (id) has an active alarm at an entity."""


def is_in_force(suppression: Suppression, now: datetime) -> bool:
    """Begun, not ended, and its time is not over."""
    if suppression.ended_at is not None or now < suppression.from_at:
        return False
    return suppression.until_at is None or now < suppression.until_at


def allows(suppression: Suppression, alarm: Alarm) -> bool:
    """Whether rule, entity, area and priority fit; the parent is another question."""
    return (
        suppression.rule in ("", alarm.rule)
        and suppression.entity in ("", alarm.place.entity)
        and (not suppression.area or suppression.area in alarm.place.areas)
        and (suppression.least_urgent is None or alarm.priority >= suppression.least_urgent)
    )


def suppressed_by(
    alarm: Alarm, in_force: Iterable[Suppression], parent_is_active: ParentIsActive
) -> Suppressed:
    """The kinds of suppression that hold for an alarm."""
    found = Suppressed.NO
    for one in in_force:
        if found & one.cause.kind or not allows(one, alarm):
            continue
        if one.cause is SuppressionCause.PARENT and not parent_is_active(
            one.parent, alarm.place.entity
        ):
            continue
        found |= one.cause.kind
    return found
