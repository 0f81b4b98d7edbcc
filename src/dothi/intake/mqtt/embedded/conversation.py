"""The packets of a client that has logged in."""

import time
from collections.abc import Callable

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.framing import Frame
from dothi.intake.mqtt.codec.packets import V5, V311, Type
from dothi.intake.mqtt.codec.properties import Property, number
from dothi.intake.mqtt.codec.reasons import Reason, protocol_error
from dothi.intake.mqtt.door import Settled
from dothi.intake.mqtt.embedded.broker import Broker
from dothi.intake.mqtt.embedded.session import Session

_ACK_CODES = {
    "": 0,
    "message_too_large": Reason.QUOTA_EXCEEDED,
    "topic_unknown": Reason.TOPIC_NAME_INVALID,
    "internal_error": Reason.IMPLEMENTATION_ERROR,
}


class Conversation:
    """One session on one connection; the Origin of its messages."""

    def __init__(
        self, broker: Broker, session: Session, version: int, write: Callable[[bytes], None]
    ) -> None:
        self.session = session
        self.is_over = False
        self.said_goodbye = False
        """The client left in order: its will is not published."""
        self._broker = broker
        self._version = version
        self._write = write
        self._handlers: dict[int, Callable[[Frame], None]] = {
            Type.PUBLISH: self._publish,
            Type.PUBACK: self._acknowledged,
            Type.PUBREL: self._release,
            Type.PINGREQ: self._ping,
            Type.SUBSCRIBE: self._subscribe,
            Type.UNSUBSCRIBE: self._unsubscribe,
            Type.DISCONNECT: self._disconnect,
        }

    def packet(self, frame: Frame) -> bool:
        """False when the client takes its leave. Raises PacketError."""
        kind = frame.first >> 4
        handler = self._handlers.get(kind)
        if handler is None:
            raise protocol_error(f"packet type {kind} is not expected from a client")
        handler(frame)
        return kind != Type.DISCONNECT

    def acknowledge(self, settled: list[Settled]) -> None:
        """PUBACK or PUBREC, once durable.

        After the end of the connection PUBACK must not be sent: the client may use the packet id
        anew. A packet id of QoS 2 stays taken, so its PUBREC goes to the connection of today.
        """
        out = []
        incoming = self.session.incoming
        for packet_id, qos, reason in settled:
            code = _ACK_CODES.get(reason, Reason.PAYLOAD_FORMAT_INVALID)
            kind = Type.PUBACK
            if qos == 2:
                kind = Type.PUBREC
                if code and self._version == V5:  # an error ends the exchange, no PUBREL follows
                    incoming.pop(packet_id, None)
                elif packet_id in incoming:
                    incoming[packet_id] = True
            packet = encode.encode_ack(kind, packet_id, code, self._version)
            if not self.is_over:
                out.append(packet)
            elif qos == 2 and self.session.outlet is not None:
                self.session.outlet.answer(packet)
        if out:
            self._write(b"".join(out))

    def _publish(self, frame: Frame) -> None:
        message = decode.decode_publish(frame, self._version)
        if message.qos == 2:
            is_durable = self.session.incoming.get(message.packet_id)
            if is_durable is not None:
                if is_durable:
                    self._write(encode.encode_ack(Type.PUBREC, message.packet_id))
                return
            self.session.incoming[message.packet_id] = False
        self._broker.publish(self.session, message, time.time_ns() // 1000, self)

    def _acknowledged(self, frame: Frame) -> None:
        self.session.acknowledged(decode.decode_ack(frame).packet_id)

    def _release(self, frame: Frame) -> None:
        if frame.first & 0x0F != 2:
            raise protocol_error("reserved flags of PUBREL")
        packet_id = decode.decode_ack(frame).packet_id
        is_known = self.session.incoming.pop(packet_id, None) is not None
        code = 0 if is_known else Reason.PACKET_ID_NOT_FOUND
        self._write(encode.encode_ack(Type.PUBCOMP, packet_id, code, self._version))

    def _ping(self, _frame: Frame) -> None:
        self._write(encode.PINGRESP)

    def _subscribe(self, frame: Frame) -> None:
        packet = decode.decode_subscribe(frame, self._version)
        identifier = packet.properties.get(Property.SUBSCRIPTION_ID, [0])[0]
        session = self.session
        is_new = [request.filter not in session.filters for request in packet.requests]
        codes = [self._broker.subscribe(session, one, identifier) for one in packet.requests]
        if self._version == V311:
            codes = [code if code < 0x80 else 0x80 for code in codes]
        self._write(encode.encode_suback(packet.packet_id, bytes(codes), self._version))
        for request, code, new in zip(packet.requests, codes, is_new, strict=True):
            wants_retained = request.retain_handling == 0 or (request.retain_handling == 1 and new)
            if code < 0x80 and wants_retained:
                self._broker.send_retained(session, request, identifier)

    def _unsubscribe(self, frame: Frame) -> None:
        packet = decode.decode_unsubscribe(frame, self._version)
        codes = bytes(
            0 if self._broker.unsubscribe(self.session, one) else Reason.NO_SUBSCRIPTION_EXISTED
            for one in packet.filters
        )
        self._write(encode.encode_unsuback(packet.packet_id, codes, self._version))

    def _disconnect(self, frame: Frame) -> None:
        code, properties = decode.decode_disconnect(frame, self._version)
        if Property.SESSION_EXPIRY in properties and self.session.expiry_s:
            wanted_s = number(properties, Property.SESSION_EXPIRY, 0)
            self.session.expiry_s = min(wanted_s, self._broker.max_session_expiry_s)
        self.said_goodbye = code != Reason.DISCONNECT_WITH_WILL
