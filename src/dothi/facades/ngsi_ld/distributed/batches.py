"""Batch operations here and at registered sources (clauses 5.6.7 to 5.6.10 and 5.6.20).

Each source gets one request with all its entities, or one for each when it takes no batches. An
entity of which any part failed is among the errors, also when other parts of it were done.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT, LdContext
from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.distribution import Spread, Spreading
from dothi.facades.ngsi_ld.distributed.forward import Outcome, Outgoing
from dothi.facades.ngsi_ld.distributed.local_request import Incoming, decoded, read_incoming
from dothi.facades.ngsi_ld.distributed.outcomes import of_source, unsupported
from dothi.facades.ngsi_ld.distributed.plan import Plan, plan, plan_whole
from dothi.facades.ngsi_ld.distributed.recompact import recompacted
from dothi.facades.ngsi_ld.distributed.selection import matching
from dothi.facades.ngsi_ld.distributed.singles import ALTERNATIVES, Item, Singles
from dothi.facades.ngsi_ld.distributed.writes import attribute_names, cut, passed_on, refusal
from dothi.facades.ngsi_ld.errors import NgsiError, loop_detected
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.registrations.registry import Entry
from dothi.facades.ngsi_ld.wire.answers import empty, problem, raw_answer
from dothi.facades.ngsi_ld.wire.negotiation import JSON
from dothi.facades.ngsi_ld.wire.request import Payload, read_payload
from dothi.model.condition import HasType, any_of

_CREATING = frozenset({"createBatch", "upsertBatch"})


class _Consignment(Struct):
    """All that one source gets."""

    entry: Entry
    items: list[Any] = field(default_factory=list)
    contexts: list[LdContext] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def build(self, operation: str, query: list[tuple[str, str]]) -> Any:
        same = all(context is self.contexts[0] for context in self.contexts)

        def message(to: LdContext) -> Outgoing:
            # Several @contexts cannot go with one request; full names need none.
            asked = self.entry.registration.info("jsonldContext")
            target = to if same or asked else CORE_CONTEXT
            body = [
                item if isinstance(item, str) else recompacted(item, context, target)
                for item, context in zip(self.items, self.contexts, strict=True)
            ]
            return Outgoing("POST", f"/entityOperations/{operation}", query, body, True)

        return message


class _Tally(Struct):
    """What became of each entity."""

    order: list[str]
    created: dict[str, None] = field(default_factory=dict)
    done: dict[str, None] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def fail(self, uri: str, error: dict[str, Any], registration: str = "") -> None:
        source = {"registrationId": registration} if registration else {}
        self.errors.append({"entityId": uri, **source, "error": error})

    def answer(self, *, creates: bool) -> Response:
        bad = {error["entityId"] for error in self.errors}
        if not self.errors:
            made = [uri for uri in dict.fromkeys(self.order) if uri in self.created]
            return raw_answer(made, JSON, 201) if creates and made else empty()
        good = [uri for uri in dict.fromkeys(self.order) if uri in self.done and uri not in bad]
        return raw_answer({"success": good, "errors": self.errors}, JSON, 207)


def batches(name: str) -> Spread:
    """A batch operation; `name` is the last part of its path."""
    operation = f"{name}Batch"

    async def spread(at: Spreading, request: Request) -> Response:
        incoming = await read_incoming(request, at.broker.settings.max_body_bytes)
        refused = await refusal(at, incoming)
        if refused is not None:
            return refused
        wrong = _wrong_ids(await at.check(incoming.copy())) if name != "delete" else set()
        payload = await read_payload(incoming.copy(), at.broker.settings.max_body_bytes)
        context = await _request_context(at, payload)
        work = _Work(at, at.caller(request, context), operation, payload)
        await work.split(wrong)
        if not work.consignments and not work.tally.errors:
            return await at.local(incoming.copy())
        if work.caller.is_loop:
            return problem(loop_detected("the Via header names this broker already"))
        return await work.done(name, incoming)

    return spread


class _Work:
    """One batch on its way."""

    def __init__(self, at: Spreading, caller: Caller, operation: str, payload: Payload) -> None:
        self.caller = caller
        self.consignments: dict[str, _Consignment] = {}
        self._at = at
        self._operation = operation
        self._alternatives = (operation, *ALTERNATIVES[operation])
        self._payload = payload
        self._here: list[Any] = []
        self.tally = _Tally([_id_of(item) for item in payload.document])

    async def split(self, wrong: set[str]) -> None:
        """Share the items out; those that are wrong in themselves stay here and fail here."""
        for item in self._payload.document:
            uri = _id_of(item)
            if not uri or uri in wrong:
                self._here.append(item)
            elif isinstance(item, str):
                await self._share_deletion(uri)
            else:
                await self._share(uri, item)

    async def done(self, name: str, incoming: Incoming) -> Response:
        """Do all parts at once and answer for them."""
        sent = list(self.consignments.values())
        query = passed_on(incoming.request)
        own = None
        if self._here:
            own = asyncio.ensure_future(self._at.local(incoming.copy(self._here)))
        outcomes = await asyncio.gather(*(self._send(c, name, query) for c in sent))
        for consignment, outcome in zip(sent, outcomes, strict=True):
            if not outcome.is_passed_over:
                self._count(consignment, outcome)
        if own is not None:
            self._count_here(await own)
        return self.tally.answer(creates=self._operation in _CREATING)

    async def _send(
        self, consignment: _Consignment, name: str, query: list[tuple[str, str]]
    ) -> Outcome:
        entry, forwarder = consignment.entry, self._at.forwarder
        if entry.registration.supports(self._operation):
            return await forwarder.send(entry, self.caller, consignment.build(name, query))
        said = next((value for key, value in query if key == "options"), "")
        singles = Singles(
            forwarder, self.caller, entry, self._operation, frozenset(said.split(","))
        )
        parts = zip(consignment.ids, consignment.items, consignment.contexts, strict=True)
        return await singles.send([Item(*part) for part in parts])

    async def _share(self, uri: str, item: dict[str, Any]) -> None:
        context = await self._payload.context(self._at.broker.contexts, item)
        names = attribute_names(item, context)
        types = item.get("type", item.get("@type", []))
        stored = [context.stored(t) for t in (types if isinstance(types, list) else [types])]
        if not stored:
            stored = [t for entity in await self._at.broker.load([uri]) for t in entity.types]
        sources = self._at.broker.sources
        made = plan(sources, self.caller, (uri, stored), list(names), self._alternatives)
        for consignment, piece in self._pieces(uri, made):
            consignment.items.append(cut(item, names, piece))
            consignment.contexts.append(context)
        if made.stays_here:
            keys = {key for name in names if name not in made.kept for key in names[name]}
            self._here.append({k: v for k, v in item.items() if k not in keys})

    async def _share_deletion(self, uri: str) -> None:
        local = await self._at.broker.load([uri])
        types = any_of([HasType(name) for entity in local for name in entity.types])
        found = list(matching(self._at.broker.sources, [Wanted((uri,), "", types)]))
        made = plan_whole(found, self.caller, self._alternatives)
        for consignment, _ in self._pieces(uri, made):
            consignment.items.append(uri)
            consignment.contexts.append(self.caller.context)
        if local or not made.has_proxied:
            self._here.append(uri)

    def _pieces(self, uri: str, made: Plan) -> Iterator[tuple[_Consignment, Any]]:
        for piece in made.pieces:
            registration = piece.entry.registration
            if piece.is_loop:
                outcome = self._at.forwarder.looped(registration, self.caller)
                self.tally.fail(uri, of_source((), outcome).problem, registration.id)
            elif not piece.is_supported:
                part = unsupported(piece.names, registration.id, self._operation)
                self.tally.fail(uri, part.problem, registration.id)
            else:
                consignment = self.consignments.setdefault(
                    registration.id, _Consignment(piece.entry)
                )
                consignment.ids.append(uri)
                yield consignment, piece

    def _count(self, consignment: _Consignment, outcome: Outcome) -> None:
        uri = outcome.registration.id
        part = of_source((), outcome)
        if not 200 <= outcome.status < 300:
            for one in consignment.ids:
                self.tally.fail(one, part.problem, uri)
            return
        failed = _errors(outcome.body) if outcome.status == 207 else {}
        for one in consignment.ids:
            if one in failed:
                self.tally.fail(one, failed[one], uri)
            else:
                self.tally.done[one] = None
        if outcome.status == 201:
            made = outcome.body if isinstance(outcome.body, list) else consignment.ids
            self.tally.created |= {one: None for one in made if isinstance(one, str)}

    def _count_here(self, response: Response) -> None:
        body = decoded(response)
        ids = [_id_of(item) for item in self._here]
        if response.status_code >= 400:
            for uri in ids:
                self.tally.fail(uri, body)
            return
        failed = _errors(body) if response.status_code == 207 else {}
        for uri, error in failed.items():
            self.tally.fail(uri, error)
        self.tally.done |= {uri: None for uri in ids if uri not in failed}
        if response.status_code == 201:
            self.tally.created |= dict.fromkeys(body)


async def _request_context(at: Spreading, payload: Payload) -> LdContext:
    """The @context that all items share, or the first one's."""
    for item in payload.document:
        if isinstance(item, dict):
            try:
                return await payload.context(at.broker.contexts, item)
            except NgsiError:
                continue
    return await at.broker.contexts.resolve(payload.link)


def _wrong_ids(checked: Response) -> set[str]:
    """Items that no broker could take; that they are missing or there is another matter."""
    body = decoded(checked) if checked.status_code == 207 else None
    return {uri for uri, error in _errors(body).items() if error.get("status") not in {404, 409}}


def _errors(body: Any) -> dict[str, dict[str, Any]]:
    """Entity id -> ProblemDetails, of a BatchOperationResult."""
    told = body.get("errors") if isinstance(body, dict) else None
    return {
        one["entityId"]: one.get("error") or {}
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict) and isinstance(one.get("entityId"), str)
    }


def _id_of(item: Any) -> str:
    found = item.get("id", item.get("@id", "")) if isinstance(item, dict) else item
    return found if isinstance(found, str) else ""
