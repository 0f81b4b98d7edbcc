"""/entityOperations/create, upsert, update, merge and delete (clauses 6.14 to 6.17 and 6.31)."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import NgsiError, bad_request_data
from dothi.facades.ngsi_ld.operations import batch
from dothi.facades.ngsi_ld.operations.batch import AddRows, BatchResult, Item, run_batch
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded, source_of
from dothi.facades.ngsi_ld.wire.answers import empty, raw_answer
from dothi.facades.ngsi_ld.wire.attribute_reading import Mode
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.facades.ngsi_ld.wire.merge_reading import PatchReader
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.negotiation import JSON
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.reading import Reader, entity_members, whole
from dothi.facades.ngsi_ld.wire.request import Payload, read_payload
from dothi.ports.entity_query import StoredEntity

_PARAMETERS = frozenset({"options", "local"})
_LOCAL = frozenset({"local"})
_UPSERT_OPTIONS = frozenset({"replace", "update"})
_UPDATE_OPTIONS = frozenset({"noOverwrite"})

ReadItem = Callable[[Any, LdContext], Item]
"""One element of the array. Raises NgsiError BadRequestData."""


def create_handler(broker: Broker) -> Handler:
    async def create(request: Request) -> Response:
        Parameters(request, _LOCAL)
        return await _run(request, broker, _whole_item, batch.created)

    return guarded(create)


def upsert_handler(broker: Broker) -> Handler:
    async def upsert(request: Request) -> Response:
        options = Parameters(request, _PARAMETERS).options(_UPSERT_OPTIONS)
        if len(options) > 1:
            raise bad_request_data("parameter options names both replace and update")
        if "update" in options:
            return await _run(request, broker, _update_item, batch.updated)
        return await _run(request, broker, _whole_item, batch.replaced)

    return guarded(upsert)


def update_handler(broker: Broker) -> Handler:
    async def update(request: Request) -> Response:
        is_careful = bool(Parameters(request, _PARAMETERS).options(_UPDATE_OPTIONS))
        add_rows = batch.appended_without_overwriting if is_careful else batch.appended
        return await _run(request, broker, _whole_item, add_rows)

    return guarded(update)


def merge_handler(broker: Broker) -> Handler:
    async def merge(request: Request) -> Response:
        Parameters(request, _LOCAL)
        return await _run(request, broker, _merge_item, batch.merged)

    return guarded(merge)


def delete_handler(broker: Broker) -> Handler:
    async def delete(request: Request) -> Response:
        Parameters(request, _LOCAL)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        items: list[Item] = []
        errors: list[tuple[str, NgsiError]] = []
        for index, uri in enumerate(_array(payload)):
            if not isinstance(uri, str):
                raise bad_request_data(f"item {index} of the array is no entity id")
            try:
                check_uri(uri, f"item {index}")
                items.append(Item(uri, _draft(EntityDraft(uri))))
            except NgsiError as error:
                errors.append((uri, error))
        result = await run_batch(broker, source_of(request, broker), items, batch.deleted)
        return _answer(result, errors + result.errors)

    return guarded(delete)


async def _run(request: Request, broker: Broker, read: ReadItem, add_rows: AddRows) -> Response:
    payload = await read_payload(request, broker.settings.max_body_bytes)
    items, errors = await _read_items(broker, payload, read)
    result = await run_batch(broker, source_of(request, broker), items, add_rows)
    return _answer(result, errors + result.errors)


async def _read_items(
    broker: Broker, payload: Payload, read: ReadItem
) -> tuple[list[Item], list[tuple[str, NgsiError]]]:
    """The good items, and the bad ones with what is wrong with them."""
    documents = _array(payload)
    for index, document in enumerate(documents):
        if not isinstance(document, dict):
            raise bad_request_data(f"item {index} of the array is not an object")
    items: list[Item] = []
    errors: list[tuple[str, NgsiError]] = []
    for document in documents:
        try:
            context = await payload.context(broker.contexts, document)
            items.append(read(document, context))
        except NgsiError as error:
            errors.append((_shown_id(document), error))
    return items, errors


def _array(payload: Payload) -> list[Any]:
    items = payload.document
    if not isinstance(items, list) or not items:
        raise bad_request_data("the body must be an array of one element or more")
    return items


def _draft(draft: EntityDraft) -> Callable[[StoredEntity | None], EntityDraft]:
    return lambda _stored: draft


def _whole_item(document: Any, context: LdContext) -> Item:
    draft = Reader(context).entity(document)
    return Item(draft.id, _draft(draft))


def _update_item(document: Any, context: LdContext) -> Item:
    draft = Reader(context, Mode.UPDATE).entity(document)
    return Item(draft.id, _draft(draft))


def _merge_item(document: Any, context: LdContext) -> Item:
    head = whole(Reader(context, Mode.MERGE).head(entity_members(document, context), ""))

    def draft(stored: StoredEntity | None) -> EntityDraft:
        rows = stored.attributes if stored is not None else ()
        kinds = {(row.name, row.dataset): row.kind for row in rows}
        return PatchReader(context, Mode.MERGE, kinds).fragment(document, head.id)

    return Item(head.id, draft)


def _shown_id(item: dict[str, Any]) -> str:
    found = item.get("id", item.get("@id", ""))
    return found if isinstance(found, str) else ""


def _answer(result: BatchResult, errors: list[tuple[str, NgsiError]]) -> Response:
    created = list(dict.fromkeys(result.created))
    if not errors:
        return raw_answer(created, JSON, 201) if created else empty()
    content = {
        "success": list(dict.fromkeys([*created, *result.updated])),
        "errors": [{"entityId": uri, "error": error.body()} for uri, error in errors],
    }
    return raw_answer(content, JSON, 207)
