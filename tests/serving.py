"""Endpoints behind a real socket: what a test of a door or of the API talks to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dothi.access.endpoint import Endpoint
from dothi.access.principal import ADMINISTRATOR, Principal, device
from dothi.model.problem import Overloaded, Problem, StoreUnavailable


@asynccontextmanager
async def serve(endpoints: Sequence[Endpoint]) -> AsyncIterator[str]:
    """Base address. A Bearer token is taken as a source id; without one it is the administrator."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(_application(endpoints), log_level="error", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def _application(endpoints: Sequence[Endpoint]) -> Starlette:
    routes = [_route(endpoint) for endpoint in endpoints]
    handlers: dict[Any, Any] = {
        Problem: _problem,
        Overloaded: _overloaded,
        StoreUnavailable: _unavailable,
    }
    return Starlette(routes=routes, exception_handlers=handlers)


def _route(endpoint: Endpoint) -> Route | WebSocketRoute:
    if endpoint.method == "WS":

        async def socket_handler(websocket: WebSocket) -> None:
            websocket.state.principal = _principal(websocket.headers.get("authorization", ""))
            await endpoint.handler(websocket)

        return WebSocketRoute(endpoint.path, socket_handler)

    async def handler(request: Request) -> Response:
        request.state.principal = _principal(request.headers.get("authorization", ""))
        answer: Response = await endpoint.handler(request)
        return answer

    return Route(endpoint.path, handler, methods=[endpoint.method])


def _principal(authorization: str) -> Principal:
    token = authorization.removeprefix("Bearer ").strip()
    return device(token) if token else ADMINISTRATOR


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    body = {
        "code": error.code,
        "title": error.title,
        "detail": error.detail,
        "status": error.status,
        "where": error.where,
        "remedy": error.remedy,
    }
    return Response(msgspec.json.encode(body), error.status, media_type="application/problem+json")


async def _overloaded(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Overloaded)
    return Response(b"", 429, {"retry-after": str(error.retry_after_s)})


async def _unavailable(_request: Request, _error: Exception) -> Response:
    return Response(b"", 503, {"retry-after": "5"})
