"""The HTTP server as a Service: uvicorn on a socket that is bound before anything else starts."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn._types import ASGISendEvent
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from dothi.app.config.sections import ServerSettings
from dothi.app.http.deadline import Cuts, with_deadline
from dothi.model.measure import Measure, counter
from dothi.model.problem import Problem

_BACKLOG = 2048
_BAD_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def bind(settings: ServerSettings) -> socket.socket:
    """Take the address. Raises Problem: it is taken or not ours."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise Problem(
            "port_unusable",
            "The HTTP port cannot be used",
            str(error),
            where=f"server.host={settings.host} server.port={settings.port}",
            remedy="stop what uses it (`dothi doctor` tells), or choose another with --port",
        ) from error


def address_of(sock: socket.socket) -> str:
    """`http://host:port` of a bound socket, as a browser on this machine opens it."""
    host, port = sock.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Leaves signals to the one who runs the whole program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Forwarded:
    """Believes the headers of a proxy on this machine; without such headers it costs nothing."""

    def __init__(self, app: ASGIApp, trusted: list[str] | str) -> None:
        self._app = app
        self._read = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        for name, _ in scope["headers"]:
            if name.startswith(b"x-forwarded-"):
                return self._read(scope, receive, send)  # type: ignore[arg-type]
        return self._app(scope, receive, send)


class _Sockets(WebSocketsSansIOProtocol):
    """A refusal by an answer ends the handshake; uvicorn logs it as an error of the application.

    A handshake that the library cannot read would get no answer at all, and no end.
    """

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            self.transport.write(_BAD_HANDSHAKE)
            self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True


class HttpServer:
    """Serves an ASGI app until stopped; open requests get `graceful_stop_s` to end."""

    name = "http"

    def __init__(self, app: ASGIApp, sock: socket.socket, settings: ServerSettings) -> None:
        self._app = app
        self._socket = sock
        self._settings = settings
        self._cuts = Cuts()
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    def measures(self) -> Sequence[Measure]:
        cut = "Connections cut because a request did not arrive in time."
        return [counter("dothi_http_timeouts_total", cut, self._cuts.count)]

    async def start(self) -> None:
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            loop="none",
            http=with_deadline(self._settings.request_timeout_s, self._cuts),
            ws=_Sockets,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_max_size=1 << 20,
            # Live deltas are encoded once for all viewers; compressing them again for each would
            # cost tens of milliseconds of the event loop per delta and viewer.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=round(self._settings.graceful_stop_s),
        )
        config.app = _Forwarded(self._app, config.forwarded_allow_ips)
        server = _Server(config)
        self._server = server
        self._task = asyncio.create_task(server.serve(sockets=[self._socket]))
        while not server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.005)

    async def wait(self) -> None:
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._socket.close()
