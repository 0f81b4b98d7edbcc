"""One client of the embedded broker: its packets in, its answers out."""

import asyncio
import logging
import time
from typing import cast

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.framing import Frame, Framer
from dothi.intake.mqtt.codec.packets import V5, V311, Connack, Connect, Type
from dothi.intake.mqtt.codec.properties import Property, number
from dothi.intake.mqtt.codec.reasons import CONNACK_V3, PacketError, Reason, protocol_error
from dothi.intake.mqtt.embedded.conversation import Conversation
from dothi.intake.mqtt.embedded.entrance import NO_LIMIT, enter
from dothi.intake.mqtt.embedded.host import Host
from dothi.intake.mqtt.embedded.retained import Stored
from dothi.intake.mqtt.embedded.session import IN_FLIGHT
from dothi.intake.mqtt.mapping.inbound import Inbound

_log = logging.getLogger(__name__)

WRITE_BUFFER_BYTES = 262_144
_CONNECT = bytes((Type.CONNECT << 4,))


class Connection(asyncio.Protocol):
    """Speaks MQTT 3.1.1 or 5 with one client, whichever its CONNECT names."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._framer = Framer(host.max_packet_bytes)
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._connect: Connect | None = None
        self._conversation: Conversation | None = None
        self._login: asyncio.Task[None] | None = None
        self._early: list[Frame] = []
        """Frames that came while the login was being checked."""
        self._deadline_s = time.monotonic() + host.settings.connect_timeout_s
        self._has_spoken = False
        self._version = V311
        self.is_clogged = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport without being one.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if address else ""
        counters = self._host.counters
        if len(self._host.peers) >= self._host.settings.max_connections:
            counters.connections_refused_total += 1
            transport.abort()
            return
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._host.peers.add(self)
        counters.connections = len(self._host.peers)
        counters.connections_total += 1
        if self._host.door.is_held:
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self._listen()
        self._guarded(data, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.peers.discard(self)
        self._host.signed_in.pop(self, None)
        self._host.counters.connections = len(self._host.peers)
        if self._login is not None:
            self._login.cancel()
        self._leave()

    def pause_writing(self) -> None:
        self.is_clogged = True

    def resume_writing(self) -> None:
        self.is_clogged = False
        if self._conversation is not None:
            self._conversation.session.pump()

    # Peer

    def hold(self, is_held: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._login is not None:
            return
        if is_held:
            transport.pause_reading()
        else:
            self._listen()
            transport.resume_reading()

    def check_time(self, now_s: float) -> None:
        if self._host.door.is_held or self._login is not None:
            return
        if self._connect is not None and not self._connect.keep_alive_s:
            return
        if now_s > self._deadline_s:
            self._fail(PacketError(Reason.KEEP_ALIVE_TIMEOUT, "silent for too long"))

    def shut_down(self, reason: Reason) -> None:
        self._close(reason)

    # Outlet of the session

    def send(self, one: Stored, qos: int, packet_id: int, *, is_duplicate: bool = False) -> bool:
        message = one.message._replace(qos=qos, packet_id=packet_id, is_duplicate=is_duplicate)
        if one.expires_at_s is not None and self._version == V5:
            left_s = max(1, round(one.expires_at_s - time.monotonic()))
            properties = {**message.properties, int(Property.MESSAGE_EXPIRY): left_s}
            message = message._replace(properties=properties)
        packet = encode.encode_publish(message, self._version)
        assert self._connect is not None
        if len(packet) > number(self._connect.properties, Property.MAXIMUM_PACKET_SIZE, NO_LIMIT):
            return False
        self.answer(packet)
        return True

    def evict(self) -> None:
        """Another connection took the session over."""
        self._leave()
        self._close(Reason.SESSION_TAKEN_OVER)

    def _guarded(self, data: bytes, frames: list[Frame] | None) -> None:
        try:
            if not self._has_spoken and data[:1] != _CONNECT:
                raise protocol_error("the first packet is not CONNECT")
            self._has_spoken = True
            for frame in self._framer.feed(data) if frames is None else frames:
                if self._conversation is not None:
                    if not self._conversation.packet(frame):
                        self._leave()
                        self._close(Reason.SUCCESS)
                elif self._login is not None:
                    self._early.append(frame)
                elif self._transport is not None and not self._transport.is_closing():
                    self._begin(frame)
        except PacketError as error:
            self._fail(error)

    def _begin(self, frame: Frame) -> None:
        try:
            connect = decode.decode_connect(frame)
        except PacketError as error:
            if error.reason is Reason.UNSUPPORTED_PROTOCOL_VERSION:
                self._refuse(error)
            raise
        self._version = connect.version
        assert self._transport is not None
        self._transport.pause_reading()
        self._login = asyncio.create_task(self._log_in(connect))

    async def _log_in(self, connect: Connect) -> None:
        try:
            if Property.AUTH_METHOD in connect.properties:
                raise PacketError(Reason.NOT_AUTHORIZED, "enhanced authentication is not offered")
            identity = await self._host.login.identify(connect, self._peer)
            self._enter(connect, identity.source)
        except PacketError as error:
            self._refuse(error)
            self._fail(error)
            return
        finally:
            self._login = None
        early, self._early = self._early, []
        self._guarded(b"", early)
        if not self._host.door.is_held and self._transport is not None:
            self.hold(False)

    def _enter(self, connect: Connect, source: str | None) -> None:
        session, connack = enter(self._host, connect, source)
        self._connect = connect
        if source is not None:
            self._host.signed_in[self] = connect
        self._listen()
        self._conversation = Conversation(self._host.broker, session, connect.version, self.answer)
        self.answer(encode.encode_connack(connack, connect.version))
        window = number(connect.properties, Property.RECEIVE_MAXIMUM, IN_FLIGHT)
        session.resume(self, window)

    def _leave(self) -> None:
        conversation, self._conversation = self._conversation, None
        if conversation is None or self._connect is None:
            return
        conversation.is_over = True
        will = None if conversation.said_goodbye else self._connect.will
        self._host.broker.left(conversation.session, will)

    def _listen(self) -> None:
        """The client is heard now: the keep-alive starts anew."""
        if self._connect is not None and self._connect.keep_alive_s:
            self._deadline_s = time.monotonic() + 1.5 * self._connect.keep_alive_s

    def _refuse(self, error: PacketError) -> None:
        """CONNACK with the reason."""
        self._host.counters.connections_refused_total += 1
        code = CONNACK_V3.get(error.reason, 5) if self._version == V311 else error.reason
        properties = {int(Property.REASON_STRING): error.detail}
        self.answer(encode.encode_connack(Connack(False, code, properties), self._version))
        self._connect = None

    def _fail(self, error: PacketError) -> None:
        _log.info("MQTT client %s cut off: %s", self._peer, error)
        self._host.counters.protocol_errors[error.reason.name.lower()] += 1
        conversation = self._conversation
        if conversation is not None and error.reason is not Reason.KEEP_ALIVE_TIMEOUT:
            source = conversation.session.source
            self._host.door.take(Inbound("", b"", time.time_ns() // 1000, source, fault=str(error)))
        self._leave()
        self._close(error.reason, error.detail)

    def _close(self, reason: Reason, detail: str = "") -> None:
        if reason and self._connect is not None and self._version == V5:
            properties = {int(Property.REASON_STRING): detail} if detail else {}
            self.answer(encode.encode_disconnect(V5, reason, properties))
        if self._transport is not None:
            self._transport.close()

    def answer(self, packet: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packet)
