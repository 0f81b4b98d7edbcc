"""The examples of the guide "Connect devices by MQTT" run as they stand, in both languages."""

import asyncio
import os
import re
from pathlib import Path

import msgspec
import pytest

from dothi.app.config.settings import Settings
from dothi.intake.mqtt.mapping.inbound import Inbound
from dothi.intake.mqtt.mapping.mapper import Mapper
from mqtt_peers import RecordingIngest, embedded

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
LANGUAGES = pytest.mark.parametrize("language", ["vi", "en"])


def _text(language: str) -> str:
    return (GUIDE / language / "connect-mqtt.md").read_text()


def _blocks(language: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", _text(language), re.DOTALL)


@pytest.mark.needs("mosquitto")
@LANGUAGES
async def test_the_examples_store_what_they_say(language: str) -> None:
    ingest = RecordingIngest()
    async with embedded(ingest, allow_anonymous=False) as broker:
        environment = {
            **os.environ,
            "MQTT_HOST": "127.0.0.1",
            "MQTT_PORT": str(broker.port),
            "SOURCE": "station-1",
            "TOKEN": "token-of-station-1",
        }
        for command in _blocks(language, "sh")[1:]:
            process = await asyncio.create_subprocess_exec("bash", "-c", command, env=environment)
            assert await process.wait() == 0, command
    assert ingest.reasons == {}
    found = {(row["entity"], row["attribute"]): row for row in ingest.rows}
    assert found["urn:ngsi-ld:Device:pump-1", "flow"]["number"] == 12.5
    level = found["urn:ngsi-ld:WaterObserved:demo-2", "level"]
    assert (level["number"], level["unit"], level["source"]) == (1.42, "m", "station-1")
    assert found["urn:ngsi-ld:Device:room-3", "humidity"]["number"] == 61
    assert len(found) == 7


@LANGUAGES
def test_the_settings_are_settings(language: str) -> None:
    own, external = (msgspec.toml.decode(one, type=Settings) for one in _blocks(language, "toml"))
    [payload, topic] = re.search(r"`(\{\"data\".*?)`.*`(factory/.*?)`", _text(language)).groups()
    mapped = Mapper(own.mqtt).map([Inbound(topic, payload.encode(), 0)])
    assert mapped.rejected == ()
    assert [row["number"] for row in mapped.rows.to_pylist()] == [27.5, 31]
    assert mapped.rows["entity"][0].as_py() == "urn:ngsi-ld:AirQualityObserved:s-9"
    assert Mapper(external.mqtt).filters[0] == "city/+/+"


def test_both_languages_show_the_same_settings() -> None:
    assert _blocks("vi", "toml") == _blocks("en", "toml")
