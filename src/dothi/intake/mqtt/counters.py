"""What the door did, for /metrics."""

from collections import Counter

from msgspec import Struct, field

from dothi.model.measure import Measure, counter, gauge


class MqttCounters(Struct):
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
        """Every figure by name; the counts by reason as dictionaries."""
        figures: dict[str, int | dict[str, int]] = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            figures[name] = dict(value) if isinstance(value, Counter) else value
        return figures

    def measures(self) -> list[Measure]:
        """For /metrics."""
        found = [_measure(name, text, getattr(self, name)) for name, text in _HELP.items()]
        found.append(_by_reason("dothi_mqtt_rejects_total", "Refused here.", self.rejects))
        found.append(
            _by_reason(
                "dothi_mqtt_protocol_errors_total",
                "Connections cut off because the peer broke the protocol.",
                self.protocol_errors,
            )
        )
        return found


_HELP = {
    "connections": "Open connections.",
    "connections_total": "Connections ever accepted.",
    "connections_refused_total": "Connections refused: credentials, client id, too many.",
    "sessions": "Sessions held by the embedded broker.",
    "sessions_lost_total": "Times the external broker had forgotten the session.",
    "messages_total": "Messages received.",
    "bytes_total": "Payload bytes received.",
    "acknowledged_total": "Messages acknowledged after their commit.",
    "batches_total": "Batches committed.",
    "retries_total": "Commits tried again because the store was busy or away.",
    "in_flight_messages": "Messages received and not yet committed.",
    "in_flight_bytes": "Payload bytes received and not yet committed.",
    "held_back": "1 while nothing is read because too much is in flight.",
    "delivered_total": "Messages handed to subscribers.",
    "dropped_total": "Messages dropped because a subscriber did not keep up.",
    "retained": "Retained messages held.",
}


def _measure(name: str, text: str, value: int) -> Measure:
    make = counter if name.endswith("_total") else gauge
    return make(f"dothi_mqtt_{name}", text, value)


def _by_reason(name: str, text: str, counts: Counter[str]) -> Measure:
    samples = [({"reason": reason}, float(count)) for reason, count in list(counts.items())]
    return Measure(name, "counter", text, samples)
