"""Puts incidents and procedures together: stores, calendar, procedure files, routes, escalation."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from dothi.access.endpoint import Endpoint
from dothi.access.person import approves
from dothi.access.position import Positions
from dothi.api.incidents.deps import IncidentDeps
from dothi.api.incidents.routes import endpoints
from dothi.app.data_folder import DataFolder
from dothi.app.example.files import find_data_folder
from dothi.app.incidents.beside import StoredAlarms, StoredWarnings
from dothi.app.incidents.typesetting import typeset
from dothi.app.mode import Mode
from dothi.app.stores import Stores
from dothi.incidents.acting import PROGRAM
from dothi.incidents.calendar_file import DatedCalendar, decode_calendar
from dothi.incidents.calling import Calling
from dothi.incidents.centre import IncidentCentre
from dothi.incidents.clock_set import ClockFollower
from dothi.incidents.escalation import Escalation
from dothi.incidents.library import ProcedureLibrary
from dothi.incidents.settings import IncidentSettings
from dothi.model.problem import Problem
from dothi.model.procedure import Words
from dothi.ports.clock import Clock
from dothi.ports.clock_watch import SteadyClock, boot_id
from dothi.ports.people import approvers, name_of
from dothi.ports.service import Service
from dothi.storage.blobs.evidence import EvidenceFolder

CALENDAR = Path(__file__).parent / "calendar_vn.toml"
_NOTES = {
    "example": "Dữ liệu ví dụ, không phải sự cố thật / Example data, not a real incident",
    "drill": "Diễn tập, không phải sự cố thật / A drill, not a real incident",
}


class IncidentParts(Struct, frozen=True):
    """What the wiring takes over."""

    centre: IncidentCentre
    endpoints: Sequence[Endpoint]
    services: Sequence[Service]
    alarms_changed: Callable[[], None]
    """To be called in the event loop."""


def build_incidents(
    settings: IncidentSettings,
    stores: Stores,
    folder: DataFolder,
    clock: Clock,
    positions: Positions,
    mode: Mode,
) -> IncidentParts:
    """Raises Problem: calendar or a procedure file cannot be read."""
    library = ProcedureLibrary(stores.procedures, read_calendar(settings), mode.adapt)
    stores.incidents.use(library.escalation_at)
    if settings.procedures_folder:
        _take(library, Path(settings.procedures_folder), clock, is_shipped=False)
    if mode.name in _NOTES:
        _take(library, find_data_folder() / "procedures", clock, is_shipped=True)
    alarms, warnings = StoredAlarms(stores.alarms, stores.areas), StoredWarnings(stores.warnings)
    follower = ClockFollower(
        stores.incidents, library, clock, SteadyClock(boot=boot_id()), stores.clock_marks
    )
    centre = IncidentCentre(stores.incidents, library, alarms, clock, warnings, follower)
    deps = IncidentDeps(
        centre,
        EvidenceFolder(folder.evidence),
        typeset,
        settings.max_file_mb * 2**20,
        _NOTES.get(mode.name, ""),
        {p.id: Words(p.title_vi, p.title_en) for p in positions.by_id.values()},
        partial(approvers, stores.people, approves(positions)),
        partial(name_of, stores.people),
        alarms,
    )
    calling = Calling(centre, stores.incidents, alarms, stores.cursors, _NOTES.get(mode.name, ""))
    return IncidentParts(centre, endpoints(deps), [Escalation(centre), calling], calling.wake)


def read_calendar(settings: IncidentSettings) -> DatedCalendar:
    """The configured file, or the one that comes with dothi. Raises Problem."""
    path = Path(settings.calendar_file or CALENDAR)
    return decode_calendar(_read(path), str(path))


def _take(library: ProcedureLibrary, folder: Path, clock: Clock, *, is_shipped: bool) -> None:
    """Store the versions that are not stored yet. What comes with dothi may have been mended
    without a new version: the stored one stays."""
    if not folder.is_dir():
        raise _unreadable(folder, "it is no folder")
    for path in sorted(folder.glob("*.toml")):
        try:
            library.add(_read(path), str(path), PROGRAM, clock.now())
        except Problem as problem:
            if not (is_shipped and problem.code == "procedure_version_taken"):
                raise


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, detail: str) -> Problem:
    return Problem(
        "incident_file_unusable",
        "A file about incidents cannot be read",
        detail,
        where=str(path),
        remedy="check the section [incidents] of dothi.toml",
    )
