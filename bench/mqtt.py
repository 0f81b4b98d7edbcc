"""MQTT, QoS 1: publisher -> Mosquitto -> dothi with the real store, all on this machine.

Three runs, each with an empty store: as fast as it goes through Mosquitto, 10,000 messages a
second through Mosquitto (for the delay from publishing to the durable commit), and as fast as it
goes into the embedded broker. A message is one JSON object with one number, one time and one unit;
acknowledged means that it is committed (SQLite WAL, synchronous=FULL).

    uv run dothi bench mqtt [--messages N] [--seconds S] [--rate R]
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil
import pyarrow as pa
import uvloop

from dothi.app.data_folder import DataFolder
from dothi.app.stores import Stores, open_stores
from dothi.intake.mqtt.codec import encode
from dothi.intake.mqtt.codec.framing import Framer
from dothi.intake.mqtt.codec.packets import V5, Connect, Publish, Type
from dothi.intake.mqtt.factory import mqtt_service
from dothi.intake.mqtt.settings import EmbeddedSettings, ExternalSettings, MqttSettings
from dothi.model.batch import Batch, CommitResult
from dothi.pipeline.intake import Intake
from dothi.ports.clock import SystemClock
from dothi.ports.service import Service
from dothi.storage.lake.settings import LakeSettings

DEVICES = 1_000
WINDOW = 2_000


class Timed:
    """The real intake, with the delay of every row between publishing and the commit."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.stored = 0
        self.rejected = 0
        self.duplicates = 0
        self.ended_s = 0.0
        self.batch_rows: list[int] = []
        self.delays_ms: list[np.ndarray[Any, Any]] = []

    async def submit(self, batch: Batch) -> CommitResult:
        result = await self._intake.submit(batch)
        now_us = time.time_ns() // 1000
        sent_us = batch.rows["observed_at"].cast(pa.int64()).to_numpy()
        self.delays_ms.append((now_us - sent_us) / 1000)
        self.batch_rows.append(batch.rows.num_rows)
        self.stored += result.stored
        self.duplicates += result.duplicates
        self.rejected += result.rejected_count
        self.ended_s = time.time()
        return result


def run(arguments: list[str]) -> dict[str, object]:
    parser = argparse.ArgumentParser(prog="dothi bench mqtt")
    parser.add_argument("--messages", type=int, default=400_000, help="of the runs at full speed")
    parser.add_argument("--seconds", type=int, default=20, help="of the run at a fixed rate")
    parser.add_argument("--rate", type=int, default=10_000, help="messages per second of that run")
    chosen = parser.parse_args(arguments)
    steady = chosen.rate * chosen.seconds
    return {
        "mosquitto_full_speed": uvloop.run(_measure("external", chosen.messages, 0)),
        "mosquitto_fixed_rate": uvloop.run(_measure("external", steady, chosen.rate)),
        "embedded_full_speed": uvloop.run(_measure("embedded", chosen.messages, 0)),
    }


async def _measure(mode: str, messages: int, rate: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = DataFolder(Path(name) / "data")
        folder.path.mkdir()
        with (
            open_stores(folder, SystemClock(), LakeSettings()) as stores,
            _mosquitto(Path(name), mode) as broker,
        ):
            async with _door(stores, mode, broker.port) as (ingest, port):
                return await _publish_and_wait(ingest, port, messages, rate, broker.process)


async def _publish_and_wait(
    ingest: Timed, port: int, messages: int, rate: int, broker: psutil.Process | None
) -> dict[str, object]:
    own = psutil.Process()
    own_cpu_s, broker_cpu_s = _cpu_s(own), _cpu_s(broker)
    began_s = time.time()
    publisher = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, str(port), str(messages), str(rate)),
        stdout=subprocess.PIPE,
    )
    out, _ = await publisher.communicate()
    published = json.loads(out)
    while ingest.stored + ingest.rejected + ingest.duplicates < messages:
        await asyncio.sleep(0.02)
        if time.time() - max(ingest.ended_s, began_s) > 60:
            raise RuntimeError(f"only {ingest.stored} of {messages} messages arrived")
    took_s = ingest.ended_s - published["began_s"]
    delays_ms = np.concatenate(ingest.delays_ms)
    return {
        "messages": messages,
        "asked_rate_per_s": rate or "unlimited",
        "committed_per_s": round(ingest.stored / took_s),
        "publisher_per_s": round(messages / published["took_s"]),
        "took_s": round(took_s, 2),
        "stored": ingest.stored,
        "duplicates": ingest.duplicates,
        "rejected": ingest.rejected,
        "publish_to_commit_ms": {
            f"p{p}": round(float(np.percentile(delays_ms, p)), 1) for p in (50, 95, 99)
        },
        "rows_per_batch_median": statistics.median(ingest.batch_rows),
        "cpu_us_per_message": {
            "dothi": round((_cpu_s(own) - own_cpu_s) / messages * 1e6, 1),
            "mosquitto": round((_cpu_s(broker) - broker_cpu_s) / messages * 1e6, 1),
            "publisher": round(published["cpu_s"] / messages * 1e6, 1),
        },
        "load_average_1m": round(os.getloadavg()[0], 1),
    }


