"""What the routes about people, roster and handover are made of."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio.to_thread
from msgspec import Struct
from starlette.requests import Request

from dothi.access.position import Positions
from dothi.access.principal import Principal
from dothi.duty.desk import Desk
from dothi.model.problem import Problem
from dothi.ports.audit import Audit
from dothi.ports.clock import Clock
from dothi.ports.handover import DutyTasks, Handovers
from dothi.ports.people import PeopleRegister
from dothi.ports.sessions import Sessions
from dothi.ports.shifts import Shifts

P = ParamSpec("P")
R = TypeVar("R")


class PeopleDeps(Struct, frozen=True):
    """Ports and facts; given by the wiring."""

    people: PeopleRegister
    positions: Positions
    sessions: Sessions
    shifts: Shifts
    handovers: Handovers
    audit: Audit
    desk: Desk
    clock: Clock
    link_lifetime_s: float
    tasks: DutyTasks | None = None

    def require_people(self, *ids: str) -> None:
        """Raises Problem: somebody is not known or has left (404)."""
        for one in ids:
            found = self.people.get(one)
            if found is None or not found.is_active:
                raise no_such_person(one)


async def in_thread(ask: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking question beside the event loop."""
    return await anyio.to_thread.run_sync(lambda: ask(*args, **kwargs))


def asker(request: Request) -> Principal:
    """Who asks."""
    found: Principal = request.state.principal
    return found


def number_in(request: Request, name: str = "id") -> int:
    """A number in the path. Raises Problem: it is none (404)."""
    text: str = request.path_params[name]
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise Problem("not_found", "Nothing here", f"{text!r} is no number", 404)
    return int(text)


def no_such_person(person: str) -> Problem:
    """404."""
    return Problem(
        "person_not_found",
        "No such person",
        f"{person!r} is not known, or has left",
        404,
        remedy="GET /api/v1/people lists them",
    )
