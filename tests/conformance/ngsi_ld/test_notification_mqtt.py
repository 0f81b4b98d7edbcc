"""Notifications over MQTT against a real broker (clause 7.2)."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest
from tests.certificates import self_signed
from tests.conformance.ngsi_ld.broker import LD_JSON
from tests.conformance.ngsi_ld.subscriber import Subscribed, subscribed
from tests.mqtt_peers import Mosquitto, mosquitto, tls_listener

pytestmark = pytest.mark.needs("mosquitto")
TOPIC = "city/rooms/hot"


@asynccontextmanager
async def listening(broker: Mosquitto, **options: Any) -> AsyncIterator["asyncio.Queue[Any]"]:
    """Messages of the topic as they arrive."""
    messages: asyncio.Queue[Any] = asyncio.Queue()

    async def gather(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            messages.put_nowait(message)

    async with aiomqtt.Client("localhost", broker.port, **options) as client:
        await client.subscribe(TOPIC, qos=2)
        task = asyncio.create_task(gather(client))
        try:
            yield messages
        finally:
            task.cancel()


async def _told(messages: "asyncio.Queue[Any]") -> tuple[Any, dict[str, Any]]:
    async with asyncio.timeout(20):
        message = await messages.get()
    return message, msgspec.json.decode(message.payload)


@pytest.mark.parametrize("qos", [None, "0", "1", "2"])
@pytest.mark.parametrize("version", [None, "mqtt3.1.1", "mqtt5.0"])
async def test_a_change_reaches_the_topic(
    desk: Subscribed, tmp_path: Path, mosquitto_path: str, qos: str | None, version: str | None
) -> None:
    """7.2: metadata and body; QoS and version by notifierInfo."""
    info = [{"key": "MQTT-QoS", "value": qos}] if qos else []
    info += [{"key": "MQTT-Version", "value": version}] if version else []
    with mosquitto(mosquitto_path, tmp_path) as broker:
        async with listening(broker) as messages:
            uri = f"mqtt://127.0.0.1:{broker.port}/{TOPIC}"
            endpoint: dict[str, Any] = {
                "uri": uri,
                "receiverInfo": [{"key": "X-Room", "value": "1"}],
            }
            if info:
                endpoint["notifierInfo"] = info
            number = await desk.subscribe(notification={"endpoint": endpoint})
            await desk.room(a=1)
            message, found = await _told(messages)
            assert message.qos == int(qos or 0)
            assert found.keys() == {"metadata", "body"}
            assert found["metadata"]["Content-Type"] == "application/json"
            assert found["metadata"]["Link"].startswith("<https://uri.etsi.org/")
            assert found["metadata"]["X-Room"] == "1"
            assert found["body"]["subscriptionId"] == number
            assert found["body"]["data"][0]["a"] == {"type": "Property", "value": 1}
            await desk.patch(a=2)
            _, found = await _told(messages)
            assert found["body"]["data"][0]["a"]["value"] == 2
            assert (await desk.subscription(number))["notification"]["status"] == "ok"


async def test_json_ld_over_mqtt(desk: Subscribed, tmp_path: Path, mosquitto_path: str) -> None:
    """7.2: Content-Type in the metadata, no Link, @context in the body."""
    with mosquitto(mosquitto_path, tmp_path) as broker:
        async with listening(broker) as messages:
            uri = f"mqtt://127.0.0.1:{broker.port}/{TOPIC}"
            await desk.subscribe(notification={"endpoint": {"uri": uri, "accept": LD_JSON}})
            await desk.room(a=1)
            _, found = await _told(messages)
            assert found["metadata"] == {"Content-Type": LD_JSON}
            assert "@context" in found["body"]["data"][0]


async def test_user_and_password_of_the_uri(
    desk: Subscribed, tmp_path: Path, mosquitto_path: str
) -> None:
    """7.2: mqtt://user:password@host:port/topic; wrong ones fail and say so."""
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "hue", "p@ss"], check=True)
    extra = f"allow_anonymous false\npassword_file {passwords}\n"
    with mosquitto(mosquitto_path, tmp_path, extra) as broker:
        async with listening(broker, username="hue", password="p@ss") as messages:
            place = f"127.0.0.1:{broker.port}/{TOPIC}"
            good = {"endpoint": {"uri": f"mqtt://hue:p%40ss@{place}"}}
            bad = await desk.subscribe(notification={"endpoint": {"uri": f"mqtt://hue:no@{place}"}})
            await desk.subscribe(notification=good)
            await desk.room(a=1)
            await _told(messages)
            async with asyncio.timeout(20):
                while desk.service.registry.get(bad).delivery.state.status != "failed":
                    await asyncio.sleep(0.02)


async def test_mqtts_asks_who_vouches_for_the_broker(
    tmp_path: Path, mosquitto_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """7.2: over TLS; a broker that nobody vouches for is told nothing, and nothing is lost."""
    certificate = self_signed(tmp_path)
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with mosquitto(mosquitto_path, tmp_path, tls_listener(certificate)) as broker:
        async with listening(broker, tls_context=trusted) as messages:
            async with subscribed(tmp_path) as desk:
                uri = f"mqtts://localhost:{broker.port}/{TOPIC}"
                number = await desk.subscribe(notification={"endpoint": {"uri": uri}})
                delivery = desk.service.registry.get(number).delivery
                await desk.room(a=1)
                async with asyncio.timeout(20):
                    while delivery.state.status != "failed":
                        await asyncio.sleep(0.02)
                assert "certificate verify failed" in delivery.state.last_error
                assert messages.empty()
            # Who is trusted is read by the first secure message after the start.
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
            async with subscribed(tmp_path):
                _, found = await _told(messages)
    assert found["body"]["data"][0]["a"]["value"] == 1


async def test_a_broker_that_comes_back(
    desk: Subscribed, tmp_path: Path, mosquitto_path: str
) -> None:
    """What changed while it was away is told afterwards."""
    with mosquitto(mosquitto_path, tmp_path) as broker:
        uri = f"mqtt://127.0.0.1:{broker.port}/{TOPIC}"
        await desk.room(a=0)
        info = [{"key": "MQTT-QoS", "value": "1"}]
        await desk.subscribe(notification={"endpoint": {"uri": uri, "notifierInfo": info}})
        async with listening(broker) as messages:
            await desk.patch(a=1)
            await _told(messages)
        await asyncio.to_thread(broker.stop)
        await desk.patch(a=2)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(broker.start)
        async with listening(broker) as messages:
            await desk.patch(a=3)
            values = set()
            while 3 not in values:
                _, found = await _told(messages)
                values.add(found["body"]["data"][0]["a"]["value"])
