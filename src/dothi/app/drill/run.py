"""Runs a drill: copy, fence, play, score."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from dothi.app.config.load import Loaded
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.drill.copying import copy_province, require_new
from dothi.app.drill.endpoints import drill_endpoints
from dothi.app.drill.facts import gather
from dothi.app.drill.hurry import hurried_procedure
from dothi.app.drill.play import Play
from dothi.app.drill.recording import Recording, Wanted, record
from dothi.app.drill.report import report_of, write_report
from dothi.app.drill.scenario import Scenario, read_scenario
from dothi.app.drill.score import score
from dothi.app.drill.service import DrillService
from dothi.app.example.files import find_data_folder
from dothi.app.mode import Mode
from dothi.app.run import run
from dothi.app.started import Started
from dothi.app.stores import open_registers
from dothi.intake.files.settings import FilesSettings
from dothi.intake.pull.settings import PullSettings
from dothi.model.problem import Problem
from dothi.ports.clock import SystemClock
from dothi.ports.people import name_of


class Order(Struct, frozen=True):
    """What is to be played, and where."""

    scenario: str
    """Name or file; may be empty where there is a recorded day."""
    folder: DataFolder
    original: DataFolder | None
    speed: float
    recorded: Wanted | None = None
    stops_at_end: bool = False


def delivered() -> Sequence[Path]:
    """The scenarios that come with the example."""
    return sorted((find_data_folder() / "drills").glob("*.toml"))


def find_scenario(name: str) -> Scenario:
    """By the name of a delivered one, or by its file. Raises Problem: there is none such."""
    for path in delivered():
        if path.stem == name:
            return read_scenario(path)
    path = Path(name)
    if not path.is_file():
        raise Problem(
            "no_scenario",
            "There is no such scenario",
            f"{name} is neither a file nor one of {[path.stem for path in delivered()]}",
            remedy="see `dothi drill list`, or give the path of a TOML file",
        )
    return read_scenario(path)


def run_drill(order: Order, loaded: Loaded[Settings], announce: Callable[[Started], None]) -> Path:
    """Play until it is stopped; gives the report. Raises Problem when it cannot start."""
    scenario = find_scenario(order.scenario) if order.scenario else None
    require_new(order.folder)
    recording = None
    if order.recorded is not None:
        recording = record(order.recorded, loaded.settings, order.folder.path / "drill")
    played = _scenario(scenario, recording)
    if order.original is not None:
        copy_province(order.original, order.folder)
    settings = fenced(loaded.settings)
    play = Play(played, order.speed, order.stops_at_end, recording=recording)
    play.fence.raise_()
    mode = Mode(
        "drill",
        lambda stage: DrillService(play, stage),
        drill_endpoints(play),
        is_fenced=True,
        adapt=partial(hurried_procedure, speed=order.speed),
    )
    run(Loaded(settings, loaded.origins), order.folder, mode, announce)
    return _report(play, order.folder)


def _scenario(scenario: Scenario | None, recording: Recording | None) -> Scenario:
    """The one that is asked for, or the bare replay of a recorded day."""
    if recording is None:
        if scenario is None or not scenario.stations:
            raise Problem(
                "nothing_to_play",
                "There is nothing to play",
                "the scenario has no stations, and no recorded day is named",
                remedy="add [[stations]], or name a day: --recorded FILE, or --day with "
                "--from-data-dir",
            )
        return scenario
    if scenario is not None:
        return scenario
    return Scenario(
        id="recorded",
        title_vi=recording.title_vi,
        title_en=recording.title_en,
        origin="replayed",
        origin_note_vi=recording.sources[0].origin_note_vi,
        origin_note_en=recording.sources[0].origin_note,
        duration_s=recording.duration_s,
    )


def _report(play: Play, folder: DataFolder) -> Path:
    """Score what is on record; gives the file."""
    clock = SystemClock()
    if play.timing is None:
        raise Problem(
            "drill_not_begun",
            "There is nothing to report",
            "the drill was stopped before its first value was sent",
            where=str(folder.path),
            remedy="start it again in a new folder",
        )
    with open_registers(folder, clock) as kept:
        facts = gather(kept.alarms, kept.incidents, kept.warnings, play.timing)
        scored = score(play.scenario, facts, play.timing)
        report = report_of(play, scored, clock.now(), partial(name_of, kept.people))
    return write_report(report, folder.path / "drill")


def fenced(settings: Settings) -> Settings:
    """Without doors and connectors that reach outside; the fence holds whatever is left.

    Real files are none of a drill's: it would take them away from the province that they are for.
    """
    mqtt = msgspec.structs.replace(settings.mqtt, mode="embedded")
    notices = msgspec.structs.replace(settings.notices, capture=True)
    return msgspec.structs.replace(
        settings, mqtt=mqtt, pull=PullSettings(), files=FilesSettings(), notices=notices
    )
