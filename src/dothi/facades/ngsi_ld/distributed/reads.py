"""Retrieving and querying entities at all sources (clauses 5.7.1 and 5.7.2)."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from msgspec import Struct, field
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.distribution import Spreading, warned
from dothi.facades.ngsi_ld.distributed.forward import Build, Forwarder, Outcome, Outgoing
from dothi.facades.ngsi_ld.distributed.local_request import Incoming, read_incoming
from dothi.facades.ngsi_ld.distributed.overlay import Remote, with_remote
from dothi.facades.ngsi_ld.distributed.query_request import QueryRequest, read_query
from dothi.facades.ngsi_ld.distributed.remote_entity import remote_entity
from dothi.facades.ngsi_ld.distributed.selection import Share, matching, shares, usable
from dothi.facades.ngsi_ld.errors import NgsiError, bad_request_data
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.data import Mode
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.routes.guard import entity_id_of
from dothi.facades.ngsi_ld.wire.answers import problem
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.model.condition import HasType, any_of
from dothi.ports.entity_query import StoredEntity

_MAX_PAGES = 100
_PAGE = 100
_SYSTEM = ("options", "sysAttrs")


class _Found(Struct):
    """What sources gave."""

    entities: dict[str, list[tuple[Mode, StoredEntity]]] = field(default_factory=dict)
    holders: dict[str, list[str]] = field(default_factory=dict)
    """Entity id -> registrations whose sources gave something of it."""
    warnings: list[str] = field(default_factory=list)

    def take(self, entity: StoredEntity, share: Share) -> None:
        self.entities.setdefault(entity.id, []).append((share.mode, entity))
        self.holders.setdefault(entity.id, []).append(share.entry.registration.id)

    def join(self, other: "_Found") -> None:
        for uri, parts in other.entities.items():
            self.entities.setdefault(uri, []).extend(parts)
            self.holders.setdefault(uri, []).extend(other.holders[uri])
        self.warnings += other.warnings

    def only(self, uri: str) -> "_Found":
        """What was asked for, whatever else a source may give."""
        parts = {uri: self.entities[uri]} if uri in self.entities else {}
        return _Found(parts, {uri: self.holders.get(uri, [])}, self.warnings)


async def retrieve(at: Spreading, request: Request) -> Response:
    """GET /entities/{id}: the parts of all sources, merged."""
    checked = await at.check(request)
    if checked.status_code not in {200, 404}:
        return checked
    context = await request_context(request, at.broker.contexts)
    caller = at.caller(request, context)
    entity_id = entity_id_of(request)
    asked = read_query(Incoming(request, b""), context, at.broker.settings)
    local = await at.broker.load([entity_id])
    types = any_of([HasType(name) for name in local[0].types]) if local else None
    wanted = Wanted((entity_id,), "", asked.wanted[0].types or types)
    found = [
        pair
        for pair in matching(at.broker.sources, [wanted], asked.names, asked.datasets)
        if pair[0].registration.supports("retrieveEntity")
    ]
    open_ones, closed = usable(found, caller)
    parts = [
        s for entry, infos in open_ones for s in shares(entry, infos, wanted, asked.asked_names)
    ]
    outcomes = await asyncio.gather(
        *(at.forwarder.send(s.entry, caller, _retrieval(entity_id, s, asked)) for s in parts)
    )
    outcomes += [at.forwarder.looped(entry.registration, caller) for entry in closed]
    remote = _Found()
    for share, outcome in zip(parts, outcomes, strict=False):
        _gather(at.forwarder, caller, share, outcome, remote)
    remote = remote.only(entity_id)
    response = await at.make(with_remote(at.broker, remote.entities, remote.holders))(request)
    return warned(response, [text for outcome in outcomes for text in outcome.warnings])


async def query(at: Spreading, request: Request) -> Response:
    """GET /entities and POST /entityOperations/query: what all sources hold, one page of it."""
    incoming = await read_incoming(request, at.broker.settings.max_body_bytes)
    checked = await at.check(incoming.copy())
    if checked.status_code not in {200, 201}:
        return checked
    context = await query_context(at, incoming)
    caller = at.caller(request, context)
    asked = read_query(incoming, context, at.broker.settings)
    found = [
        pair
        for pair in matching(at.broker.sources, asked.wanted, asked.names, asked.datasets)
        if _can_query(pair[0].registration.operations) and asked.concerns(pair[0].registration)
    ]
    if not found or asked.is_local:
        return await at.local(incoming.copy())
    if asked.is_ordered:
        return problem(bad_request_data("orderBy needs local=true while other sources are asked"))
    open_ones, closed = usable(found, caller)
    work = [
        _ask(at, caller, share, asked)
        for entry, infos in open_ones
        for wanted in asked.wanted
        for share in shares(entry, infos, wanted, asked.asked_names)
    ]
    remote = _Found()
    for entry in closed:
        remote.warnings += at.forwarder.looped(entry.registration, caller).warnings
    for given in await asyncio.gather(*work):
        remote.join(given)
    over = with_remote(at.broker, remote.entities, remote.holders, is_split=asked.is_split)
    return warned(await at.make(over)(incoming.copy()), remote.warnings)


async def everything_of(
    broker: Broker, forwarder: Forwarder, caller: Caller, part: StoredEntity, *, without: str
) -> Remote:
    """What the sources have of an entity of which a part is known, except for the source of one
    registration; what goes wrong there is passed over."""
    entity_id = part.id
    wanted = Wanted((entity_id,), "", any_of([HasType(name) for name in part.types]))
    found = [
        pair
        for pair in matching(broker.sources, [wanted])
        if pair[0].registration.supports("retrieveEntity") and pair[0].registration.id != without
    ]
    open_ones, _ = usable(found, caller)
    parts = [s for entry, infos in open_ones for s in shares(entry, infos, wanted, lambda n: n)]

    def build(share: Share) -> Build:
        names = sorted(share.names)

        def message(to: LdContext) -> Outgoing:
            query = [("attrs", _joined(names, to))] if names else []
            return Outgoing("GET", f"/entities/{quote(entity_id, safe=':')}", [*query, _SYSTEM])

        return message

    outcomes = await asyncio.gather(
        *(forwarder.send(share.entry, caller, build(share)) for share in parts)
    )
    given = _Found()
    for share, outcome in zip(parts, outcomes, strict=True):
        _gather(forwarder, caller, share, outcome, given)
    return given.only(entity_id).entities


async def query_context(at: Spreading, incoming: Incoming) -> LdContext:
    """The @context of a query, by GET or by POST."""
    if incoming.request.method == "GET":
        return await request_context(incoming.request, at.broker.contexts)
    payload = await read_payload(incoming.copy(), at.broker.settings.max_body_bytes)
    return await payload.context(at.broker.contexts, payload.document)


async def _ask(at: Spreading, caller: Caller, share: Share, asked: QueryRequest) -> _Found:
    """All entities of one source that may be on the page, and the warnings."""
    found = _Found()
    need = asked.needed or _PAGE * _MAX_PAGES
    size = min(need, _PAGE)
    for page in range(_MAX_PAGES):
        build = _query_of(share, asked, size, page * size)
        outcome = await at.forwarder.send(share.entry, caller, build)
        _gather(at.forwarder, caller, share, outcome, found)
        count = len(outcome.body) if isinstance(outcome.body, list) else 0
        if not outcome.is_good or count < size or (page + 1) * size >= need:
            break
    found.warnings += outcome.warnings
    return found


def _gather(
    forwarder: Forwarder, caller: Caller, share: Share, outcome: Outcome, into: _Found
) -> None:
    """Take the entities of an answer; an answer that holds anything else is refused whole."""
    if outcome.status != 200 or outcome.body is None:
        return
    bodies = outcome.body if isinstance(outcome.body, list) else [outcome.body]
    try:
        given = [_entity(body, outcome.context, share) for body in bodies]
    except NgsiError:
        forwarder.invalid(outcome, caller)
        return
    for entity in given:
        into.take(entity, share)


def _entity(body: Any, context: LdContext, share: Share) -> StoredEntity:
    if not isinstance(body, dict):
        raise bad_request_data("an entity must be an object")
    return remote_entity(body, context, share.names)


def _can_query(operations: Iterable[str]) -> bool:
    return not {"queryEntity", "queryBatch"}.isdisjoint(operations)


def _retrieval(entity_id: str, share: Share, asked: QueryRequest) -> Any:
    def build(context: LdContext) -> Outgoing:
        query = [*narrowing(share, asked, context), _SYSTEM]
        return Outgoing("GET", f"/entities/{quote(entity_id, safe=':')}", query)

    return build


def _query_of(share: Share, asked: QueryRequest, size: int, offset: int) -> Any:
    operations = share.entry.registration.operations
    by_post = "queryBatch" in operations and (asked.is_post or "queryEntity" not in operations)
    page = [("limit", str(size)), *([("offset", str(offset))] if offset else []), _SYSTEM]

    def build(context: LdContext) -> Outgoing:
        if by_post:
            body = asked.body(share, context)
            return Outgoing("POST", "/entityOperations/query", page, body)
        query = narrowing(share, asked, context)
        if share.ids:
            query.append(("id", ",".join(share.ids)))
        elif share.id_pattern:
            query.append(("idPattern", share.id_pattern))
        return Outgoing("GET", "/entities", [*query, *asked.filter_texts.items(), *page])

    return build


def narrowing(share: Share, asked: QueryRequest, context: LdContext) -> list[tuple[str, str]]:
    """Type and attributes as far as the source is registered for them (clause 4.3.6.1)."""
    found: list[tuple[str, str]] = []
    if share.types:
        found.append(("type", ",".join(context.wire(name) for name in share.types)))
    elif asked.type_text:
        found.append(("type", asked.type_text))
    if share.names:
        found.append(("attrs", _joined(sorted(share.names), context)))
    return found


def _joined(names: Sequence[str], context: LdContext) -> str:
    return ",".join(context.wire(name) for name in names)
