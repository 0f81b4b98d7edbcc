"""What all connections of the embedded broker share."""

from typing import Protocol

from msgspec import Struct, field

from dothi.intake.mqtt.codec.packets import Connect
from dothi.intake.mqtt.codec.reasons import Reason
from dothi.intake.mqtt.counters import MqttCounters
from dothi.intake.mqtt.door import Door
from dothi.intake.mqtt.embedded.broker import Broker
from dothi.intake.mqtt.embedded.login import Login
from dothi.intake.mqtt.settings import EmbeddedSettings


class Peer(Protocol):
    """A connection as the service sees it."""

    def hold(self, is_held: bool) -> None: ...

    def check_time(self, now_s: float) -> None:
        """Cut the connection off when it has been silent for too long."""
        ...

    def shut_down(self, reason: Reason) -> None: ...


class Host(Struct, frozen=True):
    settings: EmbeddedSettings
    broker: Broker
    login: Login
    door: Door
    counters: MqttCounters
    max_packet_bytes: int
    peers: set[Peer] = field(default_factory=set)
    signed_in: dict[Peer, Connect] = field(default_factory=dict)
    """Those that proved a source, with what they proved it by."""
