"""Endpoints behind a real socket: what a test of a door or of the API talks to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
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
async def serve(
    endpoints: Sequence[Endpoint], person: Principal = ADMINISTRATOR
) -> AsyncIterator[str]:
    """Base address. A Bearer token is taken as a source id; without one it is `person`."""
    # Named TCP, so that answers leave at once: asyncio sets TCP_NODELAY on such sockets only.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = _PromptServer(
        uvicorn.Config(
            _application(endpoints, person),
            log_level="error",
            timeout_graceful_shutdown=1,
            lifespan="off",
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.end()
        await task


class _PromptServer(uvicorn.Server):
    """Ends as soon as its clients are gone; uvicorn's own looks and waits 0.1 s at a time."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for _ in range(20):
            if not self.server_state.connections and not self.server_state.tasks:
                for listener in sockets or []:
                    listener.close()
                return
            await asyncio.sleep(0.002)
        await super().shutdown(sockets)


def client_of(address: str, **options: Any) -> httpx.AsyncClient:
    """A client for plain HTTP: reading the certificates of the system takes 50 ms of each test."""
    return httpx.AsyncClient(base_url=address, verify=False, **options)


def _application(endpoints: Sequence[Endpoint], person: Principal) -> Starlette:
    routes = [_route(endpoint, person) for endpoint in endpoints]
    handlers: dict[Any, Any] = {
        Problem: _problem,
        Overloaded: _overloaded,
        StoreUnavailable: _unavailable,
    }
    return Starlette(routes=routes, exception_handlers=handlers)


def _route(endpoint: Endpoint, person: Principal) -> Route | WebSocketRoute:
    if endpoint.method == "WS":

        async def socket_handler(websocket: WebSocket) -> None:
            websocket.state.principal = _principal(
                websocket.headers.get("authorization", ""), person
            )
            await endpoint.handler(websocket)

        return WebSocketRoute(endpoint.path, socket_handler)

    async def handler(request: Request) -> Response:
        request.state.principal = _principal(request.headers.get("authorization", ""), person)
        answer: Response = await endpoint.handler(request)
        return answer

    return Route(endpoint.path, handler, methods=[endpoint.method])


def _principal(authorization: str, person: Principal) -> Principal:
    token = authorization.removeprefix("Bearer ").strip()
    return device(token) if token else person


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
