"""Retrieving and querying evolutions at all sources (clauses 5.7.3, 5.7.4 and 5.14.5)."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct, field
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.distribution import Spreading, warned
from dothi.facades.ngsi_ld.distributed.forward import Build, Outcome, Outgoing
from dothi.facades.ngsi_ld.distributed.local_request import Incoming, read_incoming
from dothi.facades.ngsi_ld.distributed.overlay import Holders
from dothi.facades.ngsi_ld.distributed.past_overlay import with_past
from dothi.facades.ngsi_ld.distributed.query_request import QueryRequest, read_query
from dothi.facades.ngsi_ld.distributed.reads import narrowing, query_context
from dothi.facades.ngsi_ld.distributed.remote_evolution import RemoteEvolution, remote_evolution
from dothi.facades.ngsi_ld.distributed.selection import Share, matching, shares, usable
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.registrations.data import Mode, Registration
from dothi.facades.ngsi_ld.registrations.filters import meets_time
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.routes.guard import entity_id_of
from dothi.facades.ngsi_ld.wire.request import request_context
from dothi.facades.ngsi_ld.wire.times import format_date_time, parse_date_time
from dothi.model.condition import HasType, any_of
from dothi.ports.evolution import Evolutions

_PAGE = 100
_MAX_PAGES = 100
_MAX_PARTS = 400
"""Answers with 206 that are followed for one page of a source."""
_SYSTEM = ("options", "sysAttrs")
_TIME_NAMES = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN")


class _Found(Struct):
    """What sources gave."""

    evolutions: dict[str, list[tuple[Mode, RemoteEvolution]]] = field(default_factory=dict)
    holders: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class _Window(Struct, frozen=True):
    """The temporal query as it is sent on (clause 4.11)."""

    texts: Mapping[str, str]

    def parameters(self) -> list[tuple[str, str]]:
        return [(name, self.texts[name]) for name in _TIME_NAMES if self.texts.get(name)]

    def concerns(self, registration: Registration) -> bool:
        """Whether the source has anything of that time (clauses 5.2.9 and 5.12)."""
        relation = self.texts.get("timerel", "")
        if not registration.is_temporal or not relation:
            return True
        is_observed = self.texts.get("timeproperty", "observedAt") == "observedAt"
        interval = registration.observed if is_observed else registration.managed
        end = self.texts.get("endTimeAt")
        return meets_time(
            interval,
            relation,
            parse_date_time(self.texts.get("timeAt")),
            parse_date_time(end) if end else None,
        )

    def rest(self, covered: str) -> "_Window | None":
        """What is left when an answer covered only the range of its header Content-Range."""
        edge = _edge(covered)
        if edge is None:
            return None
        texts, relation = dict(self.texts), self.texts.get("timerel", "")
        if texts.get("lastN"):
            start = texts.get("timeAt", "") if relation in {"after", "between"} else ""
            texts |= {"timerel": "between" if start else "before", "timeAt": start or edge}
            texts["endTimeAt"] = edge if start else ""
            return None if start and start >= edge else _Window(texts)
        end = {"between": texts.get("endTimeAt", ""), "before": texts.get("timeAt", "")}
        until = end.get(relation, "")
        texts |= {"timerel": "between" if until else "after", "timeAt": edge, "endTimeAt": until}
        return None if texts == self.texts or (until and edge >= until) else _Window(texts)


async def retrieve(at: Spreading, request: Request) -> Response:
    """GET /temporal/entities/{id}: instances of all sources, merged."""
    checked = await at.check(request)
    if checked.status_code not in {200, 404}:
        return checked
    context = await request_context(request, at.broker.contexts)
    entity_id = entity_id_of(request)
    asked = read_query(Incoming(request, b""), context, at.broker.settings)
    window = _Window(dict(request.query_params))
    heads = await asyncio.to_thread(at.broker.evolutions.load, [entity_id], ("",))
    types = any_of([HasType(name) for head in heads for name in head.types])
    wanted = Wanted((entity_id,), "", types)

    def build(share: Share, part: "_Part") -> Build:
        def message(to: LdContext) -> Outgoing:
            query = [*narrowing(share, asked, to), *part.window.parameters(), _SYSTEM]
            query = [pair for pair in query if pair[0] != "type"]
            return Outgoing("GET", f"/temporal/entities/{quote(entity_id, safe=':')}", query)

        return message

    found = await _gathered(
        _Asking(at, at.caller(request, context), asked, window, "retrieveTemporal"),
        [wanted],
        build,
        pages=1,
    )
    found.evolutions = {uri: one for uri, one in found.evolutions.items() if uri == entity_id}
    return await _answered(at, request, found)


async def query(at: Spreading, request: Request) -> Response:
    """GET /temporal/entities, POST /temporal/entityOperations/query, and their EntityMaps."""
    incoming = await read_incoming(request, at.broker.settings.max_body_bytes)
    checked = await at.check(incoming.copy())
    if checked.status_code not in {200, 201}:
        return checked
    context = await query_context(at, incoming)
    asked = read_query(incoming, context, at.broker.settings)
    if asked.is_local:
        return await at.local(incoming.copy())

    def build(share: Share, part: "_Part") -> Build:
        def message(to: LdContext) -> Outgoing:
            sent = [*narrowing(share, asked, to), *part.window.parameters(), _SYSTEM]
            filters = asked.filter_texts.items()
            if part.ids:
                sent += [("id", ",".join(part.ids)), ("limit", str(len(part.ids)))]
                sent += [pair for pair in filters if pair[0] == "scopeQ"]
                return Outgoing("GET", "/temporal/entities", sent)
            if share.ids:
                sent.append(("id", ",".join(share.ids)))
            elif share.id_pattern:
                sent.append(("idPattern", share.id_pattern))
            sent += [*filters, ("limit", str(_PAGE))]
            sent += [("offset", str(part.page * _PAGE))] if part.page else []
            return Outgoing("GET", "/temporal/entities", sent)

        return message

    window = _Window(_time_texts(incoming))
    caller = at.caller(request, context)
    asking = _Asking(at, caller, asked, window, "queryTemporal")
    found = await _gathered(asking, asked.wanted, build, pages=_MAX_PAGES)
    return await _answered(at, incoming.copy(), found)


class _Part(Struct, frozen=True):
    """One request of a series of them."""

    window: _Window
    page: int = 0
    ids: tuple[str, ...] = ()
    """Entities of which more is asked for."""


class _Asking(Struct, frozen=True):
    """What all requests to sources have in common."""

    at: Spreading
    caller: Caller
    asked: QueryRequest
    window: _Window
    operation: str


async def _gathered(asking: _Asking, wanted: Sequence[Wanted], build: Any, *, pages: int) -> _Found:
    """Ask every source that may have something."""
    at, asked = asking.at, asking.asked
    pairs = [
        pair
        for pair in matching(
            at.broker.sources, wanted, asked.names, asked.datasets, is_temporal=True
        )
        if pair[0].registration.supports(asking.operation)
        and asked.concerns(pair[0].registration)
        and asking.window.concerns(pair[0].registration)
    ]
    open_ones, closed = usable(pairs, asking.caller)
    found = _Found()
    for entry in closed:
        found.warnings += at.forwarder.looped(entry.registration, asking.caller).warnings
    await asyncio.gather(
        *(
            _ask(asking, share, build, found, pages)
            for entry, infos in open_ones
            for one in wanted
            for share in shares(entry, infos, one, asked.asked_names)
        )
    )
    return found


async def _ask(asking: _Asking, share: Share, build: Any, found: _Found, pages: int) -> None:
    """All pages of one source, and of each page all parts."""
    for page in range(pages):
        first = _Part(asking.window, page)
        count, ids, covered, is_good = await _send(asking, share, build, found, first)
        window: _Window | None = asking.window
        for _ in range(_MAX_PARTS):
            window = window.rest(covered) if window is not None and covered else None
            if window is None or not ids:
                break
            part = _Part(window, 0, () if pages == 1 else ids)
            _, _, covered, _ = await _send(asking, share, build, found, part)
        if not is_good or count < _PAGE:
            return


async def _send(
    asking: _Asking, share: Share, build: Any, found: _Found, part: _Part
) -> tuple[int, tuple[str, ...], str, bool]:
    """How many entities came, which, what part of them was covered, and whether all is well."""
    forwarder = asking.at.forwarder
    outcome: Outcome = await forwarder.send(share.entry, asking.caller, build(share, part))
    given: list[RemoteEvolution] = []
    if outcome.status in {200, 206} and outcome.body is not None:
        bodies = outcome.body if isinstance(outcome.body, list) else [outcome.body]
        now = asking.at.broker.clock.now()
        try:
            given = [remote_evolution(one, outcome.context, share.names, now) for one in bodies]
        except NgsiError:
            forwarder.invalid(outcome, asking.caller)
    found.warnings += outcome.warnings
    uri = share.entry.registration.id
    for one in given:
        found.evolutions.setdefault(one.head.id, []).append((share.mode, one))
        if uri not in found.holders.setdefault(one.head.id, []):
            found.holders[one.head.id].append(uri)
    ids = tuple(one.head.id for one in given)
    covered = outcome.covered if outcome.status == 206 else ""
    return len(given), ids, covered, outcome.status in {200, 206}


async def _answered(at: Spreading, request: Request, found: _Found) -> Response:
    if not found.evolutions:
        return warned(await at.local(request), found.warnings)
    others = _held_by(at.broker.evolutions, found.holders)
    broker = await asyncio.to_thread(with_past, at.broker, found.evolutions, others)
    return warned(await at.make(broker)(request), found.warnings)


def _held_by(local: Evolutions, holders: Holders) -> Any:
    """Tells who has evolutions, for EntityMaps (clause 5.2.39)."""

    def tell(ids: Sequence[str]) -> Holders:
        here = {head.id for head in local.load(list(ids), ("",)) if head.is_recorded}
        return {uri: (*(["@none"] if uri in here else []), *holders.get(uri, ())) for uri in ids}

    return tell


def _time_texts(incoming: Incoming) -> dict[str, str]:
    """The temporal query of the parameters or of the body."""
    said: dict[str, Any] = dict(incoming.request.query_params)
    if incoming.request.method == "POST":
        body = msgspec.json.decode(incoming.body)
        part = body.get("temporalQ") if isinstance(body, dict) else None
        said = part if isinstance(part, dict) else {}
    return {name: str(said[name]) for name in _TIME_NAMES if said.get(name)}


def _edge(covered: str) -> str | None:
    """The second time of a Content-Range `date-time <start>-<end>/<size>`."""
    span = covered.removeprefix("date-time ").partition("/")[0]
    end = span.partition("Z-")[2]
    try:
        at: datetime = parse_date_time(end)
    except ValueError:
        return None
    return format_date_time(at)
