"""/entityOperations/upsert (clause 6.15)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.errors import NgsiError, bad_request_data
from dothi.facades.ngsi_ld.operations.batch import BatchResult, upsert
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded, source_of
from dothi.facades.ngsi_ld.wire.answers import empty, raw_answer
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.facades.ngsi_ld.wire.negotiation import JSON
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.facades.ngsi_ld.wire.request import Payload, read_payload

_PARAMETERS = frozenset({"options", "local"})
_OPTIONS = frozenset({"replace", "update"})


def upsert_handler(broker: Broker) -> Handler:
    async def upserting(request: Request) -> Response:
        options = Parameters(request, _PARAMETERS).options(_OPTIONS)
        if len(options) > 1:
            raise bad_request_data("parameter options names both replace and update")
        payload = await read_payload(request, broker.settings.max_body_bytes)
        drafts, errors = await _read_items(broker, payload)
        result = BatchResult()
        if drafts:
            result = await upsert(
                broker, source_of(request, broker), drafts, replaces="update" not in options
            )
        return _answer(result, errors + result.errors)

    return guarded(upserting)


async def _read_items(
    broker: Broker, payload: Payload
) -> tuple[list[EntityDraft], list[tuple[str, NgsiError]]]:
    """The good items, and the bad ones with what is wrong with them."""
    items = payload.document
    if not isinstance(items, list) or not items:
        raise bad_request_data("the body must be an array of one entity or more")
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise bad_request_data(f"item {index} of the array is not an object")
    drafts: list[EntityDraft] = []
    errors: list[tuple[str, NgsiError]] = []
    for item in items:
        try:
            context = await payload.context(broker.contexts, item)
            drafts.append(Reader(context).entity(item))
        except NgsiError as error:
            errors.append((_shown_id(item), error))
    return drafts, errors


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
