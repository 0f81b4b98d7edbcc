"""What the routes of incidents and procedures are made of."""

from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import anyio.to_thread
from msgspec import Struct, field
from starlette.requests import Request

from dothi.access.principal import Principal
from dothi.incidents.centre import IncidentCentre
from dothi.model.problem import Problem
from dothi.model.procedure import Words
from dothi.ports.incidents import AlarmNews, Evidence

P = ParamSpec("P")
R = TypeVar("R")


class IncidentDeps(Struct, frozen=True):
    """Given by the wiring."""

    centre: IncidentCentre
    evidence: Evidence
    typeset: Callable[[str], bytes]
    """Typst source -> PDF."""
    max_file_bytes: int
    note: str = ""
    """Said of every incident whose data is synthetic (example, drill)."""
    roles: Mapping[str, Words] = field(default_factory=dict)
    """Names of positions."""
    approvers: Callable[[str], int] = lambda _: 1
    """How many people could approve a procedure."""
    name_of: Callable[[str], str] = str
    """Id of a person -> the name that people read."""
    news: AlarmNews | None = None
    """For procedures that standing alarms call for; None: nothing is proposed."""


async def in_thread(ask: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking question beside the event loop."""
    return await anyio.to_thread.run_sync(lambda: ask(*args, **kwargs))


def who(request: Request) -> str:
    """The one who acts."""
    principal: Principal = request.state.principal
    return principal.name


def number_in(request: Request, name: str = "id") -> int:
    """A number in the path. Raises Problem 404: it is none."""
    given: str = str(request.path_params[name])
    if not given.isdigit() or len(given) > 15:
        raise Problem("not_found", "Not there", f"{given!r} is no number", 404)
    return int(given)


def version_of(request: Request, in_body: int | None) -> int | None:
    """The version that was seen: If-Match (RFC 9110, 13.1.1) or `version` of the body.

    Raises Problem: an If-Match that is no version, or no version at all (428).
    """
    header = request.headers.get("if-match")
    if header is None:
        if in_body is None:
            raise Problem(
                "version_missing",
                "Which version was seen?",
                "a change needs the version that it is based on",
                428,
                where="version",
                remedy="send `version` (or If-Match) as it was read",
            )
        return in_body
    text = header.strip().strip('"')
    if not text.isdigit():
        raise Problem(
            "version_wrong", "Which version was seen?", f"{header!r} is no version", 400,
            where="header If-Match", remedy='send the ETag of the incident, e.g. "7"',
        )  # fmt: skip
    return int(text)
