"""The core @contexts that ship with the program (clause 6.28, reading only)."""

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.core import CORE_URL, core_document, is_core_url
from dothi.facades.ngsi_ld.errors import not_found
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.wire.answers import raw_answer
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON

_FOLDER = CORE_URL.rpartition("/")[0]


def serve_handler() -> Handler:
    async def serve(request: Request) -> Response:
        name: str = request.path_params["name"].removesuffix("/")
        url = name if is_core_url(name) else f"{_FOLDER}/{name}"
        if not is_core_url(url):
            raise not_found(f"there is no @context {name}; the core is {CORE_URL}")
        return raw_answer(core_document(url), LD_JSON)

    return guarded(serve)


def list_handler() -> Handler:
    async def listing(_request: Request) -> Response:
        return raw_answer([CORE_URL], JSON)

    return guarded(listing)
