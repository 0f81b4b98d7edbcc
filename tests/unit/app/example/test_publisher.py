"""A station as an MQTT client, against a real Mosquitto that goes away and comes back."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import numpy as np
import pytest

from dothi.app.example import publisher as publisher_module
from dothi.app.example.files import find_data_folder
from dothi.app.example.publisher import Broker, Device, StationPublisher, encode
from dothi.app.example.registry import read_registry
from dothi.app.example.signal import Times
from dothi.app.example.signals import make_signal

FOLDER = find_data_folder()
REGISTRY = read_registry(FOLDER)


def device(source: str, cadence_s: int = 1) -> Device:
    (station,) = [s for s in REGISTRY.stations if s.source == source]
    feed = msgspec.structs.replace(REGISTRY.feed_of(station), cadence_s=cadence_s)
    return Device(station, feed, make_signal(FOLDER, REGISTRY, station, 1), "secret")


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mosquitto(tmp_path: Path, mosquitto_path: str) -> Iterator[tuple[int, Callable[[], Any]]]:
    """A port, and a function that starts the broker there."""
    port = free_port()
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [mosquitto_path, "-c", str(settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        running.append(process)
        return process

    yield port, start
    for process in running:
        process.kill()
        process.wait()


async def hear(port: int, heard: list[dict[str, Any]]) -> None:
    while True:
        with suppress(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", port) as client:
                await client.subscribe("dothi/v1/#", qos=1)
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    found = json.loads(message.payload)
                    heard += found if isinstance(found, list) else [found]
        await asyncio.sleep(0.05)


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.05)


@pytest.mark.thorough
@pytest.mark.needs("mosquitto")
async def test_a_station_survives_a_restart_of_the_broker_without_a_gap(
    mosquitto: tuple[int, Callable[[], Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "MAX_BACKOFF_S", 0.5)
    port, start = mosquitto
    publisher = StationPublisher(
        device("wl-thu-dau-mot"), Broker("127.0.0.1", port), time.time_ns() // 1000
    )
    offered: list[int] = []

    def note(own: Device, at_us: Times) -> bytes:
        offered.extend(at_us.tolist())
        return encode(own, at_us)

    monkeypatch.setattr(publisher_module, "encode", note)
    heard: list[dict[str, Any]] = []
    tasks = [asyncio.create_task(publisher.run()), asyncio.create_task(hear(port, heard))]
    try:
        broker = start()
        await wait_until(lambda: len(heard) >= 2)
        broker.terminate()
        broker.wait()
        away_from = len(heard)
        await asyncio.sleep(1.5)
        start()
        await wait_until(lambda: len(heard) >= away_from + 3)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    acknowledged = [t for t in sorted(set(offered)) if t <= publisher.sent_us]
    assert set(np.diff(acknowledged)) == {1_000_000}, "no beat was skipped"
    said = sorted(datetime.fromisoformat(m["observedAt"]).timestamp() * 1e6 for m in heard)
    assert said[-1] <= publisher.sent_us and set(said) <= set(offered)


@pytest.mark.needs("mosquitto")
async def test_a_failing_goodbye_does_not_keep_a_station_running(
    mosquitto: tuple[int, Callable[[], Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, start = mosquitto
    start()
    leave = aiomqtt.Client.__aexit__

    async def leave_badly(client: aiomqtt.Client, *error: Any) -> None:
        await leave(client, *error)
        raise aiomqtt.MqttError("connection reset while saying goodbye")

    monkeypatch.setattr(aiomqtt.Client, "__aexit__", leave_badly)
    began_us = time.time_ns() // 1000
    publisher = StationPublisher(device("wl-thu-dau-mot"), Broker("127.0.0.1", port), began_us)
    task = asyncio.create_task(publisher.run())
    await wait_until(lambda: publisher.sent_us > began_us)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert task in done and task.cancelled()


def test_a_message_names_type_time_unit_and_quality() -> None:
    at_us = np.array([1_795_000_000_000_000], np.int64)
    message = json.loads(encode(device("air-hcm-le-huu-kieu"), at_us))
    assert message["type"] == "AirQualityObserved"
    assert datetime.fromisoformat(message["observedAt"]).timestamp() == 1_795_000_000
    assert message["pm25"].keys() == {"value", "unit", "quality"}
    assert (message["pm25"]["unit"], message["pm25"]["quality"]) == ("GQ", 5)


def test_a_silent_station_sends_nothing() -> None:
    gauge = device("wl-tra-vinh")
    day = np.arange(1_795_000_000_000_000, 1_795_090_000_000_000, 60_000_000, dtype=np.int64)
    silent = np.isnan(gauge.signal.sample(day)["level"].number)
    assert silent.any()
    assert encode(gauge, day[silent][:1]) == b""
    assert isinstance(json.loads(encode(gauge, day[~silent][:2])), list)
