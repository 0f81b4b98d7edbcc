"""The header `Prefer: ngsi-ld=<version>` (clauses 6.3.6, 4.3.6.8).

An entity that had to be altered comes with status 203 (6.5.3.1).
"""

import re
from collections.abc import Awaitable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.routes.guard import Handler
from dothi.facades.ngsi_ld.wire.backwards import NEWEST, Version, conform

_PREFERENCE = re.compile(
    r"(?:^|[,;\s])ngsi-ld\s*=\s*\"?(\d{1,3})\.(\d{1,3})(?:\.\d+)?\"?(?=$|[,;\s])", re.IGNORECASE
)


def preferring(handler: Handler, *, gives_entities: bool) -> Handler:
    """The handler, whose answers follow the preference and say so."""

    def answer(request: Request) -> Awaitable[Response]:
        return preferred(request) if "prefer" in request.headers else handler(request)

    async def preferred(request: Request) -> Response:
        response = await handler(request)
        wanted = request.headers["prefer"]
        if response.status_code not in {200, 206} or not response.body:
            return response
        version = _version(wanted)
        if version is None:
            return response
        if gives_entities and version < NEWEST:
            whole = msgspec.json.decode(response.body)
            document = conform(whole, version)
            if document != whole:
                response.body = msgspec.json.encode(document)
                response.headers["content-length"] = str(len(response.body))
                if response.status_code == 200:
                    response.status_code = 203
        applied = min(version, NEWEST)
        response.headers["Preference-Applied"] = f"ngsi-ld={applied[0]}.{applied[1]}"
        return response

    return answer


def _version(prefer: str) -> Version | None:
    """The version that is asked for; what cannot be read is no preference (RFC 7240)."""
    found = _PREFERENCE.search(prefer)
    return (int(found[1]), int(found[2])) if found else None
