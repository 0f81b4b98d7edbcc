"""Plays a scenario inside the running program of a drill."""

import asyncio
import logging
import signal
from datetime import UTC, datetime

from dothi.app.background import report_failure
from dothi.app.drill.feed import Door, StationFeed, place_rows, source_of, started_now
from dothi.app.drill.hurry import hurry
from dothi.app.drill.play import Play
from dothi.app.drill.replay import ReplayFeed
from dothi.app.example.files import find_data_folder
from dothi.app.example.service import area_files
from dothi.app.rules import RULE_FILE, bring_rules
from dothi.app.stage import Stage
from dothi.model.batch import Batch

log = logging.getLogger(__name__)


class DrillService:
    """`ports.service.Service`. Ready when its sources are there; the stations speak beside."""

    name = "drill"

    def __init__(self, play: Play, stage: Stage) -> None:
        self._play = play
        self._stage = stage
        self._door = Door(stage.mqtt_host, stage.mqtt_port)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._play.fence.open_for(self._door.port)
        tokens = await asyncio.to_thread(self._prepare)
        await self._introduce()
        self._task = asyncio.create_task(self._run(tokens), name="drill")
        self._task.add_done_callback(report_failure)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _prepare(self) -> dict[str, str]:
        """Areas where there are none, the rules, sources, and a token for each."""
        now = self._stage.clock.now()
        files = find_data_folder()
        if not self._stage.areas.valid_on(now.date()):
            self._stage.areas.put(*area_files(files / "areas"))
        bring_rules(files / RULE_FILE, self._stage.rules, "example", now)
        hurry(self._stage.rules, self._play.speed, now)
        tokens = {}
        for station in self._play.scenario.stations:
            source = source_of(self._play.scenario, station)
            self._stage.sources.put(source)
            tokens[source.id] = self._stage.sources.issue_token(source.id)
        if self._play.recording is not None:
            for source in self._play.recording.sources:
                self._stage.sources.put(source)
        return tokens

    async def _introduce(self) -> None:
        if not self._play.scenario.stations:
            return
        now = datetime.now(UTC)
        rows = place_rows(self._play.scenario)
        result = await self._stage.ingest.submit(Batch(f"drill:{now.isoformat()}", rows, now))
        for rejection in result.rejected:
            log.error("a station of the drill was refused: %s", rejection.detail)

    async def _run(self, tokens: dict[str, str]) -> None:
        scenario = self._play.scenario
        timing = self._play.begin(started_now())
        async with asyncio.TaskGroup() as group:
            for station in scenario.stations:
                feed = StationFeed(station, tokens[station.source], self._door, timing)
                group.create_task(feed.run(scenario.duration_s))
            if self._play.recording is not None:
                replay = ReplayFeed(self._play.recording, self._stage.ingest, timing)
                group.create_task(replay.run(scenario.duration_s))
        await timing.sleep_until(scenario.duration_s)
        log.info("the scenario is over", extra={"scenario": scenario.id})
        if self._play.stops_at_end:
            signal.raise_signal(signal.SIGTERM)
