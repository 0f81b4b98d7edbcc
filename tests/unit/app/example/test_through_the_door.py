"""The stations as devices at dothi's own MQTT door: stored, labelled, back after a restart."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from dothi.app.example import publisher
from dothi.app.example.publisher import Broker
from dothi.intake.mqtt.embedded.service import EmbeddedMqtt
from dothi.intake.mqtt.factory import mqtt_service
from dothi.intake.mqtt.settings import EmbeddedSettings, MqttSettings

Staged = Callable[[Path], AbstractAsyncContextManager[Any]]


def open_door(stage: Any, port: int) -> EmbeddedMqtt:
    settings = MqttSettings(embedded=EmbeddedSettings(port=port))
    door = mqtt_service(settings, stage.intake, stage.sources)
    assert isinstance(door, EmbeddedMqtt)
    return door


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.05)


async def test_stations_send_through_the_door_and_come_back_after_its_restart(
    staged: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "MAX_BACKOFF_S", 1.0)
    async with staged(tmp_path) as stage:
        door = open_door(stage, 0)
        await door.start()
        broker = Broker("127.0.0.1", door.port)
        stage.example = stage.make_example(broker, history_days=0)
        await stage.example.start()
        await wait_until(lambda: door.counters.acknowledged_total >= 3)
        await door.stop()

        again = open_door(stage, broker.port)
        await again.start()
        await wait_until(lambda: again.counters.acknowledged_total >= 3)
        await stage.example.stop()
        await again.stop()

        totals = [t for t in stage.receipts.totals() if t.last_observed_at is not None]
        assert len(totals) >= 3
        assert all(t.received == t.stored and t.rejected == 0 for t in stage.receipts.totals())
        declared = {source.id for source in stage.sources.all()}
        assert len(declared) == 65, "every message came as the source of its own token"
