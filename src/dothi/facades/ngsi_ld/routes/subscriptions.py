"""/subscriptions and /subscriptions/{id} (clauses 6.10 and 6.11)."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.routes.contexts import BaseUrl
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.facades.ngsi_ld.subscriptions.reading import read_subscription
from dothi.facades.ngsi_ld.subscriptions.registry import Registry
from dothi.facades.ngsi_ld.subscriptions.writing import written
from dothi.facades.ngsi_ld.wire.answers import answer, empty
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.paging import page_link
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context

_PATH = "/ngsi-ld/v1/subscriptions"
_NONE: frozenset[str] = frozenset({"local"})
_PAGE = frozenset({"limit", "offset", "count", "local"})
_MEDIA_TYPES = (JSON, LD_JSON)
_MAX_OFFSET = 1 << 40


def create_handler(registry: Registry, settings: NgsiLdSettings, base: BaseUrl) -> Handler:
    async def create(request: Request) -> Response:
        Parameters(request, _NONE)
        payload = await read_payload(request, settings.max_body_bytes)
        context = await payload.context(registry.contexts, payload.document)
        raw = await _naming_context(payload.document, context, registry, base(request))
        made = await registry.create(raw, context, ", ".join(request.headers.getlist("via")))
        return empty(201, {"location": f"{_PATH}/{quote(made.id, safe=':')}"})

    return guarded(create)


async def _naming_context(raw: Any, context: LdContext, registry: Registry, base: str) -> Any:
    """An @context without a URL gets one here, which notifications can name (5.13.1)."""
    if context.has_url or not isinstance(raw, dict) or "jsonldContext" in raw:
        return raw
    read_subscription(raw, context, registry.clock.now())  # what is refused leaves no @context
    return {**raw, "jsonldContext": await registry.contexts.address(context.user, base)}


def query_handler(registry: Registry, settings: NgsiLdSettings) -> Handler:
    async def query(request: Request) -> Response:
        parameters = Parameters(request, _PAGE)
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, registry.contexts)
        counts = parameters.is_true("count")
        limit = parameters.limit(settings.default_limit, settings.max_limit)
        if not limit and not counts:
            raise bad_request_data("parameter limit may be 0 only together with count=true")
        offset = parameters.count("offset", 0, _MAX_OFFSET)
        now_at = registry.clock.now()
        page = registry.page(offset, limit)
        response = answer([written(one, context, now_at) for one in page], media, context)
        if counts:
            response.headers["NGSILD-Results-Count"] = str(len(registry))
        steps = [("prev", max(offset - limit, 0))] if offset and limit else []
        steps += [("next", offset + limit)] if limit and offset + limit < len(registry) else []
        for relation, start in steps:
            link = page_link(request, limit, start)
            response.headers.append("link", f'<{link}>;rel="{relation}";type="{media}"')
        return response

    return guarded(query)


def retrieve_handler(registry: Registry, settings: NgsiLdSettings) -> Handler:
    async def retrieve(request: Request) -> Response:
        subscription_id = _id_of(request)
        Parameters(request, _NONE)
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, registry.contexts)
        found = registry.get(subscription_id)
        return answer(written(found, context, registry.clock.now()), media, context)

    return guarded(retrieve)


def update_handler(registry: Registry, settings: NgsiLdSettings) -> Handler:
    async def update(request: Request) -> Response:
        subscription_id = _id_of(request)
        Parameters(request, _NONE)
        payload = await read_payload(request, settings.max_body_bytes, takes_merge_patch=True)
        context = await payload.context(registry.contexts, payload.document)
        await registry.update(subscription_id, payload.document, context)
        return empty()

    return guarded(update)


def delete_handler(registry: Registry, settings: NgsiLdSettings) -> Handler:
    async def delete(request: Request) -> Response:
        subscription_id = _id_of(request)
        Parameters(request, _NONE)
        await request_context(request, registry.contexts)
        await registry.remove(subscription_id)
        return empty()

    return guarded(delete)


def _id_of(request: Request) -> str:
    """The subscription id of the path. Raises BadRequestData."""
    found: str = request.path_params["subscription_id"].removesuffix("/")
    check_uri(found, "the subscription id in the path")
    return found
