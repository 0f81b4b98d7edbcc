"""/entities/{id}/attrs and /entities/{id}/attrs/{attribute} (clauses 6.6 and 6.7)."""

from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext, iri_of_stored
from dothi.facades.ngsi_ld.errors import NgsiError, bad_request_data
from dothi.facades.ngsi_ld.operations.attributes import (
    SCOPE,
    append_attributes,
    delete_attribute,
    replace_attribute,
    update_attributes,
    update_one_attribute,
)
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.changes import UpdateResult
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
from dothi.facades.ngsi_ld.wire.attribute_reading import AttributeReader, Mode
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.facades.ngsi_ld.wire.merge_reading import PatchReader
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
        return _update_answer(result)

    return guarded(append)


def update_handler(broker: Broker) -> Handler:
    async def update(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _UPDATE)
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        context = await payload.context(broker.contexts, payload.document)
        reader = Reader(context, Mode.UPDATE)
        draft = _filled(reader.fragment(payload.document, entity_id))
        result = await update_attributes(
            broker, source_of(request, broker), draft, read_type(parameters, context)
        )
        return _update_answer(result)

    return guarded(update)


def update_one_handler(broker: Broker) -> Handler:
    async def update_one(request: Request) -> Response:
        target = await _target(request, broker, takes_merge_patch=True)
        reader = PatchReader(target.context, Mode.PARTIAL)
        await update_one_attribute(
            broker,
            source_of(request, broker),
            target.entity_id,
            reader.patch(target.stored_name, target.body, target.name),
            read_type(target.parameters, target.context),
        )
        return empty()

    return guarded(update_one)


def replace_handler(broker: Broker) -> Handler:
    async def replace(request: Request) -> Response:
        target = await _target(request, broker)
        reader = AttributeReader(target.context)
        await replace_attribute(
            broker,
            source_of(request, broker),
            target.entity_id,
            reader.instance(target.stored_name, target.body, target.name),
            read_type(target.parameters, target.context),
        )
        return empty()

    return guarded(replace)


def delete_handler(broker: Broker) -> Handler:
    async def delete(request: Request) -> Response:
        entity_id = entity_id_of(request)
        name = attribute_of(request)
        parameters = Parameters(request, _DELETE)
        dataset = parameters.text("datasetId")
        if dataset:
            check_uri(dataset.replace("@none", "urn:none", 1), "parameter datasetId")
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


class _Target(Struct, frozen=True):
    """One attribute and what a request says about it."""

    entity_id: str
    name: str
    stored_name: str
    body: dict[str, Any]
    """Without @context."""
    context: LdContext
    parameters: Parameters


async def _target(request: Request, broker: Broker, *, takes_merge_patch: bool = False) -> _Target:
    """Raises NgsiError BadRequestData, also for the scope, which is no attribute with members."""
    entity_id, name = entity_id_of(request), attribute_of(request)
    parameters = Parameters(request, _UPDATE)
    payload = await read_payload(
        request, broker.settings.max_body_bytes, takes_merge_patch=takes_merge_patch
    )
    context = await payload.context(broker.contexts, payload.document)
    body = payload.document
    if not isinstance(body, dict) or not body.keys() - {"@context"}:
        raise bad_request_data("the body must be an object with members of the attribute")
    if context.stored(name) == SCOPE:
        raise bad_request_data("the scope is changed by PATCH or POST /entities/{id}/attrs")
    stored_name = AttributeReader(context).stored_name(name, "the attribute name in the path")
    body = {key: value for key, value in body.items() if key != "@context"}
    return _Target(entity_id, name, stored_name, body, context, parameters)


def _filled(draft: EntityDraft) -> EntityDraft:
    has_head = draft.types or draft.scope is not None or draft.expires_at or draft.drops_expiry
    if not draft.instances and not has_head:
        raise bad_request_data("the body holds no attribute")
    return draft


def _update_answer(result: UpdateResult) -> Response:
    """204 when everything was done, else 207 with what was and what was not.

    There is no @context in it, so names are full (clause 6.3.6).
    """
    if not result.not_updated:
        return empty()
    content: dict[str, Any] = {
        "updated": [iri_of_stored(name) for name in dict.fromkeys(result.updated)],
        "notUpdated": [
            {"attributeName": iri_of_stored(name), "reason": reason}
            for name, reason in result.not_updated.items()
        ],
    }
    return raw_answer(content, JSON, 207)
