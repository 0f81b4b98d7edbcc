"""A batch for a source that takes no batches: one request per entity (5.6.7.4 to 5.6.10.4, 5.6.20).

The outcome has the shape of a batch's, so that nobody needs to know how it came about.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.forward import Forwarder, Outcome, Outgoing
from dothi.facades.ngsi_ld.distributed.outcomes import of_source, unsupported
from dothi.facades.ngsi_ld.distributed.recompact import recompacted
from dothi.facades.ngsi_ld.registrations.registry import Entry

ALTERNATIVES: Mapping[str, tuple[str, ...]] = {
    "createBatch": ("createEntity",),
    "upsertBatch": ("createEntity", "replaceEntity", "updateEntity", "appendAttrs"),
    "updateBatch": ("updateEntity", "appendAttrs"),
    "deleteBatch": ("deleteEntity",),
    "mergeBatch": ("mergeEntity",),
}
"""Operations on one entity (clause 4.20) that can do the work of a batch operation."""
_Step = tuple[str, str, str]
"""Operation, method, and what follows the id in the path."""
_UPDATE: tuple[_Step, ...] = (
    ("updateEntity", "PATCH", "/attrs/"),
    ("appendAttrs", "POST", "/attrs/"),
)
_STEPS: Mapping[str, tuple[_Step, ...]] = {
    "replace": (("replaceEntity", "PUT", ""),),
    "update": _UPDATE,
    "noOverwrite": (("appendAttrs", "POST", "/attrs/"),),
    "deleteBatch": (("deleteEntity", "DELETE", ""),),
    "mergeBatch": (("mergeEntity", "PATCH", ""),),
}


class Item(Struct, frozen=True):
    """One entity of a batch (its id alone for a deletion) and the @context of its names."""

    id: str
    body: Any
    context: LdContext


class Singles(Struct, frozen=True):
    """Sends the entities of one batch to one source, one after the other."""

    forwarder: Forwarder
    caller: Caller
    entry: Entry
    operation: str
    options: frozenset[str]

    async def send(self, items: Sequence[Item]) -> Outcome:
        """201 with the ids that were made, 204, or 207 with success and errors."""
        registration = self.entry.registration
        made: list[str] = []
        done: list[str] = []
        errors: list[dict[str, Any]] = []
        for item in items:
            outcome, is_new = await self._one(item)
            if outcome is None:
                part = unsupported((), registration.id, self.operation)
                errors.append({"entityId": item.id, "error": part.problem})
            elif outcome.is_good or outcome.is_passed_over:
                done.append(item.id)
                made += [item.id] if is_new else []
            else:
                problem = of_source((), outcome).problem or {"status": outcome.status}
                errors.append({"entityId": item.id, "error": problem})
        if errors:
            return Outcome(registration, 207, {"success": done, "errors": errors})
        return Outcome(registration, 201, made) if made else Outcome(registration, 204)

    async def _one(self, item: Item) -> tuple[Outcome | None, bool]:
        """What became of one entity (None: the source does not take it), and whether it is new."""
        outcome = None
        if self.operation in {"createBatch", "upsertBatch"} and self._takes("createEntity"):
            outcome = await self._request(item, "POST", "/entities", item.body)
            if self.operation == "createBatch" or outcome.status != 409:
                return outcome, outcome.is_good
        for operation, method, rest in _STEPS.get(self._manner(), ()):
            if self._takes(operation):
                path = f"/entities/{quote(item.id, safe=':')}{rest}"
                return await self._request(item, method, path, self._body(item, rest)), False
        return outcome, False

    def _manner(self) -> str:
        """How existing entities are treated (5.6.8, 5.6.9), else the operation itself."""
        if self.operation == "upsertBatch":
            return "update" if "update" in self.options else "replace"
        if self.operation == "updateBatch":
            return "noOverwrite" if "noOverwrite" in self.options else "update"
        return self.operation

    def _body(self, item: Item, rest: str) -> Any:
        if not isinstance(item.body, dict):
            return None
        left_out = {"id", "@id"} if rest else set()
        return {name: value for name, value in item.body.items() if name not in left_out}

    async def _request(self, item: Item, method: str, path: str, body: Any) -> Outcome:
        no_overwrite = self._manner() == "noOverwrite"
        query = [("options", "noOverwrite")] if no_overwrite else []

        def build(to: LdContext) -> Outgoing:
            sent = None if body is None else recompacted(body, item.context, to)
            return Outgoing(method, path, query, sent)

        return await self.forwarder.send(self.entry, self.caller, build)

    def _takes(self, operation: str) -> bool:
        return self.entry.registration.supports(operation)
