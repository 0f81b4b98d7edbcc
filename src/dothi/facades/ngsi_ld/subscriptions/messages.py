"""The notification as it travels (clauses 5.3.1, 6.3.8 and 7.2)."""

from datetime import datetime
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.notifying.message import carried
from dothi.facades.ngsi_ld.subscriptions.model import Subscription
from dothi.facades.ngsi_ld.wire.answers import context_value
from dothi.facades.ngsi_ld.wire.negotiation import GEO_JSON, JSON, link_of_context
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.ports.notifier import Message
from dothi.ports.subscriptions import Notification


def message_of(
    notification: Notification,
    subscription: Subscription,
    now_at: datetime,
    timeout_s: float,
    tenant: str = "",
) -> Message:
    """What goes to the endpoint."""
    target = subscription.target
    given = dict(target.receiver_info)
    headers = {"Content-Type": target.accept}
    has_context_in_body = target.accept != JSON and _prefer(given) != "body=json"
    if target.accept == JSON or (target.accept == GEO_JSON and not has_context_in_body):
        headers["Link"] = link_of_context(subscription.context.url)
    if tenant:
        headers["NGSILD-Tenant"] = tenant
    headers |= {key: value for key, value in given.items() if key.lower() != "content-type"}
    body = {
        "id": notification.id,
        "type": "Notification",
        "subscriptionId": subscription.id,
        "notifiedAt": format_date_time(now_at),
        "data": _data(notification.data, subscription, has_context_in_body),
    }
    timeout_s = min(target.timeout_s or timeout_s, timeout_s)
    return carried(target.uri, headers, body, target.notifier_info, timeout_s)


def _data(text: str, subscription: Subscription, has_context: bool) -> Any:
    raw = msgspec.Raw(text.encode())
    if subscription.target.accept != GEO_JSON:
        return raw
    found: dict[str, Any] = {"type": "FeatureCollection", "features": raw}
    return found | ({"@context": context_value(subscription.context)} if has_context else {})


def _prefer(headers: dict[str, str]) -> str:
    return next((value for key, value in headers.items() if key.lower() == "prefer"), "")
