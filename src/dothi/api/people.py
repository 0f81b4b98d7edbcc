"""People: who there is, what they hold, how they are reached, how they sign in."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.person import checked_person
from dothi.access.principal import Principal
from dothi.api.answer import answer
from dothi.api.people_deps import PeopleDeps, asker, in_thread, no_such_person
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.model.person import Person
from dothi.model.problem import Problem

Text = Annotated[str, Meta(max_length=200)]
Contacts = Annotated[dict[Text, Text], Meta(max_length=20)]
PositionIds = Annotated[list[Text], Meta(max_length=20)]


class PersonBody(Struct, forbid_unknown_fields=True):
    """Somebody new."""

    id: Text
    name: Text
    positions: PositionIds = []
    language: Text = "vi"
    contacts: Contacts = {}


class PersonChange(Struct, forbid_unknown_fields=True):
    """What is not given stays."""

    name: Text | UnsetType = UNSET
    positions: PositionIds | UnsetType = UNSET
    language: Text | UnsetType = UNSET
    contacts: Contacts | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class PersonView(Struct):
    """Somebody, as the one who asks may see her or him."""

    id: str
    name: str
    positions: list[str]
    language: str
    is_active: bool
    contacts: dict[str, str] | None
    """Channel -> address; null: only people on duty and administrators of people see them."""


class PositionView(Struct):
    """A position and what it may do."""

    id: str
    title_vi: str
    title_en: str
    permissions: list[str]
    is_on_shift: bool


class LinkView(Struct):
    """Shown once; works once."""

    path: str
    """To be put after the address of this server."""
    expires_at: datetime


class PeopleHandlers:
    """Each asks the store in a worker thread."""

    def __init__(self, deps: PeopleDeps) -> None:
        self._deps = deps

    async def all(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        found = await in_thread(self._deps.people.all)
        return answer([_view(person, asker(request)) for person in found])

    async def positions(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(
            [
                PositionView(p.id, p.title_vi, p.title_en, sorted(p.permissions), p.is_on_shift)
                for p in self._deps.positions.by_id.values()
            ]
        )

    async def add(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, PersonBody)
        given = Person(body.id, body.name, tuple(body.positions), body.language, body.contacts)
        person = checked_person(given, self._deps.positions)
        if not await in_thread(self._deps.people.add, person, asker(request).name):
            raise Problem(
                "person_exists",
                "The id is taken",
                f"{person.id} is there already, perhaps among those who left",
                409,
                where="id",
                remedy="take another id: it stands in records and is never given again",
            )
        return answer(_view(person, asker(request)), 201)

    async def change(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, PersonChange)
        known = await self._known(request)
        if known.id == asker(request).name and body.positions is not UNSET:
            raise Problem(
                "own_positions",
                "Nobody changes the own positions",
                f"{known.id} asked for {known.id}",
                403,
                remedy="ask another administrator",
            )
        given = {
            name: value
            for name in PersonChange.__struct_fields__
            if (value := getattr(body, name)) is not UNSET
        }
        if "positions" in given:
            given["positions"] = tuple(given["positions"])
        person = checked_person(replace(known, **given), self._deps.positions)
        await in_thread(self._deps.people.change, person, asker(request).name)
        return answer(_view(person, asker(request)))

    async def link(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        known, deps = await self._known(request), self._deps
        if not known.is_active:
            raise no_such_person(known.id)
        lifetime_s = deps.link_lifetime_s
        token = await in_thread(deps.sessions.make_link, lifetime_s, known.id, asker(request).name)
        expires_at = deps.clock.now() + timedelta(seconds=lifetime_s)
        return answer(LinkView(f"/login?token={token}", expires_at), 201)

    async def _known(self, request: Request) -> Person:
        person_id: str = request.path_params["id"]
        found = await in_thread(self._deps.people.get, person_id)
        if found is None:
            raise no_such_person(person_id)
        return found


def _view(person: Person, asked_by: Principal) -> PersonView:
    may_see = asked_by.name == person.id or any(
        asked_by.may(one) for one in (Permission.DUTY, Permission.PEOPLE_ADMINISTER)
    )
    return PersonView(
        person.id,
        person.name,
        list(person.positions),
        person.language,
        person.is_active,
        dict(person.contacts) if may_see else None,
    )


def endpoints(deps: PeopleDeps) -> list[Endpoint]:
    """Routes about people."""
    handlers = PeopleHandlers(deps)
    read, administer, tags = Permission.READ, Permission.PEOPLE_ADMINISTER, ("people",)
    root = "/api/v1/people"
    return [
        Endpoint(
            "GET", root, read, handlers.all,
            "Everybody, those who left included", NoQuery, None, list[PersonView], tags,
        ),
        Endpoint(
            "POST", root, administer, handlers.add,
            "Add a person", NoQuery, PersonBody, PersonView, tags,
        ),
        Endpoint(
            "PATCH", f"{root}/{{id}}", administer, handlers.change,
            "Change a person, or let her or him go", NoQuery, PersonChange, PersonView, tags,
        ),
        Endpoint(
            "POST", f"{root}/{{id}}/link", administer, handlers.link,
            "A one-time login link; links made before stop working",
            NoQuery, None, LinkView, tags, has_secret_answer=True,
        ),
        Endpoint(
            "GET", "/api/v1/positions", read, handlers.positions,
            "Positions and what they may do", NoQuery, None, list[PositionView], tags,
        ),
    ]  # fmt: skip
