"""Types and attributes that are available here and at registered sources (5.7.5 to 5.7.10)."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.distributed.distribution import Spread, Spreading, warned
from dothi.facades.ngsi_ld.distributed.forward import Outgoing
from dothi.facades.ngsi_ld.distributed.local_request import Incoming, decoded
from dothi.facades.ngsi_ld.distributed.selection import matching, usable
from dothi.facades.ngsi_ld.distributed.writes import passed_on
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.wire.answers import answer
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.request import request_context
from dothi.model.condition import HasType

_COUNTS = frozenset({"entityCount", "attributeCount"})


def discovery(operation: str) -> Spread:
    """`operation` as clause 4.20 names it; with details it is another one."""

    async def spread(at: Spreading, request: Request) -> Response:
        checked = await at.check(request)
        if checked.status_code not in {200, 404}:
            return checked
        context = await request_context(request, at.broker.contexts)
        caller = at.caller(request, context)
        details = request.query_params.get("details") == "true"
        name = operation.removesuffix("s") + "Details" if details else operation
        said = str(request.path_params.get("name", "")).removesuffix("/")
        stored = context.stored(said) if said else ""
        is_type = "EntityType" in operation
        wanted = Wanted(types=HasType(stored) if stored and is_type else None)
        names = frozenset({stored} if stored and not is_type else ())
        found = [
            pair
            for pair in matching(at.broker.sources, [wanted], names)
            if pair[0].registration.supports(name)
        ]
        open_ones, closed = usable(found, caller)
        path = Incoming(request, b"").raw_path.removeprefix(ROOT)
        message = Outgoing(request.method, path, passed_on(request))
        outcomes = await asyncio.gather(
            *(at.forwarder.send(entry, caller, lambda _to: message) for entry, _ in open_ones)
        )
        outcomes += [at.forwarder.looped(entry.registration, caller) for entry in closed]
        response = await at.local(request)
        bodies = [o.body for o in outcomes if o.status == 200 and isinstance(o.body, dict | list)]
        if bodies:
            media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
            own = [_bare(decoded(response))] if response.status_code == 200 else []
            response = answer(_united([*own, *map(_bare, bodies)]), media, context)
        return warned(response, [text for outcome in outcomes for text in outcome.warnings])

    return spread


def _united(documents: list[Any]) -> Any:
    found = documents[0]
    for other in documents[1:]:
        found = _merged(found, other)
    return found


def _bare(document: Any) -> Any:
    if isinstance(document, list):
        return [_bare(part) for part in document]
    if isinstance(document, dict):
        return {name: value for name, value in document.items() if name != "@context"}
    return document


def _merged(one: Any, other: Any) -> Any:
    """Objects member by member, arrays of objects by id, other arrays as sets, counts added."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = dict(one)
        for name, value in other.items():
            if name in _COUNTS and isinstance(value, int) and isinstance(found.get(name), int):
                found[name] += value
            else:
                found[name] = _merged(found[name], value) if name in found else value
        return found
    if isinstance(one, list) and isinstance(other, list):
        return _joined(one, other)
    return one


def _joined(one: list[Any], other: list[Any]) -> list[Any]:
    found = {_key(part): part for part in one}
    for part in other:
        key = _key(part)
        found[key] = _merged(found[key], part) if key in found else part
    return list(found.values())


def _key(part: Any) -> str:
    if isinstance(part, dict) and isinstance(part.get("id"), str):
        return str(part["id"])
    return msgspec.json.encode(part).decode()
