"""/temporal/entities/{id}/attrs and below (clauses 6.20 to 6.22)."""

import re

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.errors import bad_request_data, method_not_allowed
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.recording import (
    add_instances,
    forget_attribute,
    forget_instance,
    modify_instance,
)
from dothi.facades.ngsi_ld.routes.guard import Handler, entity_id_of, guarded, source_of
from dothi.facades.ngsi_ld.wire.answers import empty, problem
from dothi.facades.ngsi_ld.wire.evolution_reading import EvolutionReader
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context

_INSTANCE = re.compile(r"(?P<name>.+)/(?P<instance>[A-Za-z][A-Za-z0-9+.-]*:[^/]+)")
"""An attribute may be an IRI with slashes; an instance id is the last segment, a URI without."""
_WRITE = frozenset({"local"})
_DELETE = frozenset({"local", "datasetId", "deleteAll"})


def append_handler(broker: Broker) -> Handler:
    """Add attributes (clause 5.6.12)."""

    async def append(request: Request) -> Response:
        entity_id = entity_id_of(request)
        Parameters(request, _WRITE)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        context = await payload.context(broker.contexts, payload.document)
        draft = EvolutionReader(context).fragment(payload.document, entity_id)
        if not draft.instances and not draft.types:
            raise bad_request_data("the body holds no attribute")
        await add_instances(broker, source_of(request, broker), draft)
        return empty()

    return guarded(append)


def modify_handler(broker: Broker) -> Handler:
    """Modify an instance (clause 5.6.14)."""

    async def modify(request: Request) -> Response:
        entity_id = entity_id_of(request)
        if request.path_params["attribute"].startswith("/"):
            return _no_instance("the attribute name")
        name, instance_id = _place(request)
        if not instance_id:
            return _no_instance("the id of the instance")
        Parameters(request, _WRITE)
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        context = await payload.context(broker.contexts, payload.document)
        fragment = EvolutionReader(context).instance(name, payload.document)
        await modify_instance(broker, source_of(request, broker), entity_id, fragment, instance_id)
        return empty()

    return guarded(modify)


def delete_handler(broker: Broker) -> Handler:
    """Delete an attribute, or one instance of it (clauses 5.6.13 and 5.6.15)."""

    async def delete(request: Request) -> Response:
        entity_id = entity_id_of(request)
        name, instance_id = _place(request)
        parameters = Parameters(request, _WRITE if instance_id else _DELETE)
        dataset = parameters.text("datasetId")
        if dataset and dataset != "@none":
            check_uri(dataset, "parameter datasetId")
        context = await request_context(request, broker.contexts)
        stored, source = context.stored(name), source_of(request, broker)
        if instance_id:
            await forget_instance(broker, source, entity_id, stored, instance_id)
        else:
            key = (stored, dataset.removeprefix("@none"))
            deletes_all = parameters.is_true("deleteAll")
            await forget_attribute(broker, source, entity_id, key, deletes_all=deletes_all)
        return empty()

    return guarded(delete)


def _no_instance(what: str) -> Response:
    """The path names no instance, and nothing else has a PATCH (clauses 6.21 and 6.22)."""
    response = problem(method_not_allowed(f"only an instance has PATCH: {what} is missing"))
    response.headers["allow"] = "DELETE, OPTIONS"
    return response


def _place(request: Request) -> tuple[str, str]:
    """Attribute name as written, and instance id (empty: none). Raises BadRequestData."""
    path: str = request.path_params["attribute"].removesuffix("/")
    found = _INSTANCE.fullmatch(path)
    # A whole path that is an IRI is the name of an attribute.
    if found is None or (":" in path.partition("/")[0] and "/" not in found["name"]):
        name, instance_id = path, ""
    else:
        name, instance_id = found["name"], found["instance"]
    check_name(name, "the attribute name in the path")
    if instance_id:
        check_uri(instance_id, "the instance id in the path")
    return name, instance_id
