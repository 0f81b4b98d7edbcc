"""Which alarms are kept from the operators: shelved, suppressed by design, out of service.

ISA-18.2-2016 clause 3.1 keeps the three apart; a suppressed alarm goes on living in the record.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from dothi.model.alarm import Alarm, Place, Suppressed, Suppression, SuppressionCause

ParentIsActive = Callable[[str, str], bool]
"""Whether a rule (id) has an active alarm at an entity."""


def is_in_force(suppression: Suppression, now: datetime) -> bool:
    """Begun, not ended, and its time is not over."""
    if suppression.ended_at is not None or now < suppression.from_at:
        return False
    return suppression.until_at is None or now < suppression.until_at


def was_in_force(suppression: Suppression, at: datetime) -> bool:
    """Of a time in the past: as `is_in_force`, also of those that have ended since."""
    if at < suppression.from_at:
        return False
    return all(end is None or at < end for end in (suppression.until_at, suppression.ended_at))


def allows(suppression: Suppression, alarm: Alarm) -> bool:
    """Whether rule, entity, area and priority fit; the parent is another question."""
    return fits(suppression, alarm.rule, alarm.place, alarm.priority)


def fits(suppression: Suppression, rule: str, place: Place, priority: int) -> bool:
    """The same of an alarm that the rule would have at the place."""
    return (
        suppression.rule in ("", rule)
        and suppression.entity in ("", place.entity)
        and (not suppression.area or suppression.area in place.areas)
        and (suppression.least_urgent is None or priority >= suppression.least_urgent)
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
