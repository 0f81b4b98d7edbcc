"""The stations of a drill: they speak through the MQTT door, at the speed of the drill."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import aiomqtt
import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct

from dothi.app.drill.scenario import Scenario, Station
from dothi.app.drill.timing import Timing
from dothi.model.row import Kind, rows_table
from dothi.model.source import Origin, Source

log = logging.getLogger(__name__)

_ACK_TIMEOUT_S = 30.0
_RETRY_S = 1.0


class Door(Struct, frozen=True):
    """Where the MQTT door of the drill listens."""

    host: str
    port: int


def source_of(scenario: Scenario, station: Station) -> Source:
    """The source that bears the values of a station; its origin shows wherever they show."""
    return Source(
        station.source,
        station.name,
        "mqtt",
        owner=scenario.title_en,
        origin=Origin(scenario.origin),
        origin_note=scenario.origin_note_en,
        origin_note_vi=scenario.origin_note_vi,
        may_write_others=True,
    )


def place_rows(scenario: Scenario) -> pa.Table:
    """ROW_SCHEMA: name and place of every station's entity."""
    tables = []
    for station in scenario.stations:
        known = {
            "source": [station.source],
            "entity": [station.entity],
            "entity_type": [station.type],
        }
        tables.append(rows_table({**known, "attribute": ["name"], "text": [station.name]}))
        if station.location is not None:
            point = {"type": "Point", "coordinates": list(station.location)}
            body = msgspec.json.encode(point).decode()
            place = {"attribute": ["location"], "body": [body], "kind": int(Kind.GEO_PROPERTY)}
            tables.append(rows_table({**known, **place}))
    return pa.concat_tables(tables)


def value_at(station: Station, after_s: float) -> float:
    """Linear between the points, the last one for ever."""
    times, values = zip(*station.points, strict=True)
    return round(float(np.interp(after_s, times, values)), 4)


class StationFeed:
    """One station; a beat that the door did not acknowledge is sent again."""

    def __init__(self, station: Station, token: str, door: Door, timing: Timing) -> None:
        self._station = station
        self._token = token
        self._door = door
        self._timing = timing
        self.beat = 0
        """The next one."""

    async def run(self, duration_s: float) -> None:
        """Until the scenario is over."""
        while self.beat * self._station.every_s <= duration_s:
            try:
                async with self._client() as client:
                    await self._speak(client, duration_s)
            except aiomqtt.MqttError as error:
                log.info("drill station %s lost the door: %s", self._station.source, error)
                await asyncio.sleep(_RETRY_S)

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._door.host,
            self._door.port,
            username=self._station.source,
            password=self._token,
            identifier=f"drill-{self._station.source}",
        )

    async def _speak(self, client: aiomqtt.Client, duration_s: float) -> None:
        station = self._station
        while (after_s := self.beat * station.every_s) <= duration_s:
            await self._timing.sleep_until(after_s)
            await client.publish(
                f"dothi/v1/{station.entity}",
                message_of(station, after_s, self._timing.at(after_s)),
                qos=1,
                timeout=_ACK_TIMEOUT_S,
            )
            self.beat += 1


def message_of(station: Station, after_s: float, at: datetime) -> bytes:
    """The JSON of one beat."""
    value: dict[str, float | str] = {"value": value_at(station, after_s)}
    if station.unit:
        value["unit"] = station.unit
    return msgspec.json.encode({"type": station.type, "observedAt": at, station.attribute: value})


def started_now() -> datetime:
    """To the whole millisecond, so that times in reports are short."""
    now = datetime.now(UTC)
    return now - timedelta(microseconds=now.microsecond % 1000)
