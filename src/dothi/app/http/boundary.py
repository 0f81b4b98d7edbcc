"""The outermost layer of HTTP: security headers, request log and figures, unforeseen errors."""

import logging
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Sequence

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dothi.app.http.problems import respond
from dothi.app.logs import Answered
from dothi.model.measure import Histogram, Measure, gauge
from dothi.model.problem import Problem

log = logging.getLogger("dothi.http")

_CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "worker-src 'self' blob:",  # maplibre's worker
        "img-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline'",  # maplibre and uPlot place elements by style
        "connect-src 'self'",
        "font-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "content-security-policy": _CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(self), payment=()",
}
"""Set where the handler has not set its own."""
_SECURITY = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_NO_STORE = (b"cache-control", b"no-store")
_UNSTORED = [*_SECURITY, _NO_STORE]
_SET_HERE = frozenset(name for name, _ in _UNSTORED)

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Boundary:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, log_requests: bool) -> None:
        self._app = app
        self._answered_log = Answered(log) if log_requests else None
        self._answered: Counter[tuple[str, str, int]] = Counter()
        self._seconds = Histogram(_SECONDS)
        self._open = {"http": 0, "websocket": 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in self._open:
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        self._open[kind] += 1
        try:
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.status = exchange.status or 499
        except Exception:
            await exchange.fail(receive)
        finally:
            self._open[kind] -= 1
            self._note(exchange)

    def measures(self) -> Sequence[Measure]:
        answered = [
            ({"method": method, "path": path, "status": str(status)}, float(count))
            for (method, path, status), count in sorted(self._answered.items())
        ]
        return [
            Measure("dothi_http_requests_total", "counter", "Answered requests.", answered),
            Measure("dothi_http_seconds", "histogram", "Time to answer.", [({}, self._seconds)]),
            gauge("dothi_http_open_requests", "Requests being answered.", self._open["http"]),
            gauge("dothi_websockets_open", "Open WebSockets.", self._open["websocket"]),
        ]

    def _note(self, exchange: "_Exchange") -> None:
        scope, seconds = exchange.scope, time.perf_counter() - exchange.started
        method = scope.get("method", "WS")
        self._answered[method, scope.get("endpoint_path", "(none)"), exchange.status] += 1
        if scope["type"] == "http":
            self._seconds.observe(seconds)
        if self._answered_log is not None:
            principal = scope.get("principal")
            fields = {
                "ms": round(seconds * 1000, 1),
                "who": principal.name if principal else "-",
                "client": (scope.get("client") or ("-",))[0],
            }
            self._answered_log.say(f"{method} {scope['path']} {exchange.status}", fields)


class _Exchange:
    """One request and what became of it."""

    __slots__ = ("_send", "scope", "started", "status")

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self.status = 0
        self.started = time.perf_counter()
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            self.status = message["status"]
            self._add_headers(message)
        elif kind == "websocket.accept":
            self.status = 101
        return self._send(message)

    async def fail(self, receive: Receive) -> None:
        """A fault of ours: the log gets all of it, the caller an id to ask with."""
        fault = secrets.token_hex(6)
        log.exception("unexpected error %s at %s", fault, self.scope["path"])
        if self.status == 0 and self.scope["type"] == "http":
            problem = Problem(
                "internal_error",
                "Something broke here",
                f"the log has it under {fault}",
                500,
                remedy="tell the administrator this id",
            )
            await respond(problem, path=self.scope["path"])(self.scope, receive, self.send)
        elif self.scope["type"] == "websocket":
            await self._send({"type": "websocket.close", "code": 1011})

    def _add_headers(self, message: Message) -> None:
        headers = message.get("headers", ())
        added = _UNSTORED if self.scope["path"].startswith("/api/") else _SECURITY
        own = {name for name, _ in headers if name in _SET_HERE}
        if own:
            added = [header for header in added if header[0] not in own]
        message["headers"] = [*headers, *added]
