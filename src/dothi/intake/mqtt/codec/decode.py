"""Bytes of a packet to a value; every function raises PacketError on what MQTT forbids."""

from functools import lru_cache

from dothi.intake.mqtt.codec.fields import FieldReader, decode_text
from dothi.intake.mqtt.codec.framing import Frame
from dothi.intake.mqtt.codec.packets import (
    V5,
    V311,
    Ack,
    Connack,
    Connect,
    Publish,
    Request,
    Subscribe,
    Unsubscribe,
    Will,
)
from dothi.intake.mqtt.codec.properties import Properties, Property, read_properties
from dothi.intake.mqtt.codec.reasons import PacketError, Reason, malformed, protocol_error
from dothi.intake.mqtt.codec.topics import check_filter


@lru_cache(maxsize=65_536)
def topic_name(raw: bytes) -> str:
    """A topic that can be published to."""
    topic = decode_text(raw)
    if not topic:
        raise PacketError(Reason.TOPIC_NAME_INVALID, "empty topic (topic aliases are not offered)")
    if "+" in topic or "#" in topic:
        raise PacketError(Reason.TOPIC_NAME_INVALID, f"wildcard in the topic {topic!r}")
    return topic


def decode_publish(frame: Frame, version: int) -> Publish:
    first, body, cut = frame
    qos = (first >> 1) & 3
    if qos == 3:
        raise malformed("QoS 3 does not exist")
    if len(body) < 2:
        raise malformed("PUBLISH without a topic")
    at = 2 + (body[0] << 8 | body[1])
    if at > len(body):
        raise malformed("PUBLISH ends within its topic")
    topic = topic_name(body[2:at])
    packet_id = 0
    if qos:
        packet_id = int.from_bytes(body[at : at + 2], "big")
        at += 2
        if packet_id == 0 or at > len(body):
            raise malformed("PUBLISH of QoS above 0 without a packet id")
    if cut:
        return Publish(topic, b"", qos, packet_id, bool(first & 1), bool(first & 8), {}, cut)
    properties: Properties = {}
    if version == V5:
        if body[at : at + 1] == b"\0":
            at += 1
        else:
            reader = FieldReader(body, at)
            properties = read_properties(reader)
            at = reader.at
    return Publish(topic, body[at:], qos, packet_id, bool(first & 1), bool(first & 8), properties)


def decode_connect(frame: Frame) -> Connect:
    reader = FieldReader(frame.body)
    protocol, version = reader.binary(), reader.byte()
    if protocol != b"MQTT" or version not in (V311, V5):
        raise PacketError(
            Reason.UNSUPPORTED_PROTOCOL_VERSION,
            f"protocol {protocol[:16]!r} level {version}; spoken here: MQTT 3.1.1 (4) and 5 (5)",
        )
    flags = reader.byte()
    if flags & 1:
        raise malformed("reserved flag of CONNECT is set")
    keep_alive_s = reader.two_bytes()
    properties = read_properties(reader) if version == V5 else {}
    client_id = reader.text()
    will = _read_will(reader, flags, version)
    user = reader.text() if flags & 0x80 else None
    password = reader.binary() if flags & 0x40 else None
    if not reader.is_done:
        raise malformed("bytes after the end of CONNECT")
    return Connect(
        version, client_id, bool(flags & 2), keep_alive_s, user, password, will, properties
    )


def _read_will(reader: FieldReader, flags: int, version: int) -> Will | None:
    qos = (flags >> 3) & 3
    if not flags & 4:
        if flags & 0x38:
            raise malformed("will flags without a will")
        return None
    if qos == 3:
        raise malformed("will with QoS 3")
    properties = read_properties(reader) if version == V5 else {}
    topic = topic_name(reader.binary())
    return Will(topic, reader.binary(), qos, bool(flags & 0x20), properties)


def decode_connack(frame: Frame, version: int) -> Connack:
    reader = FieldReader(frame.body)
    present, code = bool(reader.byte() & 1), reader.byte()
    properties = read_properties(reader) if version == V5 and not reader.is_done else {}
    return Connack(present, code, properties)


def decode_ack(frame: Frame) -> Ack:
    reader = FieldReader(frame.body)
    packet_id = reader.two_bytes()
    if packet_id == 0:
        raise malformed("packet id 0")
    return Ack(packet_id, 0 if reader.is_done else reader.byte())


def decode_subscribe(frame: Frame, version: int) -> Subscribe:
    reader = _expect_flags(frame, 2)
    packet_id = reader.two_bytes()
    if packet_id == 0:
        raise malformed("packet id 0")
    properties = read_properties(reader) if version == V5 else {}
    requests = []
    while not reader.is_done:
        topic_filter, options = reader.text(), reader.byte()
        check_filter(topic_filter)
        if options & 3 == 3 or options & 0xC0 or (version == V311 and options & 0xFC):
            raise malformed(f"subscription options 0x{options:02x}")
        handling = (options >> 4) & 3
        if handling == 3:
            raise protocol_error("retain handling 3 does not exist")
        requests.append(
            Request(topic_filter, options & 3, bool(options & 4), bool(options & 8), handling)
        )
    if not requests:
        raise protocol_error("SUBSCRIBE without a topic filter")
    return Subscribe(packet_id, tuple(requests), properties)


def decode_unsubscribe(frame: Frame, version: int) -> Unsubscribe:
    reader = _expect_flags(frame, 2)
    packet_id = reader.two_bytes()
    if packet_id == 0:
        raise malformed("packet id 0")
    if version == V5:
        read_properties(reader)
    filters = []
    while not reader.is_done:
        filters.append(reader.text())
    if not filters:
        raise protocol_error("UNSUBSCRIBE without a topic filter")
    return Unsubscribe(packet_id, tuple(filters))


def decode_suback(frame: Frame, version: int) -> tuple[int, bytes]:
    """(packet id, one code per filter). UNSUBACK has the same shape in MQTT 5."""
    reader = FieldReader(frame.body)
    packet_id = reader.two_bytes()
    if version == V5:
        read_properties(reader)
    return packet_id, reader.rest()


def decode_disconnect(frame: Frame, version: int) -> tuple[int, Properties]:
    """(reason code, properties)."""
    reader = FieldReader(frame.body)
    if version != V5 or reader.is_done:
        return 0, {}
    code = reader.byte()
    return code, {} if reader.is_done else read_properties(reader)


def reason_string(properties: Properties) -> str:
    """What the peer said in words, if it did."""
    return str(properties.get(Property.REASON_STRING, ""))


def _expect_flags(frame: Frame, flags: int) -> FieldReader:
    if frame.first & 0x0F != flags:
        raise malformed(f"reserved flags 0x{frame.first & 0x0F:x}")
    return FieldReader(frame.body)
