"""The watched folder as a door: scan, wait until a file is whole, read, store, remember."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dothi.intake.files.content import printable, quarantine
from dothi.intake.files.describe import description
from dothi.intake.files.group import Group, Reader
from dothi.intake.files.settings import FilesSettings
from dothi.intake.files.station import Station, station_of
from dothi.intake.files.symbols import symbol_table
from dothi.intake.files.watch import Found, Settling, scan
from dothi.model.batch import Batch
from dothi.model.measure import Measure, counter, gauge
from dothi.model.problem import Overloaded, Problem, StoreUnavailable
from dothi.model.source import Source
from dothi.ports.clock import Clock
from dothi.ports.files import FilesSeen, SeenFile
from dothi.ports.ingest import Ingest
from dothi.ports.registry import Sources

log = logging.getLogger("dothi.files")

_LOOKED_UP_AT_ONCE = 5_000


class Report(Struct):
    """What the door has done since it opened, for the health page and the metrics."""

    files: int = 0
    lines: int = 0
    rejected_files: int = 0
    rejected_lines: int = 0
    waiting: int = 0
    """Files found at the last look that were not stored before it."""
    last_scan_at: datetime | None = None
    error: str = ""
    """What went wrong at the last look; empty: nothing."""


class Ports(Struct, frozen=True):
    """What the door needs from the rest of the program."""

    ingest: Ingest
    seen: FilesSeen
    sources: Sources
    clock: Clock


class FilesDoor:
    """Service: reads Circular 10/2021 station files from a folder.

    Files stay where they are; what was read is remembered in the port `FilesSeen` after it is
    stored, so that a stop at any moment loses nothing.
    """

    def __init__(self, settings: FilesSettings, ports: Ports) -> None:
        self.report = Report()
        self._settings = settings
        self._ports = ports
        self._folder = Path(settings.folder)
        self._settling = Settling(settings.stable_s)
        self._handled: dict[str, tuple[int, int]] = {}
        """Signatures of files of recent days, so that most looks ask the database nothing."""
        self._registered: set[str] = set()
        self._next_full_s = 0.0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return "files"

    async def start(self) -> None:
        """Raises Problem: the folder is not there, or a setting does not fit."""
        if not self._folder.is_dir():
            raise Problem(
                "files_folder_missing",
                "The folder to watch is not there",
                f"{self._folder} is not a folder",
                500,
                where="[files] folder",
                remedy="create or mount it, or empty the setting to close this door",
            )
        try:
            symbols = symbol_table(self._settings.symbols)
            stations = [station_of(key, self._settings) for key in self._settings.stations]
        except (ValueError, KeyError, IndexError) as error:
            raise Problem(
                "bad_setting", "A setting does not fit", str(error), 500, where="[files]"
            ) from error
        self._reader = Reader(self._folder, self._settings, symbols)
        self._stopping.clear()
        if batch := description(stations, self._ports.clock.now()):
            await asyncio.to_thread(self._register, stations)
            await self._submit(batch)
        self._task = asyncio.create_task(self._watch(), name="files")

    async def wait(self) -> None:
        """Until the door is stopped; raises what broke it."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        self._stopping.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def measures(self) -> Sequence[Measure]:
        """What was read since the start, and what waits."""
        report = self.report
        return [
            counter("dothi_files_read_total", "Station files read", report.files),
            counter("dothi_files_rejected_total", "Station files put aside", report.rejected_files),
            gauge("dothi_files_waiting", "Station files found and not yet read", report.waiting),
            gauge(
                "dothi_files_failing", "1: the last look at the folder failed", report.error != ""
            ),
        ]

    async def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                self.report.error = await self.look()
            except (OSError, StoreUnavailable) as error:
                # A share that went away or a full disk comes back: the files wait where they are.
                if self.report.error != str(error):
                    log.warning("cannot read %s now: %s", self._folder, error)
                self.report.error = str(error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._settings.poll_s)

    async def look(self) -> str:
        """Visit the folder once and take in what is ready; says which files did not open.

        Raises:
            OSError: the folder cannot be listed.
            StoreUnavailable: nothing can be stored now.
        """
        now_s = time.monotonic()
        is_full = now_s >= self._next_full_s
        fresh = await asyncio.to_thread(self._find, is_full)
        self.report.waiting = len(fresh)
        self.report.last_scan_at = self._ports.clock.now()
        ready = self._settling.settled(fresh, now_s)
        ready.sort(key=lambda file: file.path.rpartition("_")[2])
        failed: list[str] = []
        for files in _chunks(ready, self._settings.files_per_batch):
            if self._stopping.is_set():
                break
            failed += await self._take(files)
        if is_full:
            self._next_full_s = now_s + self._settings.full_scan_s
        return "; ".join(failed[:3])

    def _find(self, is_full: bool) -> list[Found]:
        """Files that were not handled as they are now."""
        offset = timedelta(hours=self._settings.utc_offset_h)
        today = (self._ports.clock.now() + offset).date()
        files = scan(self._folder, None if is_full else today, self._settings.recent_days)
        still: dict[str, tuple[int, int]] = {}
        fresh: list[Found] = []
        for chunk in _chunks(files, _LOOKED_UP_AT_ONCE):
            unknown = [file for file in chunk if self._handled.get(file.path) != file.signature]
            records = self._ports.seen.known([printable(file.path) for file in unknown])
            new = {
                file.path
                for file in unknown
                if (record := records.get(printable(file.path))) is None
                or record.signature != file.signature
            }
            fresh += (file for file in unknown if file.path in new)
            if not is_full:
                still.update((file.path, file.signature) for file in chunk if file.path not in new)
        if not is_full:
            self._handled = still
        return fresh

    async def _take(self, files: Sequence[Found]) -> tuple[str, ...]:
        group = await asyncio.to_thread(self._reader.group, files, self._ports.clock.now())
        await asyncio.to_thread(self._register, group.stations)
        await self._submit(group.batch)
        remembered = await asyncio.to_thread(self._put_aside, group)
        await asyncio.to_thread(self._ports.seen.record, remembered)
        self._count(group)
        for reason in group.failed:
            log.warning("cannot open %s", reason)
        return group.failed

    async def _submit(self, batch: Batch) -> None:
        while batch.rows.num_rows or batch.rejected:
            try:
                await self._ports.ingest.submit(batch)
                return
            except Overloaded as busy:
                await asyncio.sleep(busy.retry_after_s)

    def _put_aside(self, group: Group) -> list[SeenFile]:
        """Move unreadable files away; gives what to remember: also those that would not move."""
        remembered = list(group.seen)
        for record, why in group.unreadable:
            shown = printable(record.path)
            try:
                quarantine(self._folder, record.path, why, record.imported_at)
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("cannot put %s aside: %s", shown, error)
                remembered.append(replace(record, path=shown))
            else:
                log.warning("put aside to rejected/%s: %s", shown, why.detail)
        return remembered

    def _register(self, stations: Iterable[Station]) -> None:
        """Stations that are new become sources, with the cadence that the circular demands."""
        for station in stations:
            if station.source in self._registered:
                continue
            if self._ports.sources.get(station.source) is None:
                cadence_s = self._settings.cadence_s or None
                name = station.name or station.key
                self._ports.sources.put(Source(station.source, name, "file", cadence_s=cadence_s))
            self._registered.add(station.source)

    def _count(self, group: Group) -> None:
        self.report.files += len(group.seen)
        self.report.lines += group.batch.rows.num_rows
        self.report.rejected_files += len(group.unreadable)
        self.report.rejected_lines += sum(seen.rejected for seen in group.seen)


def _chunks(files: Iterable[Found], size: int) -> Iterable[list[Found]]:
    iterator = iter(files)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
