"""One station as a device: an MQTT client that speaks at its beat and resends what it missed."""

import asyncio
import logging
import time
import zlib
from contextlib import suppress
from datetime import UTC, datetime

import aiomqtt
import msgspec
import numpy as np
from msgspec import Struct

from dothi.app.example.registry import Feed, Station
from dothi.app.example.signal import Signal, Times
from dothi.app.example.ticks import ticks_between

MIN_BACKOFF_S, MAX_BACKOFF_S = 0.5, 30.0
MOST_KEPT = 1_000
"""Beats that a station keeps while the broker is away; the oldest go first."""
ACK_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
"""Also how long a goodbye may take."""

log = logging.getLogger(__name__)


class Broker(Struct, frozen=True):
    """Where the MQTT door listens."""

    host: str
    port: int


class Device(Struct, frozen=True):
    """A station with what it needs to send."""

    station: Station
    feed: Feed
    signal: Signal
    token: str


class StationPublisher:
    """Publishes from `sent_us` on, QoS 1; `sent_us` moves when the broker has acknowledged."""

    def __init__(self, device: Device, broker: Broker, sent_us: int) -> None:
        self.sent_us = sent_us
        self._device = device
        self._broker = broker

    async def run(self) -> None:
        """Until cancelled; comes back after every loss of the connection."""
        backoff_s = MIN_BACKOFF_S
        source = self._device.station.source
        while True:
            sent_before_us = self.sent_us
            try:
                async with self._client() as client:
                    await self._speak(client)
            except aiomqtt.MqttError as error:
                # Leaving the client may fail too; its error must not swallow the cancellation.
                if _is_cancelled():
                    raise asyncio.CancelledError from error
                if self.sent_us > sent_before_us:
                    backoff_s = MIN_BACKOFF_S
                log.info("example station %s lost the broker: %s", source, error)
            # Stations differ a little, so that sixty of them do not knock at the same moment.
            await asyncio.sleep(backoff_s * (0.5 + zlib.crc32(source.encode()) % 1000 / 1000))
            backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)

    def _client(self) -> aiomqtt.Client:
        source = self._device.station.source
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=source,
            password=self._device.token,
            identifier=f"example-{source}",
            timeout=CONNECT_TIMEOUT_S,
        )

    async def _speak(self, client: aiomqtt.Client) -> None:
        source, step_s = self._device.station.source, self._device.feed.cadence_s
        topic = f"dothi/v1/{self._device.station.entity}"
        while True:
            now_us = time.time_ns() // 1_000
            # After the clock was set back, go on from now instead of waiting for the old time.
            self.sent_us = min(self.sent_us, now_us)
            due = ticks_between(source, step_s, self.sent_us + 1, now_us + step_s * 1_000_000 + 1)
            passed = due[due <= now_us][-MOST_KEPT:]
            if len(passed) == 0:
                await _rest(client, (int(due[0]) - now_us) / 1_000_000)
                continue
            payload = encode(self._device, passed)
            if payload:
                await client.publish(topic, payload, qos=1, timeout=ACK_TIMEOUT_S)
            self.sent_us = int(passed[-1])


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _rest(client: aiomqtt.Client, pause_s: float) -> None:
    """Waits; raises MqttError as soon as the connection is gone, not at the next beat."""
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await anext(aiter(client.messages))


def encode(device: Device, at_us: Times) -> bytes:
    """The JSON message of one beat, or an array of them; empty when the station is silent."""
    sampled = device.signal.sample(at_us)
    messages = []
    for row, at in enumerate(at_us):
        values = {
            name: _value(values.number[row], device.feed.units[name], int(values.quality[row]))
            for name, values in sampled.items()
            if np.isfinite(values.number[row])
        }
        if values:
            when = datetime.fromtimestamp(int(at) / 1_000_000, UTC)
            messages.append({"type": device.station.type, "observedAt": when, **values})
    if not messages:
        return b""
    return msgspec.json.encode(messages[0] if len(messages) == 1 else messages)


def _value(number: float, unit: str, quality: int) -> dict[str, float | str | int]:
    value: dict[str, float | str | int] = {"value": float(number), "unit": unit}
    return {**value, "quality": quality} if quality else value
