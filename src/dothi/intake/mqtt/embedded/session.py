"""What the broker remembers of a client, connected or not."""

from collections import deque
from typing import Protocol

from dothi.intake.mqtt.codec.packets import Publish
from dothi.intake.mqtt.embedded.retained import Stored

IN_FLIGHT = 100
"""Messages of QoS 1 on their way to one subscriber, unless it asks for fewer."""


class Outlet(Protocol):
    """The connection of a session."""

    @property
    def is_clogged(self) -> bool:
        """The peer does not read as fast as it is written to."""
        ...

    def send(self, one: Stored, qos: int, packet_id: int, *, is_duplicate: bool = False) -> bool:
        """False when the client does not accept a packet of this size."""
        ...

    def answer(self, packet: bytes) -> None: ...

    def evict(self) -> None:
        """Another connection takes the session over."""
        ...


class _Waiting:
    __slots__ = ("one", "qos")

    def __init__(self, one: Stored, qos: int) -> None:
        self.one, self.qos = one, qos


class Session:
    """Subscriptions and messages of one client id of one source."""

    def __init__(self, source: str | None, client_id: str, max_queued: int) -> None:
        self.source = source
        self.client_id = client_id
        self.filters: set[str] = set()
        self.outlet: Outlet | None = None
        self.expiry_s = 0
        self.expires_at_s: float | None = None
        """time.monotonic() at which it ends; None while connected."""
        self.incoming: dict[int, bool] = {}
        """QoS 2 packet ids not yet released; True once the message is durable."""
        self.window = IN_FLIGHT
        self.dropped = 0
        self._max_queued = max_queued
        self._queue: deque[_Waiting] = deque()
        self._in_flight: dict[int, Stored] = {}
        self._last_id = 0

    def deliver(self, one: Stored, qos: int) -> None:
        """Send now or later; QoS 0 is dropped when the client is away."""
        if self.outlet is None and (qos == 0 or self.expiry_s == 0):
            return
        if len(self._queue) >= self._max_queued:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(_Waiting(one, qos))
        self.pump()

    def pump(self) -> None:
        """Send what waits, as far as the client takes it."""
        outlet = self.outlet
        while self._queue and outlet is not None and not outlet.is_clogged:
            waiting = self._queue[0]
            if waiting.qos and len(self._in_flight) >= self.window:
                return
            self._queue.popleft()
            if waiting.one.is_expired:
                continue
            packet_id = 0
            if waiting.qos:
                packet_id = self._next_id()
                self._in_flight[packet_id] = waiting.one
            if not outlet.send(waiting.one, waiting.qos, packet_id):
                self._in_flight.pop(packet_id, None)
                self.dropped += 1

    def acknowledged(self, packet_id: int) -> None:
        """The subscriber has it."""
        self._in_flight.pop(packet_id, None)
        self.pump()

    def resume(self, outlet: Outlet, window: int) -> None:
        """A connection is there: what was under way goes out again first."""
        self.outlet, self.expires_at_s = outlet, None
        self.window = max(1, min(window, IN_FLIGHT))
        for packet_id, one in self._in_flight.items():
            outlet.send(one, 1, packet_id, is_duplicate=True)
        self.pump()

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % 65_535 + 1
            if self._last_id not in self._in_flight:
                return self._last_id


def outgoing(
    one: Stored, topic_qos: int, *, is_retained: bool, identifiers: tuple[int, ...]
) -> Stored:
    """The copy for one subscriber."""
    message: Publish = one.message._replace(
        qos=topic_qos, packet_id=0, is_retained=is_retained, is_duplicate=False
    )
    if identifiers:
        properties = {**message.properties, 0x0B: list(identifiers)}
        message = message._replace(properties=properties)
    return Stored(message, one.expires_at_s)
