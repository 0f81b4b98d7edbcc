"""What carries notifications to those who subscribed."""

from collections.abc import Mapping

from dothi.access.egress import egress_policy
from dothi.app.config.settings import Settings
from dothi.model.problem import Problem
from dothi.notify.mqtt.sender import MqttSender
from dothi.notify.webhook.sender import WebhookSender
from dothi.ports.notifier import Notifier

_LOOPBACK = ("127.0.0.0/8", "::1/128")


def senders(settings: Settings) -> Mapping[str, Notifier]:
    """By the scheme of the endpoint. Raises Problem: `allow` holds no network."""
    allowed = settings.ngsi_ld.notify.allow
    if settings.access.mode == "open":
        allowed += _LOOPBACK  # whoever may use the program is on this machine already
    try:
        policy = egress_policy(allowed)
    except ValueError as error:
        raise Problem(
            "notify_allow_wrong",
            "A network cannot be read",
            str(error),
            500,
            where="[ngsi_ld.notify] allow",
            remedy="write addresses or networks such as 10.0.0.0/8",
        ) from error
    webhook, mqtt = WebhookSender(policy), MqttSender(policy)
    return {"http": webhook, "https": webhook, "mqtt": mqtt, "mqtts": mqtt}
