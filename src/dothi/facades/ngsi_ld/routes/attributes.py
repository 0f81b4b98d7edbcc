"""/entities/{id}/attrs and /entities/{id}/attrs/{attribute} (clauses 6.6 and 6.7)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import NgsiError, bad_request_data
from dothi.facades.ngsi_ld.operations.attributes import (
    UpdateResult,
    append_attributes,
    delete_attribute,
    update_attributes,
    update_one_attribute,
)
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.query import read_type
from dothi.facades.ngsi_ld.operations.recording import end_recorded_attribute
from dothi.facades.ngsi_ld.routes.guard import (
    Handler,
    attribute_of,
    entity_id_of,
    guarded,
    source_of,
)
from dothi.facades.ngsi_ld.wire.answers import empty, raw_answer
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.negotiation import JSON
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context

_APPEND = frozenset({"options", "type", "local"})
_UPDATE = frozenset({"type", "local"})
_DELETE = frozenset({"type", "local", "datasetId", "deleteAll"})


def append_handler(broker: Broker) -> Handler:
    async def append(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _APPEND)
        overwrites = not parameters.options(frozenset({"noOverwrite"}))
        payload = await read_payload(request, broker.settings.max_body_bytes)
        context = await payload.context(broker.contexts, payload.document)
        draft = _filled(Reader(context).fragment(payload.document, entity_id))
        result = await append_attributes(
            broker,
            source_of(request, broker),
            draft,
            read_type(parameters, context),
            overwrites=overwrites,
        )
        return _update_answer(result, context)

    return guarded(append)


def update_handler(broker: Broker) -> Handler:
    async def update(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _UPDATE)
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        context = await payload.context(broker.contexts, payload.document)
        reader = Reader(context, allows_null=True)
        draft = _filled(reader.fragment(payload.document, entity_id))
        result = await update_attributes(
            broker, source_of(request, broker), draft, read_type(parameters, context)
        )
        return _update_answer(result, context)

    return guarded(update)


def update_one_handler(broker: Broker) -> Handler:
    async def update_one(request: Request) -> Response:
        entity_id = entity_id_of(request)
        name = attribute_of(request)
        parameters = Parameters(request, _UPDATE)
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        context = await payload.context(broker.contexts, payload.document)
        raw = payload.document
        if not isinstance(raw, dict) or not raw.keys() - {"@context"}:
            raise bad_request_data("the body must be an object with members of the attribute")
        raw = {key: value for key, value in raw.items() if key != "@context"}
        reader = Reader(context, allows_null=True, is_partial=True)
        fragment = reader.instance(context.stored(name), raw, name)
        await update_one_attribute(
            broker,
            source_of(request, broker),
            entity_id,
            fragment,
            read_type(parameters, context),
            names_kind="type" in raw,
        )
        return empty()

    return guarded(update_one)


def delete_handler(broker: Broker) -> Handler:
    async def delete(request: Request) -> Response:
        entity_id = entity_id_of(request)
        name = attribute_of(request)
        parameters = Parameters(request, _DELETE)
        dataset = parameters.text("datasetId")
        if dataset:
            check_uri(dataset if dataset != "@none" else NGSI_NULL, "parameter datasetId")
        context = await request_context(request, broker.contexts)
        key = (context.stored(name), dataset.removeprefix("@none"))
        source, deletes_all = source_of(request, broker), parameters.is_true("deleteAll")
        types = read_type(parameters, context)
        try:
            await delete_attribute(broker, source, entity_id, key, types, deletes_all=deletes_all)
        except NgsiError as error:
            # An entity may be known by its evolution alone, in which this then is noted.
            if error.status != 404 or not await end_recorded_attribute(
                broker, source, entity_id, key, deletes_all=deletes_all
            ):
                raise
        return empty()

    return guarded(delete)


def _filled(draft: EntityDraft) -> EntityDraft:
    if not draft.instances and not draft.types and draft.scope is None and not draft.expires_at:
        raise bad_request_data("the body holds no attribute")
    return draft


def _update_answer(result: UpdateResult, context: LdContext) -> Response:
    """204 when everything was done, else 207 with what was and what was not."""
    if not result.not_updated:
        return empty()
    content: dict[str, Any] = {
        "updated": [context.wire(name) for name in dict.fromkeys(result.updated)],
        "notUpdated": [
            {"attributeName": context.wire(name), "reason": reason}
            for name, reason in result.not_updated.items()
        ],
    }
    return raw_answer(content, JSON, 207)
