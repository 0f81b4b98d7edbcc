"""The embedded broker, spoken to by raw socket."""

import asyncio

import pytest

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.packets import V5, V311, Type, Will
from dothi.intake.mqtt.codec.properties import Property
from dothi.intake.mqtt.codec.reasons import Reason
from dothi.intake.mqtt.settings import MqttSettings
from dothi.model.problem import Overloaded, StoreUnavailable
from mqtt_peers import RawClient, RecordingIngest, embedded

VERSIONS = pytest.mark.parametrize("version", [V311, V5], ids=["3.1.1", "5"])
SMALL = MqttSettings(max_payload_bytes=1_000)


@VERSIONS
async def test_a_message_becomes_rows_and_is_acknowledged_after_the_commit(version: int) -> None:
    ingest = RecordingIngest()
    ingest.gate.clear()
    async with embedded(ingest) as broker:
        client = await RawClient.enter(broker.port, version=version)
        await client.publish("dothi/v1/lamp-7", b'{"power": 12.5, "observedAt": 1700000000}')
        assert await client.stays_silent()
        assert ingest.rows == []
        ingest.gate.set()
        assert await client.puback() == (1, 0)
    [row] = ingest.rows
    assert row["entity"] == "urn:ngsi-ld:Device:lamp-7"
    assert (row["attribute"], row["number"], row["source"]) == ("power", 12.5, "mqtt")
    assert row["observed_at"].isoformat() == "2023-11-14T22:13:20+00:00"
    assert broker.counters.acknowledged_total == 1


async def test_acknowledgements_keep_the_order_of_the_messages() -> None:
    ingest = RecordingIngest()
    settings = MqttSettings(coalesce_s=0, max_batch_messages=3)
    async with embedded(ingest, settings) as broker:
        client = await RawClient.enter(broker.port)
        ingest.failures = [StoreUnavailable("disk full")]
        for packet_id in range(1, 21):
            await client.publish("dothi/v1/a/b", b"1", packet_id=packet_id)
        assert [(await client.puback())[0] for _ in range(20)] == list(range(1, 21))
    assert broker.counters.retries_total == 1


async def test_a_device_proves_its_source_with_its_token() -> None:
    ingest = RecordingIngest()
    async with embedded(ingest, allow_anonymous=False) as broker:
        client = await RawClient.enter(
            broker.port, user="station-1", password=b"token-of-station-1"
        )
        await client.publish("dothi/v1/x/level", b"1.5")
        await client.puback()
    assert ingest.rows[0]["source"] == "station-1"


@pytest.mark.parametrize(
    ("user", "password", "code"),
    [
        ("station-1", b"token-of-station-2", Reason.BAD_USER_NAME_OR_PASSWORD),
        ("station-1", b"\xff\xfe", Reason.BAD_USER_NAME_OR_PASSWORD),
        ("nobody", b"guess", Reason.BAD_USER_NAME_OR_PASSWORD),
        ("station-1", None, Reason.BAD_USER_NAME_OR_PASSWORD),
        (None, None, Reason.NOT_AUTHORIZED),
    ],
)
async def test_wrong_credentials_are_refused(
    user: str | None, password: bytes | None, code: Reason
) -> None:
    async with embedded(RecordingIngest(), allow_anonymous=False) as broker:
        client = await RawClient.open(broker.port)
        assert (await client.connect(user=user, password=password)).code == code
        with pytest.raises(EOFError):
            await client.next()
        assert broker.counters.connections_refused_total == 1


async def test_unknown_user_on_3_1_1_gets_its_own_return_code() -> None:
    async with embedded(RecordingIngest(), allow_anonymous=False) as broker:
        client = await RawClient.open(broker.port, V311)
        assert (await client.connect(user="x", password=b"y")).code == 4


@VERSIONS
async def test_clients_reach_each_other_with_wildcards(version: int) -> None:
    async with embedded(RecordingIngest()) as broker:
        listener = await RawClient.enter(broker.port, "listener", version)
        assert await listener.subscribe("relay/+/cmd/#", 1) == 1
        sender = await RawClient.enter(broker.port, "sender", version)
        await sender.publish("relay/lamp/other", b"no")
        await sender.publish("relay/lamp/cmd/on", b"1", packet_id=2)
        message = await listener.message()
        assert (message.topic, message.payload, message.qos) == ("relay/lamp/cmd/on", b"1", 1)
        await listener.send(encode.encode_ack(Type.PUBACK, message.packet_id))
    assert broker.counters.rejects == {}


