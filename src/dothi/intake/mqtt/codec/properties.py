"""Properties of MQTT 5 (clause 2.2.2): a table instead of code per property."""

from enum import IntEnum
from typing import Any

from dothi.intake.mqtt.codec.fields import (
    FieldReader,
    encode_binary,
    encode_text,
    encode_varint,
)
from dothi.intake.mqtt.codec.reasons import malformed, protocol_error

Properties = dict[int, Any]
"""Property -> int, str or bytes; a list for USER (pairs of str) and SUBSCRIPTION_ID (int)."""


class Property(IntEnum):
    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION_DATA = 0x09
    SUBSCRIPTION_ID = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_ID = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTH_METHOD = 0x15
    AUTH_DATA = 0x16
    REQUEST_PROBLEM_INFO = 0x17
    WILL_DELAY = 0x18
    REQUEST_RESPONSE_INFO = 0x19
    RESPONSE_INFO = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    WILDCARD_AVAILABLE = 0x28
    SUBSCRIPTION_ID_AVAILABLE = 0x29
    SHARED_AVAILABLE = 0x2A


_TYPES: dict[int, str] = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), "byte"),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), "two"),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), "four"),
    0x0B: "varint",
    **dict.fromkeys((0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F), "text"),
    **dict.fromkeys((0x09, 0x16), "binary"),
    0x26: "pair",
}
_WIDTHS = {"byte": 1, "two": 2, "four": 4}

FORWARDED = (
    Property.PAYLOAD_FORMAT,
    Property.CONTENT_TYPE,
    Property.RESPONSE_TOPIC,
    Property.CORRELATION_DATA,
    Property.USER,
)
"""What a broker hands on unchanged with a message (clause 3.3.2.3)."""


def number(properties: Properties, key: Property, default: int) -> int:
    """An integer property, or `default` when absent."""
    value = properties.get(key, default)
    return value if isinstance(value, int) else default


def read_properties(reader: FieldReader) -> Properties:
    """Raises PacketError for an unknown property or one given twice."""
    length = reader.varint()
    if length == 0:
        return {}
    inner = FieldReader(reader.take(length))
    found: Properties = {}
    while not inner.is_done:
        key = inner.varint()
        kind = _TYPES.get(key)
        if kind is None:
            raise malformed(f"unknown property 0x{key:02x}")
        value = _read_value(inner, kind)
        if key in (Property.USER, Property.SUBSCRIPTION_ID):
            found.setdefault(key, []).append(value)
        elif key in found:
            raise protocol_error(f"property 0x{key:02x} is there twice")
        else:
            found[key] = value
    return found


def _read_value(reader: FieldReader, kind: str) -> int | str | bytes | tuple[str, str]:
    if kind in _WIDTHS:
        return int.from_bytes(reader.take(_WIDTHS[kind]), "big")
    if kind == "varint":
        return reader.varint()
    if kind == "text":
        return reader.text()
    if kind == "binary":
        return reader.binary()
    return (reader.text(), reader.text())


def write_properties(properties: Properties) -> bytes:
    if not properties:
        return b"\0"
    out = bytearray()
    for key, value in properties.items():
        kind = _TYPES[key]
        for one in value if isinstance(value, list) else (value,):
            out.append(key)
            out += _write_value(kind, one)
    return encode_varint(len(out)) + bytes(out)


def _write_value(kind: str, value: int | str | bytes | tuple[str, str]) -> bytes:
    if isinstance(value, int):
        return encode_varint(value) if kind == "varint" else value.to_bytes(_WIDTHS[kind], "big")
    if isinstance(value, str):
        return encode_text(value)
    if isinstance(value, bytes):
        return encode_binary(value)
    return encode_text(value[0]) + encode_text(value[1])
