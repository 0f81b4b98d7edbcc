"""What the door did, for /metrics."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class MqttCounters:
    """Plain numbers, changed from the event loop only. Names ending in `_total` only rise."""

    connections: int = 0
    """Open now."""
    connections_total: int = 0
    connections_refused_total: int = 0
    protocol_errors: Counter[str] = field(default_factory=Counter)
    """Connections cut off, by reason code of MQTT 5."""
    sessions: int = 0
    """Embedded broker: sessions held, also of clients that are away."""
    sessions_lost_total: int = 0
    """External broker: it no longer knew the session, so messages may have been missed."""
    messages_total: int = 0
    bytes_total: int = 0
    """Payload bytes received."""
    acknowledged_total: int = 0
    batches_total: int = 0
    retries_total: int = 0
    """Times a commit was tried again because the store was busy or away."""
    in_flight_messages: int = 0
    in_flight_bytes: int = 0
    held_back: int = 0
    """1 while nothing is read from the sockets because too much is in flight."""
    rejects: Counter[str] = field(default_factory=Counter)
    """Observations refused by this door, by reason."""
    delivered_total: int = 0
    """Embedded broker: messages handed to subscribers."""
    dropped_total: int = 0
    """Embedded broker: messages dropped because a subscriber did not keep up."""
    retained: int = 0

    def snapshot(self) -> dict[str, int | dict[str, int]]:
        """Every figure by name; the two counters as dictionaries."""
        figures: dict[str, int | dict[str, int]] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            figures[name] = dict(value) if isinstance(value, Counter) else value
        return figures
