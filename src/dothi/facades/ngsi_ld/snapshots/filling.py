"""Executes the queries of a snapshot and stores what they find in its hub (clause 5.16.1)."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import ERRORS, NgsiError
from dothi.facades.ngsi_ld.snapshots.document import (
    QUERIES,
    QUERY_DETAILS,
    TEMPORAL_DETAILS,
    TEMPORAL_QUERIES,
)
from dothi.facades.ngsi_ld.snapshots.inside import Answer, call
from dothi.facades.ngsi_ld.snapshots.times import times_of, without_times
from dothi.facades.ngsi_ld.tables import HandlerTable
from dothi.facades.ngsi_ld.wire.answers import context_value
from dothi.ports.hubs import EntityTimes, SnapshotRecord

PAGE = 200
"""Entities that are copied at once."""
TEMPORAL_PAGE = 20
TEMPORAL_INSTANCES = 100_000
"""Instances of an attribute that one temporal answer may have while a snapshot is filled."""


class Filling(Struct):
    """One run over the queries of a record."""

    record: SnapshotRecord
    source: HandlerTable
    """Handlers of the hub that is copied, with pages of the sizes above."""
    target: HandlerTable
    """Handlers of the hub of the snapshot."""
    context: LdContext
    root: str
    times: list[EntityTimes] = field(default_factory=list)

    async def run(self) -> None:
        """Fill the hub; the record gets its status and the details of each query."""
        document = self.record.document
        outcomes: list[str] = []
        for name, details, copies in (
            (QUERIES, QUERY_DETAILS, self._entities),
            (TEMPORAL_QUERIES, TEMPORAL_DETAILS, self._evolutions),
        ):
            if name in document:
                found = [await _detail(copies, query) for query in document[name]]
                document[details] = found
                outcomes += [detail["resultStatus"] for detail in found]
        self.record.status = status_of(outcomes)

    async def _entities(self, query: dict[str, Any]) -> int:
        """How many entities the query gave."""
        return await self._copy(
            query, ("/entityOperations/query", "options=sysAttrs", PAGE), self._store_entities
        )

    async def _evolutions(self, query: dict[str, Any]) -> int:
        """How many temporal evolutions the query gave."""
        what = ("/temporal/entityOperations/query", "", TEMPORAL_PAGE)
        return await self._copy(query, what, self._store_evolutions)

    async def _copy(
        self,
        query: dict[str, Any],
        what: tuple[str, str, int],
        store: Callable[[list[dict[str, Any]]], Any],
    ) -> int:
        path, options, size = what
        body = {**query, "@context": context_value(self.context)}
        ids: set[str] = set()
        offset = 0
        while True:
            # Entities that went away meanwhile move the later ones forward. So each page begins
            # with the last entity of the one before; when it does not, something was missed.
            begin = max(offset - 1, 0)
            page = "&".join(filter(None, [options, f"limit={size}", f"offset={begin}"]))
            found = _checked(await call(self.source, self.root + path, body, page), {200, 206})
            entities: list[dict[str, Any]] = found or []
            if offset and (not entities or _id_of(entities[0]) not in ids):
                offset = max(offset - size, 0)
                continue
            new = [entity for entity in entities if _id_of(entity) not in ids]
            if new:
                await store(new)
            ids.update(map(_id_of, new))
            offset = begin + len(entities)
            if len(entities) < size:
                return len(ids)

    async def _store_entities(self, entities: list[dict[str, Any]]) -> None:
        found = (times_of(entity, self.context) for entity in entities)
        self.times += [times for times in found if times is not None]
        plain = [without_times(entity) for entity in entities]
        path = f"{self.root}/entityOperations/upsert"
        _checked(await call(self.target, path, plain, "options=update"), {201, 204})

    async def _store_evolutions(self, entities: list[dict[str, Any]]) -> None:
        for entity in entities:
            answer = await call(
                self.target, f"{self.root}/temporal/entities", without_times(entity)
            )
            _checked(answer, {201, 204})


def _id_of(entity: dict[str, Any]) -> str:
    return str(entity.get("id", entity.get("@id")))


def status_of(outcomes: list[str]) -> str:
    """success, empty or failure when all say so, else partial (5.2.41)."""
    return outcomes[0] if len(set(outcomes)) == 1 else "partial"


async def _detail(copies: Callable[[dict[str, Any]], Any], query: dict[str, Any]) -> dict[str, Any]:
    """ExecutionResultDetails of one query (5.2.42)."""
    try:
        found = await copies(query)
    except NgsiError as error:
        return {"resultStatus": "failure", "problemDetails": error.body()}
    return {"resultStatus": "success" if found else "empty"}


def _checked(answer: Answer, expected: set[int]) -> Any:
    """The document of a good answer. Raises NgsiError for the others."""
    if answer.status in expected:
        return answer.document
    told = answer.document if isinstance(answer.document, dict) else {}
    if "errors" in told:
        told = told["errors"][0].get("error", {})
    raise NgsiError(
        answer.status,
        str(told.get("type", "InternalError")).removeprefix(ERRORS),
        str(told.get("title", "A query of the snapshot failed")),
        str(told.get("detail", f"status {answer.status}")),
    )
