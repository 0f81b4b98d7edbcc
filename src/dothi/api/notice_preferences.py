"""How one wants to be told of things: preferences, and browsers that take web push."""

from datetime import time
from difflib import get_close_matches
from typing import Annotated, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.notice_deps import NoticeDeps, known_person, person_asked
from dothi.api.notice_view import masked
from dothi.api.people_deps import asker, in_thread
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.model.preference import Preference, QuietHours
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.ports.notices import PushSubscription

_Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_Kind = Annotated[str, Meta(pattern=r"^[a-z0-9_.*]{1,100}$")]
_Base64Url = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,200}={0,2}$")]


class QuietBody(Struct, forbid_unknown_fields=True):
    """A quiet time of every day, local; it may reach over midnight."""

    begins: _Clock
    ends: _Clock
    weekdays: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(max_length=7)] = []
    """On which it begins: 1 is Monday; empty: on every one."""


class PreferenceBody(Struct, forbid_unknown_fields=True):
    """What one chose. Priority 1 comes always, and on every channel at once."""

    least_priority: Annotated[int, Meta(ge=1, le=4)] = 4
    """Less urgent things are not told."""
    kinds: Annotated[list[_Kind], Meta(max_length=50)] = []
    """`*` stands for any letters: `alarm.*`. Empty: all."""
    quiet: Annotated[list[QuietBody], Meta(max_length=10)] = []
    language: Literal["", "vi", "en"] = ""
    """Empty: the language of the person."""
    channels: Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(max_length=20)] = []
    """In the order in which they are tried; empty: in the order of the settings."""
    is_told_off_duty: bool = False
    """Also of things that are meant for nobody in particular while not on duty."""


class Reachable(Struct):
    """A channel, and whether it reaches the person."""

    channel: str
    address: str
    """Masked; empty: the person has none of that kind."""


class PreferenceView(PreferenceBody):
    """What one chose, and what there is to choose from."""

    person: str = ""
    is_known: bool = True
    """False: the person is not among the people of the centre, and is never told of anything."""
    reachable: list[Reachable] = []
    known_kinds: list[str] = []


class PersonQuery(Struct, forbid_unknown_fields=True):
    """Whose; one's own when left out."""

    person: Annotated[str, Meta(max_length=64)] = ""


class PushKeys(Struct):
    """Keys of a browser (RFC 8291)."""

    p256dh: _Base64Url
    auth: _Base64Url


class PushBody(Struct, rename="camel"):
    """What the browser gives: PushSubscription.toJSON() of the Push API."""

    endpoint: Annotated[str, Meta(pattern=r"^https?://", max_length=2000)]
    keys: PushKeys
    name: Annotated[str, Meta(max_length=100)] = ""
    """Which browser it is."""


class PushEnd(Struct, forbid_unknown_fields=True):
    """A browser that is told no more."""

    endpoint: Annotated[str, Meta(max_length=2000)]


class PushView(Struct):
    """For the Push API of browsers."""

    public_key: str
    """applicationServerKey; empty: web push is off."""
    browsers: list[str]
    """Of the one who asks."""


