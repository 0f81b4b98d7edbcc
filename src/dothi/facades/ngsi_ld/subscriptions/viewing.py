"""Subscriptions as the console shows them."""

from datetime import datetime

from dothi.facades.ngsi_ld.subscriptions.dispatcher import Dispatcher
from dothi.facades.ngsi_ld.subscriptions.model import Subscription
from dothi.model.uri import without_login
from dothi.pipeline.gates import receiver_of
from dothi.ports.subscriptions import SubscriptionView

_MOST_IDS = 3


def view_of(
    subscription: Subscription, dispatcher: Dispatcher, now_at: datetime
) -> SubscriptionView:
    """What is known of its delivery now."""
    document = subscription.document
    return SubscriptionView(
        subscription.id,
        document.get("subscriptionName") or document.get("description", ""),
        _about(subscription),
        without_login(subscription.target.uri),
        subscription.status(now_at),
        subscription.record.created_at,
        dispatcher.waiting(subscription.number),
        dispatcher.gates.is_down(receiver_of(subscription.target.uri)),
        subscription.delivery.state,
    )


def _about(subscription: Subscription) -> str:
    parts = []
    for given in subscription.document.get("entities", ()):
        ids = given.get("id", ())
        ids = [ids] if isinstance(ids, str) else list(ids)
        named = [*ids[:_MOST_IDS], *(["…"] if len(ids) > _MOST_IDS else [])]
        named = named or [given[k] for k in ("idPattern",) if k in given]
        parts.append(" ".join([given["type"], *named]))
    watched = ", ".join(sorted(subscription.watched))
    said = (" | ".join(parts) or "*") + (f" [{watched}]" if watched else "")
    q = subscription.document.get("q", "")
    return f"{said}; q: {q}" if q else said
