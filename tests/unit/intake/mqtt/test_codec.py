"""The packet codec: what goes in comes out, in whatever pieces it arrives; nothing else crashes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.fields import FieldReader, encode_varint
from dothi.intake.mqtt.codec.framing import Frame, Framer
from dothi.intake.mqtt.codec.packets import (
    V5,
    V311,
    Connack,
    Connect,
    Publish,
    Request,
    Subscribe,
    Type,
    Will,
)
from dothi.intake.mqtt.codec.properties import Property, read_properties, write_properties
from dothi.intake.mqtt.codec.reasons import PacketError, Reason
from dothi.intake.mqtt.codec.topics import check_filter, covers, matches

VERSIONS = st.sampled_from([V311, V5])
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
TOPIC = TEXT.filter(lambda t: t and not set("+#") & set(t))
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        int(Property.PAYLOAD_FORMAT): st.integers(0, 1),
        int(Property.MESSAGE_EXPIRY): st.integers(0, 2**32 - 1),
        int(Property.CONTENT_TYPE): TEXT,
        int(Property.CORRELATION_DATA): st.binary(max_size=20),
        int(Property.SUBSCRIPTION_ID): st.lists(
            st.integers(1, 268_435_455), min_size=1, max_size=2
        ),
        int(Property.USER): st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3),
    },
)
NONE: dict[int, Any] = {}


def one_frame(packet: bytes) -> Frame:
    [frame] = Framer(1 << 20).feed(packet)
    return frame


@given(VERSIONS, TOPIC, st.binary(max_size=300), st.integers(0, 2), st.booleans(), PROPERTIES)
def test_publish(
    version: int, topic: str, payload: bytes, qos: int, flag: bool, properties: dict[int, Any]
) -> None:
    sent = Publish(
        topic, payload, qos, 77 if qos else 0, flag, flag, properties if version == V5 else {}
    )
    assert decode.decode_publish(one_frame(encode.encode_publish(sent, version)), version) == sent


@given(VERSIONS, TEXT, st.none() | TEXT, st.none() | st.binary(max_size=9), PROPERTIES)
def test_connect(
    version: int, client: str, user: str | None, password: bytes | None, will: dict[int, Any]
) -> None:
    is_v5 = version == V5
    farewell = Will("bye", b"x", 1, True, will if is_v5 else {})
    properties = {int(Property.SESSION_EXPIRY): 9} if is_v5 else {}
    sent = Connect(version, client, True, 60, user, password, farewell, properties)
    assert decode.decode_connect(one_frame(encode.encode_connect(sent))) == sent


@given(VERSIONS, st.integers(0, 1), st.booleans())
def test_subscribe_connack_and_suback(version: int, qos: int, flag: bool) -> None:
    options = (flag, flag, 2) if version == V5 else ()
    sent = Subscribe(9, (Request("a/+", qos, *options), Request("#", 1)), {})
    frame = one_frame(encode.encode_subscribe(sent, version))
    assert decode.decode_subscribe(frame, version) == sent
    connack = Connack(flag, 0, {int(Property.RECEIVE_MAXIMUM): 5} if version == V5 else {})
    frame = one_frame(encode.encode_connack(connack, version))
    assert decode.decode_connack(frame, version) == connack
    frame = one_frame(encode.encode_suback(9, b"\1\x80", version))
    assert decode.decode_suback(frame, version) == (9, b"\1\x80")
    frame = one_frame(encode.encode_unsubscribe(9, ["a/b"], version))
    assert decode.decode_unsubscribe(frame, version).filters == ("a/b",)


@given(st.lists(st.binary(max_size=400), max_size=8), st.data())
def test_packets_come_out_whole_however_they_are_cut(bodies: list[bytes], data: Any) -> None:
    stream = b"".join(encode.packet(0x30, body) for body in bodies)
    framer, found, at = Framer(1000), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream)))
        found += framer.feed(stream[at : at + step])
        at += step
    assert [frame.body for frame in found] == bodies


@given(st.integers(66_000, 200_000), st.integers(500, 90_000))
def test_a_publish_above_the_limit_is_skipped_with_its_head(size: int, step: int) -> None:
    stream = b"".join(
        (
            encode.encode_publish(Publish("a", b"1", 1, 1), V311),
            encode.encode_publish(Publish("big", bytes(size), 1, 2), V311),
            encode.encode_publish(Publish("a", b"3", 1, 3), V311),
        )
    )
    framer, found = Framer(1000), []
    for at in range(0, len(stream), step):
        found += framer.feed(stream[at : at + step])
    first, big, last = (decode.decode_publish(frame, V311) for frame in found)
    assert (first.payload, last.payload) == (b"1", b"3")
    assert (big.topic, big.packet_id, big.payload, big.cut) == ("big", 2, b"", size + 7)


@given(st.integers(0, 255), st.binary(max_size=80), VERSIONS)
def test_wrong_bytes_raise_packet_errors_only(first: int, body: bytes, version: int) -> None:
    frame = Frame(first, body)
    for read in (
        decode.decode_publish,
        decode.decode_connack,
        decode.decode_subscribe,
        decode.decode_unsubscribe,
        decode.decode_suback,
        decode.decode_disconnect,
    ):
        try:
            read(frame, version)
        except PacketError as error:
            assert error.detail
    for read_any in (decode.decode_connect, decode.decode_ack):
        try:
            read_any(frame)
        except PacketError as error:
            assert error.detail


@given(st.binary(max_size=300))
def test_wrong_streams_raise_packet_errors_only(data: bytes) -> None:
    try:
        Framer(100).feed(data)
    except PacketError as error:
        assert error.reason in (Reason.MALFORMED_PACKET, Reason.PACKET_TOO_LARGE)


@given(st.integers(0, 268_435_455))
def test_varints(value: int) -> None:
    assert FieldReader(encode_varint(value)).varint() == value


def test_a_property_may_not_come_twice() -> None:
    raw = write_properties({int(Property.PAYLOAD_FORMAT): 1})
    doubled = bytes((4,)) + raw[1:] * 2
    with pytest.raises(PacketError, match="twice"):
        read_properties(FieldReader(doubled))


def test_acks() -> None:
    assert encode.encode_ack(Type.PUBACK, 258) == b"\x40\x02\x01\x02"
    assert encode.encode_ack(Type.PUBREL, 1) == b"\x62\x02\x00\x01"
    assert encode.encode_ack(Type.PUBACK, 1, 0x99, V5) == b"\x40\x03\x00\x01\x99"
    assert encode.encode_ack(Type.PUBACK, 1, 0x99, V311) == b"\x40\x02\x00\x01"


@pytest.mark.parametrize(
    ("topic_filter", "topic", "fits"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("+/+", "/a", True),
        ("a", "A", False),
    ],
)
def test_filters(topic_filter: str, topic: str, fits: bool) -> None:
    assert matches(topic_filter, topic) is fits


@pytest.mark.parametrize("topic_filter", ["", "a#", "#/a", "a+/b", "a/#/b"])
def test_what_is_no_filter(topic_filter: str) -> None:
    with pytest.raises(PacketError):
        check_filter(topic_filter)


@pytest.mark.parametrize(
    ("wide", "narrow", "holds"),
    [
        ("#", "a/#", True),
        ("a/#", "a/+/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/#", False),
        ("a/b", "a/+", False),
        ("a/#", "#", False),
        ("a/b", "a", False),
        ("a", "a/b", False),
    ],
)
def test_covering_filters(wide: str, narrow: str, holds: bool) -> None:
    assert covers(wide, narrow) is holds