@VERSIONS
async def test_retained_messages_wait_for_subscribers(version: int) -> None:
    async with embedded(RecordingIngest()) as broker:
        sender = await RawClient.enter(broker.port, "sender", version)
        await sender.publish("relay/mode", b"night", is_retained=True)
        await sender.puback()
        listener = await RawClient.enter(broker.port, "listener", version)
        await listener.subscribe("relay/#")
        message = await listener.message()
        assert (message.payload, message.is_retained) == (b"night", True)
        await sender.publish("relay/mode", b"", is_retained=True)
        await sender.puback()
        late = await RawClient.enter(broker.port, "late", version)
        await late.subscribe("relay/#")
        assert await late.stays_silent()
        assert broker.counters.retained == 0


@VERSIONS
async def test_the_will_is_published_only_without_a_goodbye(version: int) -> None:
    will = Will("relay/gone", b"lost", 1, False, {})
    async with embedded(RecordingIngest()) as broker:
        listener = await RawClient.enter(broker.port, "listener", version)
        await listener.subscribe("relay/gone")
        polite = await RawClient.enter(broker.port, "polite", version, will=will)
        await polite.disconnect()
        assert await listener.stays_silent()
        rude = await RawClient.enter(broker.port, "rude", version, will=will)
        rude.drop()
        assert (await listener.message()).payload == b"lost"


async def test_a_session_keeps_subscriptions_and_messages_while_the_client_is_away() -> None:
    lasting = {int(Property.SESSION_EXPIRY): 60}
    async with embedded(RecordingIngest()) as broker:
        listener = await RawClient.enter(
            broker.port, "listener", is_clean=False, properties=lasting
        )
        await listener.subscribe("relay/#")
        listener.drop()
        await asyncio.sleep(0.02)
        sender = await RawClient.enter(broker.port, "sender")
        await sender.publish("relay/a", b"missed")
        await sender.puback()
        again = await RawClient.open(broker.port)
        connack = await again.connect("listener", is_clean=False, properties=lasting)
        assert connack.session_present
        first = await again.message()
        assert first.payload == b"missed"
        again.drop()  # without PUBACK: it comes once more, marked as duplicate
        await asyncio.sleep(0.02)
        third = await RawClient.enter(broker.port, "listener", is_clean=False, properties=lasting)
        repeated = await third.message()
        assert (repeated.payload, repeated.is_duplicate) == (b"missed", True)


async def test_sessions_end_when_their_time_is_over() -> None:
    lasting = {int(Property.SESSION_EXPIRY): 1}
    async with embedded(RecordingIngest()) as broker:
        client = await RawClient.enter(broker.port, "c", is_clean=False, properties=lasting)
        client.drop()
        async with asyncio.timeout(5):
            while broker.counters.sessions:
                await asyncio.sleep(0.05)


async def test_a_second_connection_with_the_same_client_id_takes_over() -> None:
    async with embedded(RecordingIngest()) as broker:
        first = await RawClient.enter(broker.port, "same")
        await RawClient.enter(broker.port, "same")
        frame = await first.next(Type.DISCONNECT)
        assert decode.decode_disconnect(frame, V5)[0] == Reason.SESSION_TAKEN_OVER


async def test_the_session_of_another_source_is_out_of_reach() -> None:
    async with embedded(RecordingIngest()) as broker:
        own = await RawClient.enter(
            broker.port, "same", user="station-1", password=b"token-of-station-1"
        )
        await RawClient.enter(broker.port, "same", user="station-2", password=b"token-of-station-2")
        assert await own.stays_silent()


async def test_qos_2_takes_a_message_once() -> None:
    ingest = RecordingIngest()
    async with embedded(ingest) as broker:
        client = await RawClient.enter(broker.port)
        await client.publish("dothi/v1/a/b", b"1", qos=2, packet_id=9)
        assert decode.decode_ack(await client.next(Type.PUBREC)).packet_id == 9
        await client.publish("dothi/v1/a/b", b"1", qos=2, packet_id=9, is_duplicate=True)
        await client.next(Type.PUBREC)
        await client.send(encode.encode_ack(Type.PUBREL, 9))
        assert decode.decode_ack(await client.next(Type.PUBCOMP)).code == 0
        await client.send(encode.encode_ack(Type.PUBREL, 9))
        code = decode.decode_ack(await client.next(Type.PUBCOMP)).code
        assert code == Reason.PACKET_ID_NOT_FOUND
    assert len(ingest.rows) == 1


async def test_a_clients_silence_beyond_its_keep_alive_ends_the_connection() -> None:
    async with embedded(RecordingIngest()) as broker:
        client = await RawClient.enter(broker.port, keep_alive_s=1)
        frame = await client.next(Type.DISCONNECT)
        assert decode.decode_disconnect(frame, V5)[0] == Reason.KEEP_ALIVE_TIMEOUT


