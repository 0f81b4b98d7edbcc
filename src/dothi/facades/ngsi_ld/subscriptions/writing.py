"""Subscriptions in answers (clauses 5.2.12 and 5.2.14)."""

from datetime import datetime
from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.subscriptions.model import DEFAULT_TRIGGERS, Subscription
from dothi.facades.ngsi_ld.subscriptions.naming import with_names
from dothi.facades.ngsi_ld.subscriptions.reading import HIDDEN
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.ports.subscriptions import DeliveryState


def written(subscription: Subscription, context: LdContext, now_at: datetime) -> dict[str, Any]:
    """What was given, with names of the @context, and the members that the broker keeps.

    Of the members with a default only notificationTrigger is shown when it was not given: readers
    see which changes it is about.
    """
    document = {k: v for k, v in subscription.document.items() if k not in HIDDEN}
    named = with_names(document, context.wire)
    notification = {**named.pop("notification"), **_counters(subscription.delivery.state)}
    found = {"id": named.pop("id"), "type": "Subscription", **named}
    found.setdefault("notificationTrigger", list(DEFAULT_TRIGGERS))
    found["status"] = subscription.status(now_at)
    found["notification"] = notification
    return found


def _counters(state: DeliveryState) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if state.times_sent:
        found["timesSent"] = state.times_sent
    if state.times_failed:
        found["timesFailed"] = state.times_failed
    times = {
        "lastNotification": state.last_notification_at,
        "lastSuccess": state.last_success_at,
        "lastFailure": state.last_failure_at,
    }
    found |= {name: format_date_time(at) for name, at in times.items() if at is not None}
    return found | ({"status": state.status} if state.status else {})
