"""When the notifications of a subscription are due, and what gathers until then (throttling)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct, field

from dothi.facades.ngsi_ld.subscriptions.matcher import Matched
from dothi.facades.ngsi_ld.subscriptions.model import Subscription
from dothi.ports.subscriptions import Notification

_MARGIN = timedelta(seconds=0.1)
"""Nothing joins a notification that is about to leave."""


class _Gathering(Struct):
    """The notification that leaves when the time is over; the newest state of each entity."""

    id: str
    due_at: datetime
    created_at: datetime
    items: dict[str, str] = field(default_factory=dict)


class Throttle:
    """Changes within the pause are told together at its end, so that no last state is missed."""

    def __init__(self) -> None:
        self._gathering: dict[int, _Gathering] = {}

    def forget(self, number: int) -> None:
        self._gathering.pop(number, None)

    def notifications(self, matched: Iterable[Matched], now_at: datetime) -> list[Notification]:
        """What goes into the outbox; one whose id is there already replaces it."""
        found: dict[str, Notification] = {}
        for one in matched:
            made = (
                self._gathered(one, now_at)
                if one.subscription.throttling_s
                else Notification(one.id, one.subscription.number, one.data, now_at, now_at)
            )
            found[made.id] = made
        return list(found.values())

    def _gathered(self, matched: Matched, now_at: datetime) -> Notification:
        subscription = matched.subscription
        known = self._gathering.get(subscription.number)
        if known is None or now_at > known.due_at - _MARGIN:
            due_at = self._next_at(subscription, known, now_at)
            known = _Gathering(matched.id, due_at, now_at)
            self._gathering[subscription.number] = known
        known.items |= dict(matched.items)
        data = "[" + ",".join(known.items.values()) + "]"
        return Notification(known.id, subscription.number, data, known.created_at, known.due_at)

    def _next_at(
        self, subscription: Subscription, known: _Gathering | None, now_at: datetime
    ) -> datetime:
        last_at = subscription.delivery.state.last_notification_at
        if known is not None and (last_at is None or known.due_at > last_at):
            last_at = known.due_at
        if last_at is None:
            return now_at
        return max(now_at, last_at + timedelta(seconds=subscription.throttling_s))
