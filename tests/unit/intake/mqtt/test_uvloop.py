"""The door on the event loop that the program really uses: its transports are of other classes."""

from pathlib import Path

import pytest
import uvloop

from dothi.intake.mqtt.external.service import ExternalMqtt
from dothi.intake.mqtt.mapping.mapper import Mapper
from dothi.intake.mqtt.settings import ExternalSettings, MqttSettings
from dothi.model.problem import Overloaded
from mqtt_peers import Mosquitto, RawClient, RecordingIngest, embedded, mosquitto


async def _through_embedded() -> RecordingIngest:
    ingest = RecordingIngest()
    ingest.failures = [Overloaded(0.05)]  # reading stops and goes on
    async with embedded(ingest) as broker:
        client = await RawClient.enter(broker.port)
        await client.publish("dothi/v1/a/b", b"1")
        assert await client.puback() == (1, 0)
    return ingest


async def _through_external(broker: Mosquitto) -> RecordingIngest:
    ingest = RecordingIngest()
    ingest.failures = [Overloaded(0.05)]
    settings = MqttSettings(mode="external", external=ExternalSettings(port=broker.port))
    service = ExternalMqtt(settings, Mapper(settings), ingest)
    await service.start()
    client = await RawClient.enter(broker.port)
    await client.publish("dothi/v1/a/b", b"1")
    await ingest.until_rows(1)
    await service.stop()
    return ingest


def test_embedded() -> None:
    assert len(uvloop.run(_through_embedded()).rows) == 1


@pytest.mark.needs("mosquitto")
def test_external(mosquitto_path: str, tmp_path: Path) -> None:
    with mosquitto(mosquitto_path, tmp_path) as broker:
        assert len(uvloop.run(_through_external(broker)).rows) == 1
