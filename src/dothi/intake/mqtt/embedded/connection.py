"""One client of the embedded broker: its packets in, its answers out."""

import asyncio
import logging
import time

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.framing import Frame, Framer
from dothi.intake.mqtt.codec.packets import V5, V311, Connack, Connect, Type
from dothi.intake.mqtt.codec.properties import Property, number
from dothi.intake.mqtt.codec.reasons import CONNACK_V3, PacketError, Reason, protocol_error
from dothi.intake.mqtt.door import Settled
from dothi.intake.mqtt.embedded.host import Host
from dothi.intake.mqtt.embedded.retained import Stored
from dothi.intake.mqtt.embedded.session import IN_FLIGHT, Session
from dothi.intake.mqtt.mapping.inbound import Inbound

_log = logging.getLogger(__name__)

WRITE_BUFFER_BYTES = 262_144
NEVER = 0xFFFFFFFF
_ACK_CODES = {
    "": 0,
    "too_large": Reason.QUOTA_EXCEEDED,
    "unknown_topic": Reason.TOPIC_NAME_INVALID,
    "internal_error": Reason.IMPLEMENTATION_ERROR,
}


class Connection(asyncio.Protocol):
    """Speaks MQTT 3.1.1 or 5 with one client, whichever its CONNECT names."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._framer = Framer(host.max_packet_bytes)
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._connect: Connect | None = None
        self._session: Session | None = None
        self._login: asyncio.Task[None] | None = None
        self._early: list[Frame] = []
        """Frames that came while the login was being checked."""
        self._deadline_s = time.monotonic() + host.settings.connect_timeout_s
        self._says_goodbye = False
        self._version = V311
        self.is_clogged = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
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
        if self._connect is not None and self._connect.keep_alive_s:
            self._deadline_s = time.monotonic() + 1.5 * self._connect.keep_alive_s
        self._guarded(data, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.peers.discard(self)
        self._host.counters.connections = len(self._host.peers)
        if self._login is not None:
            self._login.cancel()
        self._leave()

    def pause_writing(self) -> None:
        self.is_clogged = True

    def resume_writing(self) -> None:
        self.is_clogged = False
        if self._session is not None:
            self._session.pump()

    # Peer

    def hold(self, is_held: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._login is not None:
            return
        if is_held:
            transport.pause_reading()
        else:
            if self._connect is not None and self._connect.keep_alive_s:
                self._deadline_s = time.monotonic() + 1.5 * self._connect.keep_alive_s
            transport.resume_reading()

    def check_time(self, now_s: float) -> None:
        if self._host.door.is_held or self._login is not None:
            return
        if self._connect is not None and not self._connect.keep_alive_s:
            return
        if now_s > self._deadline_s:
            self._fail(PacketError(Reason.KEEP_ALIVE_TIMEOUT, "silent for too long"))

    def shut_down(self) -> None:
        self._close(Reason.SERVER_SHUTTING_DOWN)

    # Outlet of the session

    def send(self, one: Stored, qos: int, packet_id: int, *, is_duplicate: bool = False) -> bool:
        message = one.message._replace(qos=qos, packet_id=packet_id, is_duplicate=is_duplicate)
        if one.expires_at_s is not None and self._version == V5:
            left_s = max(1, round(one.expires_at_s - time.monotonic()))
            properties = {**message.properties, int(Property.MESSAGE_EXPIRY): left_s}
            message = message._replace(properties=properties)
        packet = encode.encode_publish(message, self._version)
        assert self._connect is not None
        if len(packet) > number(self._connect.properties, Property.MAXIMUM_PACKET_SIZE, NEVER):
            return False
        self._write(packet)
        return True

    def evict(self) -> None:
        """Another connection took the session over."""
        self._leave()
        self._close(Reason.SESSION_TAKEN_OVER)

    # Origin of messages

    def acknowledge(self, settled: list[Settled]) -> None:
        out = []
        for packet_id, qos, reason in settled:
            code = _ACK_CODES.get(reason, Reason.PAYLOAD_FORMAT_INVALID)
            if qos == 1:
                out.append(encode.encode_ack(Type.PUBACK, packet_id, code, self._version))
                continue
            incoming = self._session.incoming if self._session is not None else {}
            if code and self._version == V5:  # an error ends the exchange, no PUBREL follows
                incoming.pop(packet_id, None)
            elif packet_id in incoming:
                incoming[packet_id] = True
            out.append(encode.encode_ack(Type.PUBREC, packet_id, code, self._version))
        self._write(b"".join(out))

    # Packets

    def _guarded(self, data: bytes, frames: list[Frame] | None) -> None:
        try:
            for frame in self._framer.feed(data) if frames is None else frames:
                if self._session is not None:
                    self._packet(self._session, frame)
                elif self._login is not None:
                    self._early.append(frame)
                elif self._transport is not None and not self._transport.is_closing():
                    self._begin(frame)
        except PacketError as error:
            self._fail(error)

    def _begin(self, frame: Frame) -> None:
        if frame.first != Type.CONNECT << 4:
            raise protocol_error("the first packet is not CONNECT")
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
        broker, settings = self._host.broker, self._host.settings
        old = broker.find_session(source, connect.client_id)
        if old is not None and old.outlet is not None:
            old.outlet.evict()
        session, was_there = broker.open_session(connect, source)
        asked_s = NEVER
        if connect.version == V5:
            asked_s = number(connect.properties, Property.SESSION_EXPIRY, 0)
        elif connect.is_clean:
            asked_s = 0
        session.expiry_s = min(asked_s, settings.max_session_expiry_s)
        self._connect, self._session = connect, session
        self._deadline_s = time.monotonic() + 1.5 * connect.keep_alive_s
        properties: dict[int, object] = {
            Property.MAXIMUM_PACKET_SIZE: self._host.max_packet_bytes,
            Property.SHARED_AVAILABLE: 0,
        }
        if session.expiry_s != asked_s:
            properties[Property.SESSION_EXPIRY] = session.expiry_s
        if not connect.client_id:
            properties[Property.ASSIGNED_CLIENT_ID] = session.client_id
        self._write(encode.encode_connack(Connack(was_there, 0, properties), connect.version))
        window = number(connect.properties, Property.RECEIVE_MAXIMUM, IN_FLIGHT)
        session.resume(self, window)

    def _packet(self, session: Session, frame: Frame) -> None:
        kind = frame.first >> 4
        if kind == Type.PUBLISH:
            self._publish(session, frame)
        elif kind == Type.PUBACK:
            session.acknowledged(decode.decode_ack(frame).packet_id)
        elif kind == Type.PINGREQ:
            self._write(encode.PINGRESP)
        elif kind == Type.PUBREL:
            self._release(session, frame)
        elif kind == Type.SUBSCRIBE:
            self._subscribe(session, frame)
        elif kind == Type.UNSUBSCRIBE:
            self._unsubscribe(session, frame)
        elif kind == Type.DISCONNECT:
            self._goodbye(session, frame)
        else:
            raise protocol_error(f"packet type {kind} is not expected from a client")

    def _publish(self, session: Session, frame: Frame) -> None:
        message = decode.decode_publish(frame, self._version)
        if message.qos == 2:
            is_durable = session.incoming.get(message.packet_id)
            if is_durable is not None:
                if is_durable:
                    self._write(encode.encode_ack(Type.PUBREC, message.packet_id))
                return
            session.incoming[message.packet_id] = False
        self._host.broker.publish(session, message, time.time_ns() // 1000, self)

    def _release(self, session: Session, frame: Frame) -> None:
        if frame.first & 0x0F != 2:
            raise protocol_error("reserved flags of PUBREL")
        packet_id = decode.decode_ack(frame).packet_id
        known = session.incoming.pop(packet_id, None) is not None
        code = 0 if known else Reason.PACKET_ID_NOT_FOUND
        self._write(encode.encode_ack(Type.PUBCOMP, packet_id, code, self._version))

    def _subscribe(self, session: Session, frame: Frame) -> None:
        packet = decode.decode_subscribe(frame, self._version)
        [identifier] = packet.properties.get(Property.SUBSCRIPTION_ID, [0])
        broker = self._host.broker
        is_new = [request.filter not in session.filters for request in packet.requests]
        codes = [broker.subscribe(session, one, identifier) for one in packet.requests]
        if self._version == V311:
            codes = [code if code < 0x80 else 0x80 for code in codes]
        self._write(encode.encode_suback(packet.packet_id, bytes(codes), self._version))
        for request, code, new in zip(packet.requests, codes, is_new, strict=True):
            wants_retained = request.retain_handling == 0 or (request.retain_handling == 1 and new)
            if code < 0x80 and wants_retained:
                broker.send_retained(session, request, identifier)

    def _unsubscribe(self, session: Session, frame: Frame) -> None:
        packet = decode.decode_unsubscribe(frame, self._version)
        broker = self._host.broker
        codes = bytes(
            0 if broker.unsubscribe(session, one) else Reason.NO_SUBSCRIPTION_EXISTED
            for one in packet.filters
        )
        self._write(encode.encode_unsuback(packet.packet_id, codes, self._version))

    def _goodbye(self, session: Session, frame: Frame) -> None:
        code, properties = decode.decode_disconnect(frame, self._version)
        if Property.SESSION_EXPIRY in properties and session.expiry_s:
            wanted_s = number(properties, Property.SESSION_EXPIRY, 0)
            session.expiry_s = min(wanted_s, self._host.settings.max_session_expiry_s)
        self._says_goodbye = code != Reason.DISCONNECT_WITH_WILL
        self._leave()
        if self._transport is not None:
            self._transport.close()

    # Ends

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is None or self._connect is None:
            return
        will = None if self._says_goodbye else self._connect.will
        self._host.broker.left(session, will)

    def _refuse(self, error: PacketError) -> None:
        """CONNACK with the reason."""
        self._host.counters.connections_refused_total += 1
        code = CONNACK_V3.get(error.reason, 5) if self._version == V311 else error.reason
        properties = {int(Property.REASON_STRING): error.detail}
        self._write(encode.encode_connack(Connack(False, code, properties), self._version))
        self._connect = None

    def _fail(self, error: PacketError) -> None:
        _log.info("MQTT client %s cut off: %s", self._peer, error)
        self._host.counters.protocol_errors[error.reason.name.lower()] += 1
        session = self._session
        if session is not None and error.reason is not Reason.KEEP_ALIVE_TIMEOUT:
            fault = Inbound("", b"", time.time_ns() // 1000, session.source, fault=str(error))
            self._host.door.take(fault)
        self._leave()
        self._close(error.reason, error.detail)

    def _close(self, reason: Reason, detail: str = "") -> None:
        if self._connect is not None and self._version == V5:
            properties = {int(Property.REASON_STRING): detail} if detail else {}
            self._write(encode.encode_disconnect(V5, reason, properties))
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
