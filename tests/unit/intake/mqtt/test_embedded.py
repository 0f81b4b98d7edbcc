"""The embedded broker, spoken to by raw socket."""

import asyncio

import pytest

from dothi.intake.mqtt.codec import decode, encode
from dothi.intake.mqtt.codec.packets import V5, V311, Type, Will
from dothi.intake.mqtt.codec.properties import Property
from dothi.intake.mqtt.codec.reasons import Reason
from dothi.intake.mqtt.settings import EmbeddedSettings, MqttSettings
from dothi.model.problem import Overloaded, Problem, StoreUnavailable
from dothi.model.source import Source
from mqtt_peers import KnownSources, RawClient, RecordingIngest, embedded

VERSIONS = pytest.mark.parametrize("version", [V311, V5], ids=["3.1.1", "5"])


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


async def test_while_tokens_cannot_be_checked_clients_are_told_to_come_back() -> None:
    class Broken(KnownSources):
        def source_of_token(self, token: str) -> Source | None:
            raise RuntimeError("the database is away")

    async with embedded(RecordingIngest(), sources=Broken()) as broker:
        client = await RawClient.open(broker.port)
        assert (await client.connect(user="a", password=b"b")).code == Reason.SERVER_UNAVAILABLE


async def test_a_revoked_token_ends_the_connection() -> None:
    sources = KnownSources("station-1")
    async with embedded(RecordingIngest(), sources=sources, token_check_s=0) as broker:
        client = await RawClient.enter(
            broker.port, user="station-1", password=b"token-of-station-1"
        )
        anonymous = await RawClient.enter(broker.port, "anonymous")
        sources.revoke_tokens("station-1")
        code, _ = decode.decode_disconnect(await client.next(Type.DISCONNECT), V5)
        assert code == Reason.NOT_AUTHORIZED
        assert await anonymous.stays_silent()


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
    by_default = EmbeddedSettings().readable
    async with embedded(RecordingIngest(), readable=by_default) as broker:
        client = await RawClient.enter(broker.port)
        for other in ("#", "$SYS/#", "dothi/v1/station-2/#", "+/x"):
            assert await client.subscribe(other) == Reason.NOT_AUTHORIZED
        assert await client.subscribe("relay/x/+") == 1
        shared = await client.subscribe("$share/g/relay/x")
        assert shared == Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED


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
    async with embedded(RecordingIngest()) as broker:
        with pytest.raises(Problem, match="another port"):
            async with embedded(RecordingIngest(), port=broker.port):
                pass