class PreferenceHandlers:
    """Each asks the store in a worker thread."""

    def __init__(self, deps: NoticeDeps) -> None:
        self._deps = deps

    async def get(self, request: Request) -> Response:
        person = person_asked(request, decode_query(request, PersonQuery).person)
        return answer(await in_thread(self._view, person))

    async def put(self, request: Request) -> Response:
        person = person_asked(request, decode_query(request, PersonQuery).person)
        body = await decode_body(request, PreferenceBody)
        await in_thread(self._put, person, body)
        return answer(await in_thread(self._view, person))

    async def pushes(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await in_thread(self._pushes, asker(request).name))

    async def add_push(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body, me = await decode_body(request, PushBody), asker(request).name
        if not self._deps.telling.push_key:
            raise Problem(
                "web_push_off",
                "Web push is off",
                "no channel web_push is set up",
                409,
                remedy="set [notices.web_push] subject in dothi.toml",
            )
        await in_thread(known_person, self._deps.people, me)
        keys = body.keys.p256dh, body.keys.auth
        browser = PushSubscription(me, body.endpoint, *keys, body.name)
        await in_thread(self._deps.preferences.add_push, browser)
        return answer(await in_thread(self._pushes, me), 201)

    async def drop_push(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body, me = await decode_body(request, PushEnd), asker(request).name
        await in_thread(self._deps.preferences.drop_push, body.endpoint, me)
        return answer(await in_thread(self._pushes, me))

    def _put(self, person: str, body: PreferenceBody) -> None:
        known_person(self._deps.people, person)
        names = [one.name for one in self._deps.telling.health()]
        for channel in body.channels:
            if channel not in names:
                raise _unknown_channel(channel, names)
        self._deps.preferences.put(
            Preference(
                person,
                Priority(body.least_priority),
                tuple(body.kinds),
                tuple(_quiet(one) for one in body.quiet),
                body.language,
                tuple(dict.fromkeys(body.channels)),
                body.is_told_off_duty,
            )
        )

    def _view(self, person: str) -> PreferenceView:
        deps = self._deps
        chosen = deps.preferences.of(person) or Preference(person)
        found = deps.people.get(person)
        contacts = dict(found.contacts) if found is not None else {}
        browsers = [one for one in deps.preferences.pushes() if one.person == person]
        if browsers:
            contacts["web_push"] = ", ".join(one.name or one.endpoint for one in browsers)
        return PreferenceView(
            int(chosen.least_priority),
            list(chosen.kinds),
            [
                QuietBody(f"{q.begins:%H:%M}", f"{q.ends:%H:%M}", list(q.weekdays))
                for q in chosen.quiet
            ],
            chosen.language,  # type: ignore[arg-type]
            list(chosen.channels),
            chosen.is_told_off_duty,
            person,
            found is not None and found.is_active,
            [
                Reachable(one.name, _address(one.contact, contacts.get(one.contact, "")))
                for one in deps.telling.health()
            ],
            list(deps.telling.kinds),
        )

    def _pushes(self, person: str) -> PushView:
        mine = [one for one in self._deps.preferences.pushes() if one.person == person]
        return PushView(self._deps.telling.push_key, [one.name for one in mine])


def _address(contact: str, address: str) -> str:
    return address if contact == "web_push" else masked(contact, address)


def _quiet(body: QuietBody) -> QuietHours:
    if body.begins == body.ends:
        raise Problem(
            "quiet_hours_wrong",
            "These are no quiet hours",
            f"they begin and end at {body.begins}",
            where="quiet",
            remedy="let them end at another time; nobody is out of reach all day",
        )
    begins, ends = time.fromisoformat(body.begins), time.fromisoformat(body.ends)
    return QuietHours(begins, ends, tuple(sorted(set(body.weekdays))))


def _unknown_channel(channel: str, names: list[str]) -> Problem:
    near = get_close_matches(channel, names, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return Problem(
        "channel_unknown",
        "No such channel",
        f"{channel!r} is not set up",
        where="channels",
        remedy=f"{hint}known: {', '.join(names) or 'none'}",
    )


def endpoints(deps: NoticeDeps) -> list[Endpoint]:
    """Routes about preferences."""
    handlers = PreferenceHandlers(deps)
    read, duty = Permission.READ, Permission.DUTY
    root, tags = "/api/v1/notices", ("notices",)
    return [
        Endpoint(
            "GET", f"{root}/preferences", read, handlers.get,
            "How one wants to be told of things", PersonQuery, None, PreferenceView, tags,
        ),
        Endpoint(
            "PUT", f"{root}/preferences", duty, handlers.put,
            "Choose how one is told of things", PersonQuery, PreferenceBody, PreferenceView, tags,
        ),
        Endpoint(
            "GET", f"{root}/push", read, handlers.pushes,
            "Key for web push, and one's own browsers", NoQuery, None, PushView, tags,
        ),
        Endpoint(
            "POST", f"{root}/push", duty, handlers.add_push,
            "Register a browser for web push", NoQuery, PushBody, PushView, tags,
        ),
        Endpoint(
            "DELETE", f"{root}/push", duty, handlers.drop_push,
            "Tell a browser no more", NoQuery, PushEnd, PushView, tags,
        ),
    ]  # fmt: skip
