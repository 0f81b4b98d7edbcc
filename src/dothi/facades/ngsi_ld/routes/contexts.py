"""/jsonldContexts and /jsonldContexts/{contextId} (clauses 5.13, 6.29, 6.30)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.core import CORE_URL, core_document, is_core_url
from dothi.facades.ngsi_ld.context.library import PATH, ContextLibrary
from dothi.facades.ngsi_ld.context.validity import check_local
from dothi.facades.ngsi_ld.errors import (
    NgsiError,
    bad_request_data,
    context_not_available,
    invalid_request,
    not_found,
    not_supported,
)
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.routes.tenancy import naming_hub, tenant_of
from dothi.facades.ngsi_ld.wire.answers import empty, raw_answer
from dothi.facades.ngsi_ld.wire.negotiation import (
    JSON,
    LD_JSON,
    choose_media_type,
    content_media_type,
)
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import check_length, decode, read_body
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.ports.ld_contexts import ContextKind, KeptContext

_CORE_FOLDER = CORE_URL.rpartition("/")[0]
_SHIPPED = "it ships with the program or stands in its settings"
_MAX_BYTES = 1 << 20


def add_handler(library: ContextLibrary, root: str) -> Handler:
    """Add @context (5.13.2)."""

    async def add(request: Request) -> Response:
        Parameters(request, frozenset())
        check_length(request)
        content_media_type(request.headers.get("content-type", ""), (JSON, LD_JSON))
        document = decode(await read_body(request, _MAX_BYTES))
        if not isinstance(document, dict) or "@context" not in document:
            raise invalid_request("the body must be a JSON object with a member @context")
        check_local(document["@context"])
        kept = await library.host(document["@context"], tenant_of(request), ContextKind.HOSTED)
        return empty(201, {"location": f"{root}{PATH}{kept.id}"})

    return naming_hub(guarded(add))


def list_handler(library: ContextLibrary, base: "BaseUrl") -> Handler:
    """List @contexts (5.13.3)."""

    async def listing(request: Request) -> Response:
        parameters = Parameters(request, frozenset({"details", "kind"}))
        choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        kinds = [_kind(parameters.text("kind"))] if "kind" in parameters else list(ContextKind)
        details = parameters.is_true("details")
        found = [c for c in await library.everything(tenant_of(request)) if c.kind in kinds]
        shipped = _shipped(library) if ContextKind.CACHED in kinds else []
        here = base(request)
        if not details:
            return raw_answer([*shipped, *(_url(c, here) for c in found)], JSON)
        return raw_answer([*map(_fixed, shipped), *(_details(c, here) for c in found)], JSON)

    return naming_hub(guarded(listing))


def serve_handler(library: ContextLibrary, base: "BaseUrl") -> Handler:
    """Serve @context (5.13.4)."""

    async def serve(request: Request) -> Response:
        name = _name_of(request)
        parameters = Parameters(request, frozenset({"details"}))
        media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        details = parameters.is_true("details")
        if (url := _core_url(name)) is not None:
            return _core_answer(request, url, details=details)
        if name in library.preloaded and details:
            return raw_answer(_fixed(name), JSON)
        kept = await library.find(name, tenant_of(request))
        if kept is None and name not in library.preloaded:
            raise not_found(f"there is no @context {name} here")
        if kept is None or (kept.kind is ContextKind.CACHED and not details):
            raise not_supported(f"{name} is a cached copy; read it where it comes from")
        content = _details(kept, base(request)) if details else await library.document(kept)
        library.note_use(kept)
        return raw_answer(content, JSON if details else media)

    return naming_hub(guarded(serve))


def delete_handler(library: ContextLibrary) -> Handler:
    """Delete and Reload @context (5.13.5)."""

    async def delete(request: Request) -> Response:
        name = _name_of(request)
        reloads = Parameters(request, frozenset({"reload"})).is_true("reload")
        if _core_url(name) is not None or name in library.preloaded:
            if reloads:
                return empty()  # It is as new as it can be here: it is never fetched.
            raise bad_request_data(f"{name} cannot be deleted: {_SHIPPED}")
        kept = await library.find(name, tenant_of(request))
        if reloads:
            await _reload(library, name, kept)
        elif kept is None:
            raise not_found(f"there is no @context {name} here")
        else:
            await library.remove(kept)
        return empty()

    return naming_hub(guarded(delete))


async def _reload(library: ContextLibrary, name: str, kept: KeptContext | None) -> None:
    if kept is None or kept.kind is not ContextKind.CACHED:
        raise bad_request_data(f"reload works on cached @contexts only, and {name} is none")
    try:
        await library.reload(kept)
    except NgsiError as error:
        raise context_not_available(f"{error.detail}; the stored copy stays") from error


class BaseUrl:
    """The URL of this API as the one who asks reaches it."""

    def __init__(self, public_url: str, root: str) -> None:
        self._fixed = public_url.rstrip("/") + root if public_url else ""
        self._root = root

    def __call__(self, request: Request) -> str:
        return self._fixed or f"{request.url.scheme}://{request.url.netloc}{self._root}"


def _name_of(request: Request) -> str:
    name: str = request.path_params["name"].removesuffix("/")
    return name


def _kind(text: str) -> ContextKind:
    try:
        return ContextKind(text)
    except ValueError as error:
        raise bad_request_data(
            f"parameter kind is {text!r}; it can be {', '.join(ContextKind)}"
        ) from error


def _core_url(name: str) -> str | None:
    """URL of the core @context that is meant, by its URL or its file name."""
    url = name if is_core_url(name) else f"{_CORE_FOLDER}/{name}"
    return url if is_core_url(url) else None


def _core_answer(request: Request, url: str, *, details: bool) -> Response:
    if details:
        return raw_answer(_fixed(url), JSON)
    media = choose_media_type(request.headers.get("accept", ""), (LD_JSON, JSON))
    return raw_answer(core_document(url), media)


def _shipped(library: ContextLibrary) -> list[str]:
    return [CORE_URL, *library.preloaded]


def _url(kept: KeptContext, here: str) -> str:
    return kept.url or f"{here}{PATH}{kept.id}"


def _fixed(url: str) -> dict[str, Any]:
    return {
        "URL": url,
        "localId": url.rpartition("/")[2] if is_core_url(url) else url,
        "kind": str(ContextKind.CACHED),
        "createdAt": "1970-01-01T00:00:00Z",
        "extraInfo": {"note": _SHIPPED},
    }


def _details(kept: KeptContext, here: str) -> dict[str, Any]:
    """5.13.3.5. The expiry stands in extraInfo: clients are known to expect no further member."""
    found: dict[str, Any] = {
        "URL": _url(kept, here),
        "localId": kept.id,
        "kind": str(kept.kind),
        "createdAt": format_date_time(kept.created_at),
        "numberOfHits": kept.hits,
    }
    if kept.used_at is not None:
        found["lastUsage"] = format_date_time(kept.used_at)
    if kept.expires_at is not None:
        found["extraInfo"] = {"expiresAt": format_date_time(kept.expires_at)}
    return found
