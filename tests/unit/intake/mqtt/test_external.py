"""The external mode against a real Mosquitto."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dothi.intake.mqtt.external.service import ExternalMqtt
from dothi.intake.mqtt.mapping.mapper import Mapper
from dothi.intake.mqtt.settings import ExternalSettings, MqttSettings, Rule
from dothi.model.problem import Overloaded, Problem, StoreUnavailable
from mqtt_peers import Mosquitto, RawClient, RecordingIngest, free_port, mosquitto

pytestmark = pytest.mark.needs("mosquitto")
VERSIONS = pytest.mark.parametrize("version", ["5", "3.1.1"])


@pytest.fixture
def broker(mosquitto_path: str, tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(mosquitto_path, tmp_path) as running:
        yield running


def make(
    port: int, ingest: RecordingIngest, settings: MqttSettings | None = None, **changes: Any
) -> ExternalMqtt:
    chosen = msgspec.structs.replace(
        ExternalSettings(port=port, min_backoff_s=0.05, max_backoff_s=0.2), **changes
    )
    settings = msgspec.structs.replace(
        settings or MqttSettings(), mode="external", external=chosen, stop_timeout_s=0.3
    )
    return ExternalMqtt(settings, Mapper(settings), ingest)


@asynccontextmanager
async def running(service: ExternalMqtt) -> AsyncIterator[ExternalMqtt]:
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def until_acknowledged(service: ExternalMqtt, count: int) -> None:
    async with asyncio.timeout(5):
        while service.counters.acknowledged_total < count:
            await asyncio.sleep(0.01)


async def publish(port: int, *payloads: bytes, topic: str = "dothi/v1/a/x") -> None:
    """QoS 1, acknowledged by the broker."""
    client = await RawClient.enter(port, "publisher")
    for packet_id, payload in enumerate(payloads, start=1):
        await client.publish(topic, payload, packet_id=packet_id)
    for _ in payloads:
        await client.puback()
    await client.disconnect()


@VERSIONS
async def test_messages_become_rows_with_the_source_of_the_rule(
    broker: Mosquitto, version: Any
) -> None:
    ingest = RecordingIngest()
    rule = Rule(topic="city/{source}/{entity}", source="{source}")
    service = make(broker.port, ingest, MqttSettings(rules=(rule,)), version=version)
    async with running(service):
        await publish(broker.port, b'{"x": 1}', topic="city/north/a")
        await publish(broker.port, b"2")
        rows = await ingest.until_rows(2)
    assert [(row["source"], row["number"]) for row in rows] == [("north", 1), ("mqtt", 2)]
    assert service.counters.messages_total == 2


@VERSIONS
async def test_what_was_not_committed_comes_again_after_a_crash(
    broker: Mosquitto, version: Any
) -> None:
    """The broker gets no acknowledgement before the commit, so nothing is lost."""
    dead = RecordingIngest()
    dead.gate.clear()
    first = make(broker.port, dead, version=version)
    await first.start()
    await publish(broker.port, *(b"%d" % n for n in range(50)))
    async with asyncio.timeout(5):
        while first.counters.messages_total < (50 if version == "5" else 20):
            await asyncio.sleep(0.01)
    assert first.counters.acknowledged_total == 0
    await first.stop()  # gives up after stop_timeout_s: nothing was acknowledged
    await publish(broker.port, b"50")  # while nobody is there
    ingest = RecordingIngest()
    async with running(make(broker.port, ingest, version=version)):
        rows = await ingest.until_rows(51)
    assert dead.rows == []
    assert [row["number"] for row in rows] == list(range(51))


async def test_nothing_comes_twice_once_it_was_acknowledged(broker: Mosquitto) -> None:
    ingest = RecordingIngest()
    async with running(make(broker.port, ingest)):
        await publish(broker.port, b"1", b"2")
        await ingest.until_rows(2)
    async with running(make(broker.port, ingest)):
        await publish(broker.port, b"3")
        await ingest.until_rows(3)
    assert [row["number"] for row in ingest.rows] == [1, 2, 3]


async def test_a_restart_of_the_broker_loses_nothing(broker: Mosquitto) -> None:
    ingest = RecordingIngest()
    async with running(make(broker.port, ingest)) as service:
        await publish(broker.port, b"1")
        await ingest.until_rows(1)
        ingest.gate.clear()
        await publish(broker.port, b"2")
        await asyncio.sleep(0.05)
        broker.stop()
        broker.start()
        ingest.gate.set()  # its acknowledgement finds no connection
        await publish(broker.port, b"3")
        async with asyncio.timeout(5):
            while {1.0, 2.0, 3.0} - {row["number"] for row in ingest.rows}:
                await asyncio.sleep(0.01)
        assert service.counters.connections_total == 2
        assert service.counters.sessions_lost_total == 0


async def test_a_broker_that_is_not_there_yet_is_waited_for(
    mosquitto_path: str, tmp_path: Path
) -> None:
    late = Mosquitto(mosquitto_path, tmp_path, "allow_anonymous true\n")
    ingest = RecordingIngest()
    async with running(make(late.port, ingest)) as service:
        assert service.counters.connections == 0
        late.start()
        try:
            async with asyncio.timeout(5):
                while not service.counters.connections:
                    await asyncio.sleep(0.01)
            await publish(late.port, b"1")
            await ingest.until_rows(1)
        finally:
            late.stop()


async def test_trouble_of_the_store_is_waited_out(broker: Mosquitto) -> None:
    ingest = RecordingIngest()
    ingest.failures = [StoreUnavailable("disk full"), Overloaded(0.05)]
    async with running(make(broker.port, ingest)) as service:
        await publish(broker.port, b"1", b"2")
        await ingest.until_rows(2)
        await until_acknowledged(service, 2)
        assert service.counters.retries_total == 2
        assert service.counters.held_back == 0


async def test_poison_is_acknowledged_and_does_not_come_again(broker: Mosquitto) -> None:
    ingest = RecordingIngest()
    async with running(make(broker.port, ingest)) as service:
        await publish(broker.port, b"nan", b"\xff", b"[" * 10_000, b"5")
        await publish(broker.port, bytes(1_000_000))
        await until_acknowledged(service, 5)
    again = RecordingIngest()
    async with running(make(broker.port, again)):
        await publish(broker.port, b"6")
        assert [row["number"] for row in await again.until_rows(1)] == [6]
    assert [row["number"] for row in ingest.rows] == [5]
    assert ingest.reasons == {
        "not_finite": 1,
        "utf8_invalid": 1,
        "json_too_deep": 1,
        "message_too_large": 1,
    }


async def test_a_retained_message_without_a_time_is_uncertain(broker: Mosquitto) -> None:
    client = await RawClient.enter(broker.port, "publisher")
    await client.publish("dothi/v1/a/x", b"1", is_retained=True)
    await client.puback()
    ingest = RecordingIngest()
    async with running(make(broker.port, ingest)):
        [row] = await ingest.until_rows(1)
    assert row["quality"] == 3


def with_password(folder: Path) -> str:
    passwords = folder / "passwords"
    passwords.write_text("hub:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
    return f"password_file {passwords}\n"


async def test_user_and_password_from_a_file(mosquitto_path: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    with mosquitto(mosquitto_path, tmp_path, with_password(tmp_path)) as broker:
        service = make(broker.port, RecordingIngest(), user="hub", password_file=str(secret))
        async with running(service):
            assert service.counters.connections == 1


@VERSIONS
async def test_refused_credentials_are_a_problem_with_a_remedy(
    mosquitto_path: str, tmp_path: Path, version: Any
) -> None:
    with mosquitto(mosquitto_path, tmp_path, with_password(tmp_path)) as broker:
        service = make(broker.port, RecordingIngest(), user="hub", version=version)
        with pytest.raises(Problem, match="password_file"):
            await service.start()


async def test_a_missing_password_file_is_a_problem() -> None:
    service = make(free_port(), RecordingIngest(), password_file="/nowhere/secret")
    with pytest.raises(Problem, match="nowhere"):
        await service.start()


def certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


async def test_tls(mosquitto_path: str, tmp_path: Path) -> None:
    public, key = certificate(tmp_path)
    port = free_port()
    extra = f"allow_anonymous true\nlistener {port} 127.0.0.1\ncertfile {public}\nkeyfile {key}\n"
    ingest = RecordingIngest()
    with mosquitto(mosquitto_path, tmp_path, extra) as broker:
        service = make(port, ingest, tls=True, tls_ca=str(public))
        async with running(service):
            await publish(broker.port, b"1")
            await ingest.until_rows(1)
        stranger = make(port, ingest, tls=True)
        async with running(stranger):  # the certificate is not trusted: it keeps trying
            assert stranger.counters.connections == 0
