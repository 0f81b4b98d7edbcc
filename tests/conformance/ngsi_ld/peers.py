"""Other brokers for tests: a recorder that answers from stubs, and registrations of sources."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from tests.conformance.ngsi_ld.broker import ROOT, Running

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from serving import serve

CAR = "urn:ngsi-ld:Vehicle:1"
OPEN = NgsiLdSettings(egress_allow=("127.0.0.1",), forward_timeout_s=20.0)
READS = ["retrieveOps"]
ALL = ["redirectionOps", "createBatch", "upsertBatch", "updateBatch", "deleteBatch", "mergeBatch"]


@dataclass
class Recorded:
    method: str
    path: str
    """Below /ngsi-ld/v1."""
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Recorder:
    """A context source that answers what it was told to, else 404."""

    url: str = ""
    stubs: dict[tuple[str, str], Response] = field(default_factory=dict)
    requests: list[Recorded] = field(default_factory=list)

    def answer(self, method: str, path: str, status: int, body: Any = None, **headers: str) -> None:
        raw = (
            body if isinstance(body, bytes) else None if body is None else msgspec.json.encode(body)
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.stubs[method, path] = Response(raw, status, named, "application/json")

    async def handle(self, request: Request) -> Response:
        raw = await request.body()
        path = request.url.path.removeprefix(ROOT)
        self.requests.append(
            Recorded(
                request.method,
                path,
                dict(request.query_params),
                dict(request.headers),
                msgspec.json.decode(raw) if raw else None,
            )
        )
        return self.stubs.get((request.method, path.rstrip("/")), Response(b"", 404))

    @property
    def last(self) -> Recorded:
        return self.requests[-1]


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    found = Recorder()
    endpoints = [
        Endpoint(method, "/{path:path}", Permission.PUBLIC, found.handle, "Anything")
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE")
    ]
    async with serve(endpoints) as url:
        found.url = url
        yield found


async def register(
    door: Running,
    endpoint: str,
    *,
    uri: str = "urn:ngsi-ld:ContextSourceRegistration:1",
    entities: list[dict[str, Any]] | None = None,
    names: list[str] | None = None,
    **members: Any,
) -> str:
    """Register a source; by default for all entities of type Vehicle."""
    information: dict[str, Any] = {"entities": entities or [{"type": "Vehicle"}]}
    if names:
        information["propertyNames"] = names
    body = {
        "id": uri,
        "type": "ContextSourceRegistration",
        "information": [information],
        "endpoint": endpoint,
        **members,
    }
    answer = await door.send("POST", "/csourceRegistrations", body)
    assert answer.status_code == 201, answer.text
    return uri


def car(uri: str = CAR, **attributes: Any) -> dict[str, Any]:
    return {"id": uri, "type": "Vehicle", **attributes}


def prop(value: Any, **members: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, **members}


def url_of(door: Running) -> str:
    return str(door.http.base_url)