async def test_ping_is_answered() -> None:
    async with embedded(RecordingIngest()) as broker:
        client = await RawClient.enter(broker.port)
        await client.send(encode.PINGREQ)
        await client.next(Type.PINGRESP)


async def test_subscribing_beyond_the_readable_topics_is_refused() -> None:
    async with embedded(RecordingIngest(), readable=("relay/#",)) as broker:
        client = await RawClient.enter(broker.port)
        assert await client.subscribe("#") == Reason.NOT_AUTHORIZED
        assert await client.subscribe("relay/x/+") == 1
        shared = await client.subscribe("$share/g/relay/x")
        assert shared == Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED


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


async def test_who_connects_and_says_nothing_is_cut_off() -> None:
    async with embedded(RecordingIngest(), connect_timeout_s=0.1) as broker:
        client = await RawClient.open(broker.port)
        with pytest.raises(EOFError):
            await client.next()


async def test_an_overloaded_ingest_stops_the_reading_until_it_has_room() -> None:
    ingest = RecordingIngest()
    ingest.failures = [Overloaded(0.2)]
    async with embedded(ingest) as broker:
        client = await RawClient.enter(broker.port)
        await client.publish("dothi/v1/a/b", b"1", packet_id=1)
        await asyncio.sleep(0.05)
        assert broker.counters.held_back == 1
        await client.publish("dothi/v1/a/b", b"2", packet_id=2)
        assert await client.puback() == (1, 0)
        assert await client.puback() == (2, 0)
        assert broker.counters.held_back == 0


async def test_too_much_in_flight_stops_the_reading() -> None:
    ingest = RecordingIngest()
    ingest.gate.clear()
    settings = MqttSettings(max_in_flight_messages=10)
    async with embedded(ingest, settings) as broker:
        client = await RawClient.enter(broker.port)
        for packet_id in range(1, 12):
            await client.publish("dothi/v1/a/b", b"1", packet_id=packet_id)
        await asyncio.sleep(0.05)
        for packet_id in range(12, 30):
            await client.publish("dothi/v1/a/b", b"1", packet_id=packet_id)
        await asyncio.sleep(0.05)
        assert broker.counters.messages_total == 11
        ingest.gate.set()
        for packet_id in range(1, 30):
            assert await client.puback() == (packet_id, 0)


async def test_a_defect_behind_the_door_rejects_the_message_it_is_about_only() -> None:
    ingest = RecordingIngest()
    ingest.poison = "urn:ngsi-ld:Device:bad"
    async with embedded(ingest) as broker:
        client = await RawClient.enter(broker.port)
        for packet_id, name in enumerate(("a", "bad", "c"), start=1):
            await client.publish(f"dothi/v1/{name}/x", b"1", packet_id=packet_id)
        codes = [(await client.puback())[1] for _ in range(3)]
    assert codes == [0, Reason.IMPLEMENTATION_ERROR, 0]
    assert [row["entity"][-1] for row in ingest.rows] == ["a", "c"]
    assert ingest.reasons == {"internal_error": 1}


async def test_a_subscriber_that_does_not_read_costs_bounded_memory() -> None:
    async with embedded(RecordingIngest(), max_queued_messages=10) as broker:
        lazy = await RawClient.enter(broker.port, "lazy")
        await lazy.subscribe("relay/#", 0)
        sender = await RawClient.enter(broker.port, "sender")
        for packet_id in range(1, 400):
            await sender.publish("relay/big", bytes(100_000), packet_id=packet_id)
            await sender.puback()
        lazy.drop()
        async with asyncio.timeout(5):
            while not broker.counters.dropped_total:
                await asyncio.sleep(0.01)


async def test_stopping_settles_what_was_received() -> None:
    ingest = RecordingIngest()
    ingest.gate.clear()
    async with embedded(ingest) as broker:
        client = await RawClient.enter(broker.port)
        await client.publish("dothi/v1/a/b", b"1")
        await asyncio.sleep(0.05)
        asyncio.get_running_loop().call_later(0.1, ingest.gate.set)
        await broker.stop()
    assert await client.puback() == (1, 0)
    code, _ = decode.decode_disconnect(await client.next(Type.DISCONNECT), V5)
    assert code == Reason.SERVER_SHUTTING_DOWN


async def test_a_port_that_is_taken_is_a_problem_with_a_remedy() -> None:
    from dothi.model.problem import Problem

    async with embedded(RecordingIngest()) as broker:
        with pytest.raises(Problem, match="another port"):
            async with embedded(RecordingIngest(), port=broker.port):
                pass
