"""PUT and PATCH /entities/{id}, DELETE /entities (clauses 6.5.3.3, 6.5.3.4 and 6.4.3.3)."""

import re
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.conditions import SYSTEM_NAMES, linked_depth
from dothi.facades.ngsi_ld.operations.entities import replace_entity
from dothi.facades.ngsi_ld.operations.merge import merge_entity
from dothi.facades.ngsi_ld.operations.purge import Cut, is_selective, purge_entities
from dothi.facades.ngsi_ld.operations.query import (
    FILTER_PARAMETERS,
    read_filter,
    read_names,
    read_type,
)
from dothi.facades.ngsi_ld.operations.search import is_local
from dothi.facades.ngsi_ld.routes.guard import Handler, entity_id_of, guarded, source_of
from dothi.facades.ngsi_ld.wire.answers import empty
from dothi.facades.ngsi_ld.wire.attribute_reading import Mode, read_time
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.facades.ngsi_ld.wire.merge_reading import PatchReader
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.reading import Reader, whole
from dothi.facades.ngsi_ld.wire.representation import Format
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.ports.entity_query import StoredEntity

_REPLACE = frozenset({"type", "local"})
_MERGE = frozenset({"type", "local", "format", "options", "lang", "observedAt"})
_PURGE = FILTER_PARAMETERS | {"keep", "drop", "geometryProperty"}
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def replace_handler(broker: Broker) -> Handler:
    async def replace(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _REPLACE)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        context = await payload.context(broker.contexts, payload.document)
        draft = whole(Reader(context).fragment(payload.document, entity_id))
        selection = read_type(parameters, context)
        await replace_entity(broker, source_of(request, broker), draft, selection)
        return empty()

    return guarded(replace)


def merge_handler(broker: Broker) -> Handler:
    async def merge(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _MERGE)
        lang = _language(parameters)
        is_simplified = parameters.format() is Format.SIMPLIFIED
        stamp = parameters.text("observedAt")
        observed_at = read_time(stamp, "parameter observedAt") if stamp else None
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        context = await payload.context(broker.contexts, payload.document)

        def read(stored: StoredEntity | None) -> EntityDraft:
            present = stored.attributes if stored is not None else ()
            kinds = {(row.name, row.dataset): row.kind for row in present}
            reader = PatchReader(context, Mode.MERGE, kinds, lang, is_simplified)
            return reader.fragment(payload.document, entity_id)

        await merge_entity(
            broker,
            source_of(request, broker),
            entity_id,
            read,
            read_type(parameters, context),
            observed_at,
        )
        return empty()

    return guarded(merge)


def purge_handler(broker: Broker) -> Handler:
    async def purge(request: Request) -> Response:
        parameters = Parameters(request, _PURGE)
        context = await request_context(request, broker.contexts)
        cut = _read_cut(parameters, context)
        search = read_filter(parameters, context)
        if search.condition is not None and linked_depth(search.condition):
            raise bad_request_data("parameter q: a purge does not look into linked entities")
        is_narrow = is_local(parameters) or not SYSTEM_NAMES.issuperset(search.attributes)
        is_narrow = is_narrow or is_selective(search.condition)
        # Named attributes of named entities: nobody takes that for the whole tenant.
        is_narrow = is_narrow or (cut is not None and bool(search.ids))
        if not is_narrow:
            raise bad_request_data(
                "the query is too wide; give at least one of type, attrs, q, georel or local=true"
            )
        await purge_entities(broker, source_of(request, broker), search, cut)
        return empty()

    return guarded(purge)


def missing_handler(what: str) -> Handler:
    """An operation on what the path does not name is wrong data, not a wrong method.

    Args:
        what: the part of the path that is not there.
    """

    async def refuse(_request: Request) -> Response:
        return _missing(what)

    return guarded(refuse)


def _missing(what: str) -> NoReturn:
    raise bad_request_data(f"{what} is missing at the end of the path")


def _language(parameters: Parameters) -> str:
    lang = parameters.text("lang")
    if lang and not _LANGUAGE.fullmatch(lang):
        raise bad_request_data(f"parameter lang: {lang!r} is no language tag (BCP 47)")
    return lang


def _read_cut(parameters: Parameters, context: LdContext) -> Cut | None:
    if "drop" in parameters and "keep" in parameters:
        raise bad_request_data("parameters drop and keep exclude each other")
    if "drop" in parameters:
        return Cut(drop=frozenset(read_names(parameters, "drop", context)))
    if "keep" in parameters:
        return Cut(keep=frozenset(read_names(parameters, "keep", context)))
    return None