@asynccontextmanager
async def _door(stores: Stores, mode: str, port: int) -> AsyncIterator[tuple[Timed, int]]:
    intake = Intake(stores.writer, {})
    ingest = Timed(intake)
    settings = MqttSettings(
        mode="external" if mode == "external" else "embedded",
        embedded=EmbeddedSettings(port=port, allow_anonymous=True),
        external=ExternalSettings(port=port, client_id="bench"),
    )
    door = mqtt_service(settings, ingest, stores.sources)
    assert door is not None
    services: list[Service] = [intake, door]
    for service in services:
        await service.start()
    try:
        yield ingest, port
    finally:
        for service in reversed(services):
            await service.stop()


class _Broker:
    def __init__(self, port: int, process: psutil.Process | None) -> None:
        self.port, self.process = port, process


@contextmanager
def _mosquitto(folder: Path, mode: str) -> Iterator[_Broker]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    if mode != "external":
        yield _Broker(port, None)
        return
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    config = folder / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    config.write_text(
        f"{user}listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        f"persistence true\npersistence_location {folder}/\n"
    )
    with subprocess.Popen(
        [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            for _ in range(200):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
                    break
                time.sleep(0.02)
            yield _Broker(port, psutil.Process(process.pid))
        finally:
            process.terminate()


def _cpu_s(process: psutil.Process | None) -> float:
    if process is None:
        return 0.0
    times = process.cpu_times()
    return float(times.user + times.system)


class Publisher(asyncio.Protocol):
    """QoS 1, pipelined: at most WINDOW messages without acknowledgement."""

    def __init__(self, count: int, rate: int) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._framer = Framer(1 << 16)
        self._count, self._rate = count, rate
        self._sent = self._acked = 0
        self._is_in = False
        self._began_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass of it
        self._transport = transport
        transport.write(
            encode.encode_connect(Connect(V5, "bench-publisher", True, 60, None, None, None, {}))
        )

    def data_received(self, data: bytes) -> None:
        for frame in self._framer.feed(data):
            if frame.first >> 4 == Type.PUBACK:
                self._acked += 1
            else:
                self._is_in = True
                self._began_s = time.time()
                if self._rate:
                    self._tick()
        if self._acked == self._count:
            self.done.set_result(self._began_s)
        elif self._is_in and not self._rate:
            self.pump()

    def pump(self) -> None:
        """Send what the window, and the clock, allow."""
        allowed = min(self._count, self._acked + WINDOW)
        if self._rate:
            allowed = min(allowed, int((time.time() - self._began_s) * self._rate) + 1)
        out = []
        now_us = time.time_ns() // 1000
        for number in range(self._sent, allowed):
            payload = b'{"observedAt":%d,"temperature":{"value":%d.5,"unit":"CEL"}}' % (
                now_us + number % 7,
                number % 40,
            )
            message = Publish(f"dothi/v1/s{number % DEVICES}", payload, 1, number % 65_535 + 1)
            out.append(encode.encode_publish(message, V5))
        self._sent = max(self._sent, allowed)
        if out:
            self._transport.write(b"".join(out))

    def _tick(self) -> None:
        self.pump()
        if self._sent < self._count:
            asyncio.get_running_loop().call_later(0.002, self._tick)


async def _publish(port: int, count: int, rate: int) -> None:
    loop = asyncio.get_running_loop()
    _, publisher = await loop.create_connection(lambda: Publisher(count, rate), "127.0.0.1", port)
    start_cpu_s = time.process_time()
    began_s = await publisher.done
    cpu_s = round(time.process_time() - start_cpu_s, 2)
    print(json.dumps({"began_s": began_s, "took_s": time.time() - began_s, "cpu_s": cpu_s}))


if __name__ == "__main__":
    uvloop.run(_publish(*map(int, sys.argv[1:4])))
