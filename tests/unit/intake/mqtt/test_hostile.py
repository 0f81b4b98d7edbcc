"""Hostile input at the embedded broker: rejected with a reason, nothing else disturbed."""

import pytest

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.packets import V5, V311, Type
from dothi.intake.mqtt.codec.properties import Property
from dothi.intake.mqtt.codec.reasons import Reason
from mqtt_peers import RawClient, RecordingIngest, embedded

VERSIONS = pytest.mark.parametrize("version", [V311, V5], ids=["3.1.1", "5"])


async def test_poison_is_rejected_acknowledged_and_does_not_disturb_the_rest() -> None:
    ingest = RecordingIngest()
    poison = [
        ("dothi/v1/a", b"{broken", "json_malformed"),
        ("dothi/v1/a", b'{"x": NaN}', "json_malformed"),
        ("dothi/v1/a", b'{"x": "\xff"}', "utf8_invalid"),
        ("dothi/v1/a/b", b"\xff\xfe", "utf8_invalid"),
        ("dothi/v1/a/b", b"inf", "not_finite"),
        ("dothi/v1/a", b"[" * 100_000, "json_too_deep"),
        ("elsewhere", b"1", "topic_unknown"),
        ("dothi/v1/a", b'{"x": 1, "observedAt": "yesterday"}', "time_invalid"),
        ("dothi/v1/a/b", b"", "message_empty"),
        ("dothi/senml/a", b'[{"n": "t", "v": 1, "x_": 2}]', "senml_malformed"),
    ]
    async with embedded(ingest) as broker:
        client = await RawClient.enter(broker.port)
        for packet_id, (topic, payload, _) in enumerate(poison, start=1):
            await client.publish(topic, payload, packet_id=packet_id)
        await client.publish("dothi/v1/good/b", b"2", packet_id=99)
        acks = [await client.puback() for _ in range(len(poison) + 1)]
    assert [one for one, _ in acks] == [*range(1, len(poison) + 1), 99]
    assert all(code >= 0x80 for _, code in acks[:-1])
    assert acks[-1][1] == 0
    assert [row["entity"] for row in ingest.rows] == ["urn:ngsi-ld:Device:good"]
    expected: dict[str, int] = {}
    for *_, reason in poison:
        expected[reason] = expected.get(reason, 0) + 1
    assert ingest.reasons == expected == dict(broker.counters.rejects)


@VERSIONS
async def test_a_payload_of_100_mb_is_read_past_and_rejected(version: int) -> None:
    ingest = RecordingIngest()
    async with embedded(ingest) as broker:
        client = await RawClient.enter(broker.port, version=version)
        head = encode.encode_publish(decode.Publish("dothi/v1/a/b", b"", 1, 5), version)[2:]
        size = 100_000_000
        await client.send(b"\x32" + encode.encode_varint(len(head) + size) + head)
        chunk = bytes(1_000_000)
        for _ in range(100):
            await client.send(chunk)
        packet_id, code = await client.puback(20)
        assert packet_id == 5
        assert code == (Reason.QUOTA_EXCEEDED if version == V5 else 0)
        await client.publish("dothi/v1/a/b", b"3", packet_id=6)
        assert await client.puback() == (6, 0)
    assert ingest.reasons == {"message_too_large": 1}
    assert len(ingest.rows) == 1


MALFORMED = {
    "QoS 3": b"\x36\x05\0\1a\0\1",
    "topic beyond the packet": b"\x30\x03\0\x09a",
    "packet id 0": b"\x32\x06\0\1a\0\0\0",
    "wildcard topic": b"\x30\x04\0\1#\0",
    "empty topic": b"\x30\x03\0\0\0",
    "topic is not UTF-8": b"\x30\x05\0\2\xff\xfe\0",
    "unknown property": b"\x30\x06\0\1a\x02\x7f\0",
    "length without end": b"\x30\xff\xff\xff\xff\x01",
    "subscribe without filter": b"\x82\x03\0\1\0",
    "subscribe with wrong flags": b"\x80\x07\0\1\0\0\1a\0",
    "bad filter": b"\x82\x09\0\1\0\0\3a#b\0",
    "type 0": b"\x00\x00",
    "a packet of the server": b"\x20\x02\0\0",
    "a second CONNECT": encode.encode_connect(
        decode.Connect(V5, "again", True, 0, None, None, None, {})
    ),
    "a huge SUBSCRIBE": b"\x82\xff\xff\xff\x7f",
}


@pytest.mark.parametrize("packet", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_packets_cut_off_the_client_with_a_reason(packet: bytes) -> None:
    ingest = RecordingIngest()
    async with embedded(ingest) as broker:
        bystander = await RawClient.enter(broker.port, "bystander")
        client = await RawClient.enter(
            broker.port, user="station-1", password=b"token-of-station-1"
        )
        await client.send(packet)
        code, properties = decode.decode_disconnect(await client.next(Type.DISCONNECT), V5)
        assert code >= 0x81
        assert properties[Property.REASON_STRING]
        with pytest.raises(EOFError):
            await client.next()
        await ingest.until_rejected("packet_malformed")
        assert ingest.batches[-1].rejected[0].source == "station-1"
        await bystander.publish("dothi/v1/a/b", b"1")
        assert await bystander.puback() == (1, 0)
        assert sum(broker.counters.protocol_errors.values()) == 1


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x30\x03\0\1a",
        b"\x10\x10\0\4MQTT\x03\2\0\0\0\4abcd",
        b"\x10\x04\0\4MQ",
        b"\x10\xff\xff\xff\x7f",
        bytes(range(256)) * 50,
    ],
)
async def test_strangers_are_cut_off_and_leave_no_trace_in_the_store(first: bytes) -> None:
    ingest = RecordingIngest()
    async with embedded(ingest) as broker:
        client = await RawClient.open(broker.port)
        await client.send(first)
        with pytest.raises((EOFError, ConnectionError)):
            while True:
                await client.next()
        assert sum(broker.counters.protocol_errors.values()) == 1
    assert ingest.batches == []
