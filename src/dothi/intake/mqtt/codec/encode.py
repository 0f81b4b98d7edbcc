"""Values to bytes of one packet."""

from collections.abc import Iterable

from dothi.intake.mqtt.codec.fields import encode_binary, encode_text, encode_varint
from dothi.intake.mqtt.codec.packets import V5, Connack, Connect, Publish, Subscribe, Type
from dothi.intake.mqtt.codec.properties import Properties, write_properties

PINGREQ = bytes((Type.PINGREQ << 4, 0))
PINGRESP = bytes((Type.PINGRESP << 4, 0))


def packet(first: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((first,)) + encode_varint(len(body)) + body


def encode_publish(message: Publish, version: int) -> bytes:
    first = (
        Type.PUBLISH << 4
        | (8 if message.is_duplicate else 0)
        | message.qos << 1
        | (1 if message.is_retained else 0)
    )
    return packet(
        first,
        encode_text(message.topic),
        message.packet_id.to_bytes(2, "big") if message.qos else b"",
        write_properties(message.properties) if version == V5 else b"",
        message.payload,
    )


def encode_ack(kind: Type, packet_id: int, code: int = 0, version: int = V5) -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP; 3.1.1 has no place for a code."""
    first = kind << 4 | (2 if kind is Type.PUBREL else 0)
    if code and version == V5:
        return bytes((first, 3, packet_id >> 8, packet_id & 0xFF, code))
    return bytes((first, 2, packet_id >> 8, packet_id & 0xFF))


def encode_connect(connect: Connect) -> bytes:
    flags = 2 if connect.is_clean else 0
    payload = [encode_text(connect.client_id)]
    is_v5 = connect.version == V5
    if connect.will is not None:
        will = connect.will
        flags |= 4 | will.qos << 3 | (0x20 if will.is_retained else 0)
        payload += [
            write_properties(will.properties) if is_v5 else b"",
            encode_text(will.topic),
            encode_binary(will.payload),
        ]
    if connect.user is not None:
        flags |= 0x80
        payload.append(encode_text(connect.user))
    if connect.password is not None:
        flags |= 0x40
        payload.append(encode_binary(connect.password))
    return packet(
        Type.CONNECT << 4,
        encode_binary(b"MQTT"),
        bytes((connect.version, flags)),
        connect.keep_alive_s.to_bytes(2, "big"),
        write_properties(connect.properties) if is_v5 else b"",
        *payload,
    )


def encode_connack(connack: Connack, version: int) -> bytes:
    return packet(
        Type.CONNACK << 4,
        bytes((1 if connack.session_present else 0, connack.code)),
        write_properties(connack.properties) if version == V5 else b"",
    )


def encode_subscribe(subscribe: Subscribe, version: int) -> bytes:
    parts = [subscribe.packet_id.to_bytes(2, "big")]
    if version == V5:
        parts.append(write_properties(subscribe.properties))
    for request in subscribe.requests:
        options = request.qos
        if version == V5:
            options |= (
                (4 if request.no_local else 0)
                | (8 if request.retain_as_published else 0)
                | request.retain_handling << 4
            )
        parts += [encode_text(request.filter), bytes((options,))]
    return packet(Type.SUBSCRIBE << 4 | 2, *parts)


def encode_unsubscribe(packet_id: int, filters: Iterable[str], version: int) -> bytes:
    return packet(
        Type.UNSUBSCRIBE << 4 | 2,
        packet_id.to_bytes(2, "big"),
        b"\0" if version == V5 else b"",
        *(encode_text(one) for one in filters),
    )


def encode_suback(packet_id: int, codes: bytes, version: int) -> bytes:
    return packet(
        Type.SUBACK << 4, packet_id.to_bytes(2, "big"), b"\0" if version == V5 else b"", codes
    )


def encode_unsuback(packet_id: int, codes: bytes, version: int) -> bytes:
    """The codes are sent in MQTT 5 only."""
    v5_part = b"\0" + codes if version == V5 else b""
    return packet(Type.UNSUBACK << 4, packet_id.to_bytes(2, "big"), v5_part)


def encode_disconnect(version: int, code: int = 0, properties: Properties | None = None) -> bytes:
    if version != V5:
        return bytes((Type.DISCONNECT << 4, 0))
    return packet(Type.DISCONNECT << 4, bytes((code,)), write_properties(properties or {}))
