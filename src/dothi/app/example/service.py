"""The example of the two provinces as a running part: areas, sources, history, devices."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dothi.app.area_files import read_areas, read_shares
from dothi.app.background import report_failure
from dothi.app.example.files import find_data_folder
from dothi.app.example.memory import ExampleMemory, read_memory, ready_tokens, write_memory
from dothi.app.example.publisher import Broker, Device, StationPublisher
from dothi.app.example.registry import Registry, read_registry
from dothi.app.example.rows import Part, history_edges, history_parts, station_rows
from dothi.app.example.settings import ExampleSettings
from dothi.app.example.signal import Signal
from dothi.app.example.signals import make_signals
from dothi.app.rules import RULE_FILE, bring_rules
from dothi.model.area import Area, AreaShare
from dothi.model.batch import Batch
from dothi.model.problem import Overloaded, StoreUnavailable
from dothi.model.source import Source
from dothi.ports.areas import Areas
from dothi.ports.ingest import Ingest
from dothi.ports.registry import Sources
from dothi.ports.rules import Rules

AREA_FILES = ("provinces.geojson", "districts.geojson", "wards.geojson")
DAY_US = 86_400_000_000
MOST_REPEATED_US = 3_600_000_000
RETRY_S = 2.0
PARTS_AT_ONCE = 24
"""Parts of history under way together: they share transactions, and a day fits in memory."""

log = logging.getLogger(__name__)


class ExampleNeeds(Struct, frozen=True):
    """The ports that the example works on."""

    sources: Sources
    areas: Areas
    ingest: Ingest
    rules: Rules | None = None


class ExampleService:
    """`ports.service.Service`. Ready when areas and sources are there; history and the devices'
    connections follow in the background."""

    name = "example"

    def __init__(
        self,
        needs: ExampleNeeds,
        broker: Broker,
        data_folder: Path,
        settings: ExampleSettings | None = None,
    ) -> None:
        self._needs = needs
        self._broker = broker
        self._data_folder = data_folder
        self._settings = settings or ExampleSettings()
        self._files = find_data_folder()
        self._memory = ExampleMemory()
        self._is_complete = False
        """History up to this start is stored; before that, the next start fills it again."""
        self._publishers: list[StationPublisher] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        declared = read_registry(self._files)
        registry, tokens = await asyncio.to_thread(self._prepare, declared)
        self._task = asyncio.create_task(self._run(registry, tokens), name="example")
        self._task.add_done_callback(report_failure)

    async def stop(self) -> None:
        if self._task is None:
            return
        task, self._task = self._task, None
        task.cancel()
        await asyncio.wait([task])
        if self._is_complete:
            # A station that was cut off for longer must not make all others repeat themselves.
            oldest_us = time.time_ns() // 1_000 - MOST_REPEATED_US
            sent_us = min(p.sent_us for p in self._publishers)
            self._memory.filled_to_us = max(sent_us, oldest_us)
            await asyncio.to_thread(write_memory, self._data_folder, self._memory)

    def _prepare(self, declared: Registry) -> tuple[Registry, dict[str, str]]:
        """Areas, sources and tokens; gives the stations whose source is enabled."""
        self._memory = read_memory(self._data_folder)
        self._put_areas()
        if self._needs.rules is not None:
            now_at = datetime.now(UTC)
            bring_rules(self._files / RULE_FILE, self._needs.rules, "example", now_at)
        enabled = tuple(s for s in declared.stations if self._put_source(declared.source_of(s)))
        tokens = ready_tokens(
            self._data_folder, self._needs.sources, [station.source for station in enabled]
        )
        return Registry(enabled, declared.feeds), tokens

    def _put_source(self, wanted: Source) -> bool:
        """Whether the source may send; what people changed about that stays."""
        found = self._needs.sources.get(wanted.id)
        if found is not None:
            wanted = replace(
                wanted,
                created_at=found.created_at,
                is_enabled=found.is_enabled,
                may_write_others=found.may_write_others,
            )
        if wanted != found:
            self._needs.sources.put(wanted)
        return wanted.is_enabled

    def _put_areas(self) -> None:
        folder = self._files / "areas"
        paths = [folder / name for name in (*AREA_FILES, "shares.csv")]
        digest = hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()
        if digest == self._memory.areas_digest:
            return
        self._needs.areas.put(*area_files(folder))
        self._memory.areas_digest = digest
        write_memory(self._data_folder, self._memory)

    async def _run(self, registry: Registry, tokens: dict[str, str]) -> None:
        """The newest day first, so that the map is full at once; older days follow beside."""
        end_us = time.time_ns() // 1_000
        signals = await asyncio.to_thread(make_signals, self._files, registry, self._settings.seed)
        await self._introduce(registry)
        days = self._missing_days(end_us)
        for edges in days[:1]:
            await self._fill(registry, signals, edges)
        for station in registry.stations:
            source = station.source
            device = Device(station, registry.feed_of(station), signals[source], tokens[source])
            self._publishers.append(StationPublisher(device, self._broker, end_us))
        async with asyncio.TaskGroup() as group:
            for publisher in self._publishers:
                group.create_task(publisher.run())
            for edges in days[1:]:
                await self._fill(registry, signals, edges)
            self._is_complete = True
            self._memory.filled_to_us = end_us
            await asyncio.to_thread(write_memory, self._data_folder, self._memory)
            log.info("example history is complete")

    async def _introduce(self, registry: Registry) -> None:
        """Hand in what the stations are."""
        rows = station_rows(registry)
        digest = hashlib.sha256(str(rows.to_pylist()).encode()).hexdigest()[:16]
        await self._submit(Batch(f"example:stations:{digest}", rows, datetime.now(UTC)))

    def _missing_days(self, end_us: int) -> list[list[int]]:
        """Edges of the parts since the history was last complete, by days, newest first."""
        oldest_us = end_us - round(self._settings.history_days * DAY_US)
        edges = history_edges(max(self._memory.filled_to_us, oldest_us), end_us)
        ends = range(len(edges) - 1, 0, -PARTS_AT_ONCE)
        return [edges[max(0, end - PARTS_AT_ONCE) : end + 1] for end in ends]

    async def _fill(
        self, registry: Registry, signals: Mapping[str, Signal], edges: list[int]
    ) -> None:
        parts = await asyncio.to_thread(history_parts, registry, signals, edges)
        await asyncio.gather(*(self._submit(_batch_of(part)) for part in parts))

    async def _submit(self, batch: Batch) -> None:
        while True:
            try:
                result = await self._needs.ingest.submit(batch)
            except Overloaded as busy:
                await asyncio.sleep(busy.retry_after_s)
            except StoreUnavailable as error:
                log.warning("example waits for the store: %s", error)
                await asyncio.sleep(RETRY_S)
            else:
                if result.rejected:
                    log.error("example rows rejected: %s", result.rejected[0].detail)
                return


def area_files(folder: Path) -> tuple[list[Area], list[AreaShare]]:
    """The areas of the example and their shares."""
    areas = [area for name in AREA_FILES for area in read_areas(folder / name)]
    return areas, read_shares(folder / "shares.csv")


def _batch_of(part: Part) -> Batch:
    """The history is re-timed: it counts as received when its part ends."""
    received_at = datetime.fromtimestamp(part.end_us / 1_000_000, UTC)
    return Batch(f"example:history:{part.end_us}", part.rows, received_at)
