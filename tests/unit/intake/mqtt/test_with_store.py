"""The door with the real pipeline and SQLite: rows, receipts and duplicates add up."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dothi.app.data_folder import DataFolder
from dothi.app.stores import Stores, open_stores
from dothi.intake.mqtt.embedded.service import EmbeddedMqtt
from dothi.intake.mqtt.external.service import ExternalMqtt
from dothi.intake.mqtt.factory import mqtt_service
from dothi.intake.mqtt.settings import EmbeddedSettings, ExternalSettings, MqttSettings
from dothi.model.source import Source
from dothi.pipeline.intake import Intake
from dothi.ports.clock import SystemClock
from dothi.storage.lake.settings import LakeSettings
from mqtt_peers import RawClient, mosquitto


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    folder = DataFolder(tmp_path / "data")
    folder.path.mkdir()
    with open_stores(folder, SystemClock(), LakeSettings()) as opened:
        yield opened


@asynccontextmanager
async def door(
    stores: Stores, settings: MqttSettings
) -> AsyncIterator[EmbeddedMqtt | ExternalMqtt]:
    intake = Intake(stores.writer, {})
    service = mqtt_service(settings, intake, stores.sources)
    assert service is not None
    await intake.start()
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
        await intake.stop()


async def test_embedded(stores: Stores) -> None:
    """A device with a token: stored, rejected and duplicate add up to received."""
    stores.sources.put(Source("wl-phu-an", "Phú An", "mqtt"))
    token = stores.sources.issue_token("wl-phu-an")
    settings = MqttSettings(embedded=EmbeddedSettings(port=0))
    async with door(stores, settings) as service:
        assert isinstance(service, EmbeddedMqtt)
        client = await RawClient.enter(service.port, user="wl-phu-an", password=token.encode())
        good = b'{"type": "WaterObserved", "level": {"value": 1.4, "unit": "m"}, "observedAt": %d}'
        payloads = (good % 1_700_000_000, good % 1_700_000_060, good % 1_700_000_000, b"{broken")
        for packet_id, payload in enumerate(payloads, start=1):
            await client.publish("dothi/v1/phu-an", payload, packet_id=packet_id)
            await client.puback()
    assert stores.reader.read(0, 10)["number"].to_pylist() == [1.4, 1.4]
    state = stores.state.attributes(["urn:ngsi-ld:WaterObserved:phu-an"])
    [row] = state.to_pylist()
    assert (row["number"], row["unit"], row["source"]) == (1.4, "MTR", "wl-phu-an")
    assert row["observed_at"] == datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)
    [totals] = stores.receipts.totals()
    assert (totals.received, totals.stored, totals.rejected, totals.duplicate) == (4, 2, 1, 1)
    [reject] = stores.receipts.rejects("wl-phu-an")
    assert (reject.reason, reject.sample) == ("json_malformed", "{broken")


@pytest.mark.needs("mosquitto")
async def test_external(stores: Stores, mosquitto_path: str, tmp_path: Path) -> None:
    """What the broker held for dothi is stored once, also when it is sent again."""
    with mosquitto(mosquitto_path, tmp_path) as broker:
        settings = MqttSettings(mode="external", external=ExternalSettings(port=broker.port))
        async with door(stores, settings):
            pass  # makes the session
        client = await RawClient.enter(broker.port)
        for number in [*range(100), 0]:
            payload = b'{"value": %d, "observedAt": %d}' % (number, 1_700_000_000 + number)
            await client.publish("dothi/v1/meter/x", payload, packet_id=number + 1)
            await client.puback()
        async with door(stores, settings) as service:
            while service.counters.acknowledged_total < 101:
                await client.stays_silent(0.02)
    numbers = stores.reader.read(0, 1000)["number"].to_pylist()
    assert sorted(numbers) == list(range(100))
    [totals] = stores.receipts.totals()
    assert (totals.source, totals.received, totals.stored, totals.duplicate) == (
        "mqtt",
        101,
        100,
        1,
    )
