"""Channel `mqtt`: a letter as a message with quality of service 1."""

import re
from urllib.parse import quote

from dothi.model.delivery import DeliveryState
from dothi.notify.mqtt.sender import MqttSender
from dothi.notify.settings import MqttChannelSettings
from dothi.notify.webhook.channel import content
from dothi.ports.channel import Handed, Letter
from dothi.ports.notifier import Message

_UNUSABLE = re.compile(r"[+#\x00]")
"""Not allowed in the name of a topic (MQTT 5, section 4.7.1)."""


class MqttChannel:
    """One broker; the address of a person is a topic. The body is that of the webhook."""

    contact = "mqtt"

    def __init__(self, settings: MqttChannelSettings, password: str, sender: MqttSender) -> None:
        self._sender = sender
        self._url = settings.url.rstrip("/")
        self._timeout_s = settings.timeout_s
        self._options = [
            ("MQTT-QoS", "1"),
            ("MQTT-Version", "mqtt5.0" if settings.version == "5" else "mqtt3.1.1"),
        ]
        if settings.user:
            self._options += [("MQTT-User", settings.user), ("MQTT-Password", password)]

    def lane(self, address: str) -> str:
        """See ports.channel.Channel."""
        del address
        return ""

    async def send(self, letter: Letter) -> Handed:
        """See ports.channel.Channel."""
        topic = letter.address.strip("/")
        if not topic or _UNUSABLE.search(topic):
            return Handed(DeliveryState.FAILED, "the address is no name of a topic")
        outcome = await self._sender.send(
            Message(
                f"{self._url}/{quote(topic)}",
                content(letter),
                options=self._options,
                timeout_s=self._timeout_s,
            )
        )
        if outcome.is_ok:
            return Handed(DeliveryState.ACCEPTED, "taken by the broker")
        # Whatever the reason, it is the broker of the settings: the letter waits.
        return Handed(DeliveryState.WAITING, outcome.detail, is_reached=False)

    async def close(self) -> None:
        """See ports.channel.Channel."""
        await self._sender.close()
