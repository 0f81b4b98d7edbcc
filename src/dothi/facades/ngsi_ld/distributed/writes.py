"""Writing entities and attributes here and at registered sources (clauses 5.6.1 to 5.6.6, 5.6.17 to
5.6.19 and 5.6.21)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.distribution import Spread, Spreading
from dothi.facades.ngsi_ld.distributed.forward import Build, Outcome, Outgoing
from dothi.facades.ngsi_ld.distributed.local_request import Incoming, read_incoming
from dothi.facades.ngsi_ld.distributed.outcomes import (
    Part,
    entity_result,
    failed,
    of_here,
    of_source,
    unsupported,
    update_result,
)
from dothi.facades.ngsi_ld.distributed.plan import Piece, Plan, plan, plan_whole
from dothi.facades.ngsi_ld.distributed.query_request import read_query
from dothi.facades.ngsi_ld.distributed.recompact import attribute, recompacted
from dothi.facades.ngsi_ld.distributed.selection import matching
from dothi.facades.ngsi_ld.errors import loop_detected
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import attribute_of, entity_id_of
from dothi.facades.ngsi_ld.wire.answers import empty, problem
from dothi.facades.ngsi_ld.wire.kinds import SYSTEM_MEMBERS
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.model.condition import HasType, any_of

ENTITY_MEMBERS = frozenset({"id", "type", "scope", "expiresAt", "@context"}) | SYSTEM_MEMBERS
_NOT_FORWARDED = frozenset({"local"})


class Operation(Struct, frozen=True):
    """A write: its name (clause 4.20) and the form of a partial success."""

    name: str
    gives_update_result: bool = False


CREATE = Operation("createEntity")
REPLACE = Operation("replaceEntity")
DELETE = Operation("deleteEntity")
PURGE = Operation("purgeEntity")
MERGE = Operation("mergeEntity", gives_update_result=True)
UPDATE = Operation("updateEntity", gives_update_result=True)
APPEND = Operation("appendAttrs", gives_update_result=True)
UPDATE_ONE = Operation("updateAttrs", gives_update_result=True)
REPLACE_ONE = Operation("replaceAttrs", gives_update_result=True)
DELETE_ONE = Operation("deleteAttrs", gives_update_result=True)


def fragments(operation: Operation) -> Spread:
    """Writes whose body holds attributes of one entity."""

    async def spread(at: Spreading, request: Request) -> Response:
        incoming = await read_incoming(request, at.broker.settings.max_body_bytes)
        refused = await refusal(at, incoming)
        if refused is not None:
            return refused
        document, context = await read_document(at, incoming)
        caller = at.caller(request, context)
        is_create = operation is CREATE
        entity_id = document["id"] if is_create else entity_id_of(request)
        types = await _types(at, request, entity_id, document, context)
        names = attribute_names(document, context)
        made = plan(at.broker.sources, caller, (entity_id, types), list(names), operation.name)
        if not made.pieces:
            return await at.local(incoming.copy())
        path = "/entities" if is_create else f"/entities/{quote(entity_id, safe=':')}"
        path += "/attrs/" if operation in {APPEND, UPDATE} else ""

        def build(piece: Piece) -> Build:
            body = cut(document, names, piece)
            return lambda to: Outgoing(
                request.method, path, passed_on(request), recompacted(body, context, to)
            )

        kept = {key for name in made.kept for key in names[name]}
        own = {k: v for k, v in document.items() if k in kept or k not in _keys(names)}
        here = (lambda: at.local(incoming.copy(own))) if made.stays_here else None
        work = Work(at, caller, operation, entity_id, made)
        return await work.done(build, here)

    return spread


def single_attributes(operation: Operation) -> Spread:
    """Writes of one attribute that the path names."""

    async def spread(at: Spreading, request: Request) -> Response:
        incoming = await read_incoming(request, at.broker.settings.max_body_bytes)
        refused = await refusal(at, incoming)
        if refused is not None:
            return refused
        has_body = operation is not DELETE_ONE
        document, context = await read_document(at, incoming) if has_body else (None, None)
        context = context or await request_context(request, at.broker.contexts)
        caller = at.caller(request, context)
        entity_id, name = entity_id_of(request), context.stored(attribute_of(request))
        types = await _types(at, request, entity_id, {}, context)
        made = plan(at.broker.sources, caller, (entity_id, types), [name], operation.name)
        if not made.pieces:
            return await at.local(incoming.copy())

        def build(_piece: Piece) -> Build:
            def message(to: LdContext) -> Outgoing:
                shown = quote(to.wire(name), safe="")
                path = f"/entities/{quote(entity_id, safe=':')}/attrs/{shown}"
                body = _member(document, context, to)
                return Outgoing(request.method, path, passed_on(request), body)

            return message

        here = (lambda: at.local(incoming.copy())) if made.stays_here else None
        return await Work(at, caller, operation, entity_id, made).done(build, here)

    return spread


async def delete_entity(at: Spreading, request: Request) -> Response:
    """DELETE /entities/{id}: at every source that matches, and here if it is here."""
    incoming = await read_incoming(request, at.broker.settings.max_body_bytes)
    refused = await refusal(at, incoming)
    if refused is not None:
        return refused
    context = await request_context(request, at.broker.contexts)
    caller = at.caller(request, context)
    entity_id = entity_id_of(request)
    types = await _types(at, request, entity_id, {}, context)
    wanted = Wanted((entity_id,), "", any_of([HasType(name) for name in types]))
    found = list(matching(at.broker.sources, [wanted]))
    made = plan_whole(found, caller, DELETE.name)
    if not made.pieces:
        return await at.local(incoming.copy())
    path = f"/entities/{quote(entity_id, safe=':')}"

    def build(_piece: Piece) -> Build:
        return lambda _to: Outgoing("DELETE", path, passed_on(request))

    work = Work(at, caller, DELETE, entity_id, made, may_be_missing_here=made.has_proxied)
    return await work.done(build, lambda: at.local(incoming.copy()))


async def purge(at: Spreading, request: Request) -> Response:
    """DELETE /entities: the same request to every source that takes it, and here."""
    incoming = await read_incoming(request, at.broker.settings.max_body_bytes)
    refused = await refusal(at, incoming)
    if refused is not None:
        return refused
    context = await request_context(request, at.broker.contexts)
    caller = at.caller(request, context)
    asked = read_query(incoming, context, at.broker.settings)
    found = list(matching(at.broker.sources, asked.wanted, asked.names, asked.datasets))
    made = plan_whole(found, caller, PURGE.name)
    if not made.pieces:
        return await at.local(incoming.copy())

    def build(_piece: Piece) -> Build:
        return lambda _to: Outgoing("DELETE", "/entities", passed_on(request))

    work = Work(at, caller, PURGE, "", made, may_be_missing_here=True)
    return await work.done(build, lambda: at.local(incoming.copy()))


class Work(Struct, frozen=True):
    """A write that is split."""

    at: Spreading
    caller: Caller
    operation: Operation
    entity_id: str
    plan: Plan
    may_be_missing_here: bool = False

    async def done(
        self,
        build: Callable[[Piece], Build],
        here: Callable[[], Awaitable[Response]] | None,
    ) -> Response:
        """Do all parts at once and answer for them."""
        if self.caller.is_loop:
            return problem(loop_detected("the Via header names this broker already"))
        pieces = self.plan.pieces
        sent = [piece for piece in pieces if piece.is_supported and not piece.is_loop]
        own = asyncio.ensure_future(here()) if here is not None else None
        outcomes = await asyncio.gather(*(self._send(piece, build) for piece in sent))
        response = await own if own is not None else None
        told = [pair for pair in zip(sent, outcomes, strict=True) if not pair[1].is_passed_over]
        parts = [of_source(piece.names, outcome) for piece, outcome in told]
        parts += [self._refused(piece) for piece in pieces if piece not in sent]
        if response is not None:
            part = of_here(self.plan.kept, response)
            if not (parts and part.status == 404 and self.may_be_missing_here):
                parts.insert(0, part)
        return self._answer(parts, response)

    def _send(self, piece: Piece, build: Callable[[Piece], Build]) -> Awaitable[Outcome]:
        return self.at.forwarder.send(piece.entry, self.caller, build(piece))

    def _refused(self, piece: Piece) -> Part:
        uri = piece.entry.registration.id
        if piece.is_loop:
            return of_source(
                piece.names, self.at.forwarder.looped(piece.entry.registration, self.caller)
            )
        return unsupported(piece.names, uri, self.operation.name)

    def _answer(self, parts: Sequence[Part], response: Response | None) -> Response:
        if all(part.is_good for part in parts):
            return self._success(response)
        if not any(part.is_good or part.is_partial for part in parts):
            if self.operation is CREATE and len(parts) > 1:  # the caller is told of each side
                return entity_result(self.entity_id, parts)
            return failed([part for part in parts if part.registration] or parts)
        if self.operation.gives_update_result:
            return update_result(parts, self.caller.context)
        return entity_result(self.entity_id, parts)

    def _success(self, response: Response | None) -> Response:
        if response is not None and response.status_code < 300:
            return response
        if self.operation is CREATE:
            return empty(201, {"location": f"{ROOT}/entities/{quote(self.entity_id, safe=':')}"})
        return empty()


async def refusal(at: Spreading, incoming: Incoming) -> Response | None:
    """The answer to a request that is wrong in itself, before anything is done."""
    checked = await at.check(incoming.copy())
    is_wrong = checked.status_code >= 400 and checked.status_code not in {404, 409}
    return checked if is_wrong else None


async def read_document(at: Spreading, incoming: Incoming) -> tuple[Any, LdContext]:
    """The decoded body and its @context."""
    payload = await read_payload(
        incoming.copy(), at.broker.settings.max_body_bytes, takes_merge_patch=True
    )
    return payload.document, await payload.context(at.broker.contexts, payload.document)


def attribute_names(document: dict[str, Any], context: LdContext) -> dict[str, list[str]]:
    """Stored name of each attribute -> the members of the document that say it."""
    found: dict[str, list[str]] = {}
    for key in document:
        plain = {"@id": "id", "@type": "type"}.get(context.keyword(key), key)
        if plain not in ENTITY_MEMBERS:
            found.setdefault(context.stored(key), []).append(key)
    return found


def cut(document: dict[str, Any], names: dict[str, list[str]], piece: Piece) -> dict[str, Any]:
    """The part of an entity that a source is registered for."""
    keys = {key for name in piece.names for key in names[name]}
    other = _keys(names)
    return {
        key: value
        for key, value in document.items()
        if key in keys
        or (key not in other and (piece.is_whole or key in {"id", "type", "@id", "@type"}))
    }


def passed_on(request: Request) -> list[tuple[str, str]]:
    """Parameters that a source gets as the client sent them."""
    return [(k, v) for k, v in request.query_params.multi_items() if k not in _NOT_FORWARDED]


def _keys(names: dict[str, list[str]]) -> set[str]:
    return {key for keys in names.values() for key in keys}


def _member(document: Any, old: LdContext, new: LdContext) -> Any:
    if not isinstance(document, dict):
        return None if document is None else attribute(document, old, new)
    return attribute({k: v for k, v in document.items() if k != "@context"}, old, new)


async def _types(
    at: Spreading, request: Request, entity_id: str, document: dict[str, Any], context: LdContext
) -> Iterable[str]:
    """Types that are known of the entity: said by the request, or of what is stored here."""
    said = document.get("type", document.get("@type")) or request.query_params.get("type")
    found: dict[str, None] = {}
    if isinstance(said, str) and all(c not in said for c in ";|()"):
        said = said.split(",")
    for name in said if isinstance(said, list) else []:
        if isinstance(name, str):
            found[context.stored(name)] = None
    for entity in await at.broker.load([entity_id]):
        found |= dict.fromkeys(entity.types)
    return found
