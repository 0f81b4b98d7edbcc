"""Routes messages between clients and hands each to the door. In memory, one event loop."""

import asyncio
import time
import uuid
from functools import lru_cache

from dothi.intake.mqtt.codec.packets import Connect, Publish, Request, Will
from dothi.intake.mqtt.codec.properties import Property, number
from dothi.intake.mqtt.codec.reasons import PacketError, Reason
from dothi.intake.mqtt.codec.topics import SHARED_PREFIX, covers, matches
from dothi.intake.mqtt.counters import MqttCounters
from dothi.intake.mqtt.door import Door, Origin
from dothi.intake.mqtt.embedded.retained import Retained, stored
from dothi.intake.mqtt.embedded.session import Session, outgoing
from dothi.intake.mqtt.embedded.subscriptions import Subscription, Subscriptions
from dothi.intake.mqtt.mapping.inbound import Inbound
from dothi.intake.mqtt.settings import EmbeddedSettings

MAX_FILTERS = 1_000
"""Topic filters of one session."""


class Broker:
    """Sessions, subscriptions, retained messages and wills."""

    def __init__(self, settings: EmbeddedSettings, door: Door, counters: MqttCounters) -> None:
        self.max_session_expiry_s = settings.max_session_expiry_s
        self._settings = settings
        self._door = door
        self._counters = counters
        self._sessions: dict[tuple[str | None, str], Session] = {}
        self._subscriptions: Subscriptions[Session] = Subscriptions()
        self._retained = Retained(settings.max_retained)
        self._wills: dict[Session, asyncio.TimerHandle] = {}
        self._is_relay_only = lru_cache(maxsize=65_536)(self._find_relay_only)

    def open_session(self, connect: Connect, source: str | None) -> tuple[Session, bool]:
        """(session, whether it was there before). Sessions of other sources are out of reach.

        Raises:
            PacketError: the client id will not do, or there are too many sessions.
        """
        client_id = connect.client_id
        if not client_id:
            if connect.version == 4 and not connect.is_clean:
                raise PacketError(Reason.CLIENT_ID_NOT_VALID, "a lasting session needs a client id")
            client_id = f"auto-{uuid.uuid4().hex}"
        key = (source, client_id)
        session = self._sessions.get(key)
        if session is not None:
            will = self._wills.pop(session, None)
            if will is not None:
                will.cancel()
        if session is not None and connect.is_clean:
            self.end_session(session)
            session = None
        if session is not None:
            return session, True
        if len(self._sessions) >= 2 * self._settings.max_connections:
            raise PacketError(Reason.QUOTA_EXCEEDED, "too many sessions")
        session = Session(source, client_id, self._settings.max_queued_messages)
        self._sessions[key] = session
        self._counters.sessions = len(self._sessions)
        return session, False

    def find_session(self, source: str | None, client_id: str) -> Session | None:
        return self._sessions.get((source, client_id))

    def end_session(self, session: Session) -> None:
        for topic_filter in session.filters:
            self._subscriptions.remove(session, topic_filter)
        session.filters.clear()
        self._sessions.pop((session.source, session.client_id), None)
        self._counters.sessions = len(self._sessions)
        self._counters.dropped_total += session.dropped

    def left(self, session: Session, will: Will | None) -> None:
        """The connection of a session is over; `will` is None after an orderly goodbye."""
        session.outlet = None
        delay_s = number(will.properties, Property.WILL_DELAY, 0) if will else 0
        if will is not None:
            message = Publish(
                will.topic, will.payload, will.qos, 0, will.is_retained, False, will.properties
            )
            delay_s = min(delay_s, session.expiry_s)
            if delay_s:
                self._wills[session] = asyncio.get_running_loop().call_later(
                    delay_s, self._publish_will, session, message
                )
            else:
                self._publish_will(session, message)
        if session.expiry_s == 0:
            self.end_session(session)
        else:
            session.expires_at_s = time.monotonic() + session.expiry_s

    def sweep(self) -> None:
        """End the sessions whose time is over."""
        now_s = time.monotonic()
        for session in list(self._sessions.values()):
            if session.expires_at_s is not None and session.expires_at_s <= now_s:
                self.end_session(session)

    def publish(
        self, session: Session, message: Publish, received_us: int, origin: Origin | None = None
    ) -> None:
        """To the subscribers at once; to the door, which has `origin` acknowledge it."""
        inbound = Inbound(
            message.topic,
            message.payload,
            received_us,
            session.source,
            is_silent=not message.cut
            and (
                (message.is_retained and not message.payload) or self._is_relay_only(message.topic)
            ),
            cut=message.cut,
        )
        self._door.take(inbound, origin, message.packet_id, message.qos)
        if not message.cut and not message.topic.startswith("$"):
            self._route(session, message)

    def subscribe(self, session: Session, request: Request, identifier: int) -> int:
        """The code for SUBACK; call `send_retained` after it was sent."""
        if request.filter.startswith(SHARED_PREFIX):
            return Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
        if not any(covers(allowed, request.filter) for allowed in self._settings.readable):
            return Reason.NOT_AUTHORIZED
        if len(session.filters) >= MAX_FILTERS and request.filter not in session.filters:
            return Reason.QUOTA_EXCEEDED
        qos = min(request.qos, 1)
        self._subscriptions.add(
            session,
            request.filter,
            Subscription(qos, request.no_local, request.retain_as_published, identifier),
        )
        session.filters.add(request.filter)
        return qos

    def unsubscribe(self, session: Session, topic_filter: str) -> bool:
        session.filters.discard(topic_filter)
        return self._subscriptions.remove(session, topic_filter)

    def send_retained(self, session: Session, request: Request, identifier: int) -> None:
        for one in self._retained.matching(request.filter):
            qos = min(one.message.qos, request.qos, 1)
            ids = (identifier,) if identifier else ()
            session.deliver(outgoing(one, qos, is_retained=True, identifiers=ids), qos)

    def _route(self, publisher: Session, message: Publish) -> None:
        deliveries = self._subscriptions.match(message.topic)
        if not deliveries and not message.is_retained:
            return
        one = stored(message)
        if message.is_retained:
            if not self._retained.put(one):
                self._counters.dropped_total += 1
            self._counters.retained = len(self._retained)
        for session, wanted in deliveries.items():
            if wanted.no_local and session is publisher:
                continue
            qos = min(message.qos, wanted.qos)
            is_retained = message.is_retained and wanted.retain_as_published
            copy = outgoing(one, qos, is_retained=is_retained, identifiers=wanted.identifiers)
            session.deliver(copy, qos)
            self._counters.delivered_total += 1

    def _publish_will(self, session: Session, message: Publish) -> None:
        self._wills.pop(session, None)
        self.publish(session, message, time.time_ns() // 1000)

    def _find_relay_only(self, topic: str) -> bool:
        return any(matches(one, topic) for one in self._settings.relay_only)
