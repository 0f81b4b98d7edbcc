"""What the routes about notices are made of."""

from collections.abc import Mapping

from msgspec import Struct
from starlette.requests import Request

from dothi.access.permission import Permission
from dothi.access.principal import require
from dothi.api.people_deps import asker
from dothi.model.person import Person
from dothi.model.problem import Problem
from dothi.ports.channel import CalledBack
from dothi.ports.clock import Clock
from dothi.ports.notices import Notices, Preferences
from dothi.ports.people import People
from dothi.ports.telling import Telling


class NoticeDeps(Struct, frozen=True):
    """Ports; given by the wiring."""

    notices: Notices
    preferences: Preferences
    people: People
    telling: Telling
    clock: Clock
    gateways: Mapping[str, CalledBack] = {}
    """Channel -> what its service posts to us."""


def person_asked(request: Request, person: str) -> str:
    """Whose preferences: one's own, or with the permission somebody else's. Raises Problem."""
    me = asker(request)
    if person and person != me.name:
        require(me, Permission.PEOPLE_ADMINISTER)
        return person
    return me.name


def known_person(people: People, person: str) -> Person:
    """Raises Problem: nobody of that id (an administrator who signed in by the first link)."""
    found = people.get(person)
    if found is None or not found.is_active:
        raise Problem(
            "no_such_recipient",
            "Nobody to tell",
            f"{person!r} is not among the people of the centre",
            409,
            remedy="add a person with contacts (dothi person add) and sign in as that person",
        )
    return found
