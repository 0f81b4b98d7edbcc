"""Turns Endpoints into an ASGI router: identity, permission, errors."""

from collections import defaultdict
from collections.abc import Awaitable, Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from dothi.access.endpoint import Endpoint
from dothi.access.principal import require
from dothi.app.http.dispatch import Dispatch
from dothi.app.http.doorkeeper import Doorkeeper
from dothi.app.http.identity import Identity
from dothi.app.http.problems import Foreseen, render, respond
from dothi.app.http.repeats import KEY, OWN_API, Repeats
from dothi.app.http.request import QuickRequest
from dothi.model.problem import Problem

WEBSOCKET = "WS"
_POLICY = 1008
_FOR_MACHINES = ("/api/", "/ngsi-ld/")


class Mount:
    """Builds routes that check the permission of an Endpoint before its handler runs."""

    def __init__(self, identity: Identity, repeats: Repeats, max_body_bytes: int) -> None:
        self._identity = identity
        self._doorkeeper = Doorkeeper(identity)
        self._repeats = repeats
        self._max_body_bytes = max_body_bytes

    def router(self, endpoints: Sequence[Endpoint]) -> ASGIApp:
        """An app over all endpoints, fixed paths before those with parameters.

        Raises ValueError: two endpoints with the same method and path.
        """
        by_path: dict[str, dict[str, Endpoint]] = defaultdict(dict)
        for endpoint in endpoints:
            if endpoint.method in by_path[endpoint.path]:
                raise ValueError(f"{endpoint.method} {endpoint.path} is mounted twice")
            by_path[endpoint.path][endpoint.method] = endpoint
        page = by_path.get("/", {}).get("GET")
        paths = {path: _Path(self, by_path[path]) for path in sorted(by_path, key=_specific_first)}
        return _Router(Dispatch(paths), _Unknown(self, page))

    async def call(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = QuickRequest(scope, self._limited(receive), send)
        scope["endpoint_path"] = endpoint.path
        try:
            principal = await self._identity.principal_of(request)
            scope["principal"] = principal
            require(principal, endpoint.permission)
            scope.setdefault("state", {})["principal"] = principal  # what request.state shows
            if KEY in request.headers and scope["path"].startswith(OWN_API):
                response = await self._repeats.answer(request, principal, endpoint)
            else:
                response = await endpoint.handler(request)
        except Foreseen as error:
            response = render(error, scope["path"])
        if not endpoint.is_long_lived:
            await response(scope, receive, send)
        elif not await self._doorkeeper.lets(
            request, endpoint.permission, response(scope, receive, send)
        ):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def open(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one WebSocket."""
        socket = WebSocket(scope, receive, send)
        scope["endpoint_path"] = endpoint.path
        try:
            principal = await self._identity.principal_of(socket)
            scope["principal"] = principal
            require(principal, endpoint.permission)
            socket.state.principal = principal
        except Foreseen as error:
            await socket.send_denial_response(render(error))
            return
        work = endpoint.handler(socket)
        if not await self._doorkeeper.lets(socket, endpoint.permission, work):
            await socket.close(_POLICY, "signed out, or no longer allowed")

    def _limited(self, receive: Receive) -> Receive:
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise Problem(
                    "body_too_large",
                    "Too much at once",
                    f"the request body is larger than {self._max_body_bytes // 2**20} MB",
                    413,
                    remedy="send it in parts, or raise server.max_body_mb",
                )
            return message

        return limited


class _Router:
    """The ASGI app: every request to its path."""

    def __init__(self, paths: "Dispatch[_Path]", unknown: "_Unknown") -> None:
        self._paths = paths
        self._unknown = unknown

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        found = self._paths.find(scope["path"])
        if found is None or not found.target.speaks(scope["type"]):
            return self._unknown(scope, receive, send)
        scope["path_params"] = found.parameters
        return found.target(scope, receive, send)


class _Path:
    """All methods of one path."""

    def __init__(self, mount: Mount, endpoints: dict[str, Endpoint]) -> None:
        self._mount = mount
        self._socket = endpoints.pop(WEBSOCKET, None)
        self._endpoints = endpoints
        methods = {*endpoints, "OPTIONS"} | ({"HEAD"} if "GET" in endpoints else set())
        self._allow = ", ".join(sorted(methods))

    def speaks(self, kind: str) -> bool:
        """Whether this kind of connection (http, websocket) has an endpoint here."""
        return bool(self._endpoints) if kind == "http" else self._socket is not None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "websocket" and self._socket is not None:
            return self._mount.open(self._socket, scope, receive, send)
        method = scope["method"]
        endpoint = self._endpoints.get("GET" if method == "HEAD" else method)
        if endpoint is not None:
            return self._mount.call(endpoint, scope, receive, send)
        if method == "OPTIONS":
            return Response(None, 204, {"allow": self._allow})(scope, receive, send)
        problem = Problem(
            "method_not_allowed",
            "Method not allowed",
            f"{method} does not work on this path",
            405,
            where=scope["path"],
            remedy=f"use one of: {self._allow}",
        )
        response = respond(problem, headers={"allow": self._allow}, path=scope["path"])
        return response(scope, receive, send)


class _Unknown:
    """Paths that nobody serves: browsers get the console's page, which says so and leads back."""

    def __init__(self, mount: Mount, page: Endpoint | None) -> None:
        self._mount = mount
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._page is not None and _is_for_a_person(scope):
            await self._mount.call(self._page, scope, receive, _with_status(404, send))
            return
        problem = Problem(
            "not_found",
            "Nothing here",
            "no such path",
            404,
            where=scope["path"],
            remedy="/api/openapi.json lists every path",
        )
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(respond(problem))
            return
        await respond(problem, path=scope["path"])(scope, receive, send)


def _is_for_a_person(scope: Scope) -> bool:
    """Whether a browser opens this as a page."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return False
    if scope["path"].startswith(_FOR_MACHINES):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _with_status(status: int, send: Send) -> Send:
    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            message["status"] = status
        await send(message)

    return changed


def _specific_first(path: str) -> tuple[tuple[int, str], ...]:
    """Sorts `/a/b` before `/a/{x}` before `/{rest:path}`, and `/{rest:path}/b` before the last."""
    parts = [(2 if ":path}" in part else 1 if "{" in part else 0, part) for part in path.split("/")]
    return (*parts, (3, ""))
