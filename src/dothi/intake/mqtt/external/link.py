"""One connection to an external broker: MQTT client protocol without a library in between.

Many PUBLISH packets are parsed from one read, and acknowledgements of one commit leave in one
write. (Measured: aiomqtt takes 83 us of CPU per message and cannot acknowledge later; see
docs/adr/0003.)
"""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.framing import Frame, Framer
from dothi.intake.mqtt.codec.packets import V5, Connack, Connect, Request, Subscribe, Type
from dothi.intake.mqtt.codec.reasons import PacketError, protocol_error
from dothi.intake.mqtt.door import Door, Settled
from dothi.intake.mqtt.mapping.inbound import Inbound

SUBSCRIBE_ID = 1


class Link(asyncio.Protocol):
    """Speaks for one connection; `closed` is done when it is over, with the reason as result."""

    def __init__(self, connect: Connect, door: Door, max_packet_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        self.connack: asyncio.Future[Connack] = loop.create_future()
        self.suback: asyncio.Future[bytes] = loop.create_future()
        self.closed: asyncio.Future[str] = loop.create_future()
        self._connect = connect
        self._door = door
        self._framer = Framer(max_packet_bytes)
        self._transport: asyncio.Transport | None = None
        self._heard_at_s = time.monotonic()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport without being one.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        transport.write(encode.encode_connect(self._connect))

    def data_received(self, data: bytes) -> None:
        self._heard_at_s = time.monotonic()
        received_us = time.time_ns() // 1000
        try:
            for frame in self._framer.feed(data):
                if frame.first >> 4 == Type.PUBLISH:
                    self._publish(frame, received_us)
                else:
                    self._control(frame)
        except PacketError as error:
            self._end(f"the broker broke the protocol: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "the broker closed the connection")

    # What the service asks for

    def subscribe(self, filters: Sequence[str]) -> None:
        """QoS 1; retained messages only when the subscription is new (MQTT 5)."""
        handling = 1 if self._connect.version == V5 else 0
        requests = tuple(Request(one, 1, retain_handling=handling) for one in filters)
        subscribe = Subscribe(SUBSCRIBE_ID, requests, {})
        self._write(encode.encode_subscribe(subscribe, self._connect.version))

    def hold(self, is_held: bool) -> None:
        """Stop or resume reading from the socket."""
        if self._transport is None or self._transport.is_closing():
            return
        if is_held:
            self._transport.pause_reading()
        else:
            self._heard_at_s = time.monotonic()
            self._transport.resume_reading()

    def ping(self, silence_s: float) -> None:
        """Keep alive; ends the connection when nothing was heard for too long."""
        if not self._door.is_held and time.monotonic() - self._heard_at_s > silence_s:
            self._end(f"the broker was silent for {silence_s:g} s")
        else:
            self._write(encode.PINGREQ)

    def disconnect(self) -> None:
        """Say goodbye; the broker keeps the session."""
        self._write(encode.encode_disconnect(self._connect.version))
        self._end("stopped")

    # Origin

    def acknowledge(self, settled: list[Settled]) -> None:
        """A rejected message is acknowledged like a stored one: it must not come again."""
        acks = [b"\x40\x02" + one.packet_id.to_bytes(2, "big") for one in settled]
        self._write(b"".join(acks))

    def _publish(self, frame: Frame, received_us: int) -> None:
        message = decode.decode_publish(frame, self._connect.version)
        if message.qos == 2:
            raise protocol_error("a message of QoS 2, the subscription is of QoS 1")
        inbound = Inbound(
            message.topic,
            message.payload,
            received_us,
            is_stale=message.is_retained,
            cut=message.cut,
        )
        self._door.take(inbound, self, message.packet_id, message.qos)

    def _control(self, frame: Frame) -> None:
        kind = frame.first >> 4
        if kind == Type.CONNACK:
            if not self.connack.done():
                self.connack.set_result(decode.decode_connack(frame, self._connect.version))
        elif kind == Type.SUBACK:
            if not self.suback.done():
                self.suback.set_result(decode.decode_suback(frame, self._connect.version)[1])
        elif kind == Type.DISCONNECT:
            code, properties = decode.decode_disconnect(frame, self._connect.version)
            text = decode.reason_string(properties)
            self._end(f"the broker disconnected with reason 0x{code:02x} {text}".rstrip())
        elif kind != Type.PINGRESP:
            raise protocol_error(f"packet type {kind} from a broker")

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _end(self, why: str) -> None:
        if not self.closed.done():
            self.closed.set_result(why)
        if self._transport is not None:
            self._transport.close()
