"""People, roster, handover and the audit record, put together."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import msgspec

from dothi.access.endpoint import Endpoint
from dothi.access.position import Positions, read_positions
from dothi.api import audit, duty, handovers, people, shifts
from dothi.api.people_deps import PeopleDeps
from dothi.app.config.sections import AccessSettings
from dothi.app.http.identity import Known
from dothi.app.stores import Registers
from dothi.duty.desk import Desk
from dothi.model.problem import Problem
from dothi.ports.clock import Clock
from dothi.ports.handover import DutyTasks, OpenItems


def known_positions(settings: AccessSettings) -> Positions:
    """Of the configured file, else those that come with dothi.

    Raises Problem: the file is missing or not what it should be.
    """
    try:
        if settings.positions_file:
            return read_positions(Path(settings.positions_file).read_bytes())
        return read_positions(files("dothi.access").joinpath("positions.toml").read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            "positions_file_unusable",
            "The file of positions cannot be read",
            str(error),
            where=f"[access] positions_file = {settings.positions_file!r}",
            remedy="docs/guide/en/people.md shows what it looks like",
        ) from error


def known_of(stores: Registers, positions: Positions) -> Known:
    """Who may come in at the doors, and where it is noted what they do."""
    return Known(
        stores.sessions, stores.sources, stores.people, positions, stores.answers, stores.audit
    )


def people_endpoints(
    settings: AccessSettings,
    stores: Registers,
    positions: Positions,
    clock: Clock,
    open_items: Sequence[OpenItems],
    tasks: DutyTasks | None = None,
) -> list[Endpoint]:
    """Every route about people; `open_items`: what a handover sheet lists."""
    deps = PeopleDeps(
        people=stores.people,
        positions=positions,
        sessions=stores.sessions,
        shifts=stores.shifts,
        handovers=stores.handovers,
        audit=stores.audit,
        desk=Desk(stores.people, positions, stores.shifts, stores.handovers, open_items, clock),
        clock=clock,
        link_lifetime_s=settings.person_link_lifetime_s,
        tasks=tasks,
    )
    return [
        endpoint
        for part in (people, shifts, handovers, duty, audit)
        for endpoint in part.endpoints(deps)
    ]
