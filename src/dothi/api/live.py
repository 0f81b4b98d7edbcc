"""The live view over a WebSocket, and over server-sent events where sockets do not pass."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.deps import ApiDeps
from dothi.api.query import decode_query
from dothi.live.hub import LiveHub
from dothi.model.problem import Problem, StoreUnavailable

_log = logging.getLogger(__name__)

HELLO_S = 10.0
"""A viewer that has said nothing for this long after connecting is sent away."""
_POLICY, _RESTART, _TRY_LATER = 1008, 1012, 1013


class Hello(Struct):
    """The first message of a viewer: where it stands, `{}` when nowhere."""

    resume: Annotated[int, Meta(ge=0)] = 0
    epoch: str = ""


class SseQuery(Struct, forbid_unknown_fields=True):
    """Where the viewer stands; a reconnecting browser says it in Last-Event-ID."""

    resume: Annotated[int, Meta(ge=0)] = 0
    epoch: str = ""


class LiveHandlers:
    """Carries the hub's messages to one viewer each."""

    def __init__(self, hub: LiveHub) -> None:
        self._hub = hub

    async def socket(self, websocket: WebSocket) -> None:
        """Send until the viewer leaves or stops reading."""
        await websocket.accept()
        try:
            async with asyncio.timeout(HELLO_S):
                hello = msgspec.json.decode(await websocket.receive_text(), type=Hello)
        except (TimeoutError, KeyError, msgspec.DecodeError):
            await websocket.close(_POLICY, 'send {"resume": n, "epoch": e} or {} first')
            return
        except WebSocketDisconnect:
            return
        sending = asyncio.create_task(self._send(websocket, hello))
        leaving = asyncio.create_task(_until_gone(websocket))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.wait({sending, leaving})
        error = None if sending.cancelled() else sending.exception()
        if isinstance(error, TimeoutError | WebSocketDisconnect):
            _log.info("live viewer cut off: it did not read", extra={"cause": repr(error)})
        elif error is not None:
            raise error

    async def _send(self, websocket: WebSocket, hello: Hello) -> None:
        try:
            async with aclosing(self._hub.follow(hello.epoch, hello.resume)) as messages:
                async for text in messages:
                    async with asyncio.timeout(self._hub.settings.cut_off_s):
                        await websocket.send_text(text)
        except Problem as problem:
            await websocket.close(_RESTART, problem.detail)
        except StoreUnavailable as error:
            await websocket.close(_TRY_LATER, str(error)[:100])
        else:
            await websocket.close(_RESTART, "the program is stopping")

    async def events(self, request: Request) -> Response:
        """The same messages as server-sent events; the id of each is `epoch:n`."""
        asked = decode_query(request, SseQuery)
        hello = Hello(asked.resume, asked.epoch)
        epoch, _, number = request.headers.get("last-event-id", "").partition(":")
        if number.isdigit():
            hello = Hello(int(number), epoch)
        return EventStream(self._events(hello), self._hub.settings.cut_off_s)

    async def _events(self, hello: Hello) -> AsyncGenerator[bytes, None]:
        epoch = hello.epoch
        async with aclosing(self._hub.follow(hello.epoch, hello.resume)) as messages:
            async for text in messages:
                head = msgspec.json.decode(text, type=_Head)
                epoch = head.epoch or epoch
                yield f"id: {epoch}:{head.n}\ndata: {text}\n\n".encode()


class _Head(Struct):
    n: int
    epoch: str = ""


class EventStream(StreamingResponse):
    """Server-sent events that give up on a viewer that does not read."""

    def __init__(self, events: AsyncGenerator[bytes, None], cut_off_s: float) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(events, 200, headers, "text/event-stream")
        self._events = events
        self._cut_off_s = cut_off_s

    async def stream_response(self, send: Send) -> None:
        """Each event must be taken within `cut_off_s`."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self._events) as events:
            async for event in events:
                async with asyncio.timeout(self._cut_off_s):
                    await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(websocket: WebSocket) -> None:
    """Read and drop what the viewer says, until it leaves."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes of the live view."""
    handlers = LiveHandlers(deps.live)
    return [
        Endpoint(
            "WS", "/api/v1/live", Permission.READ, handlers.socket,
            "Snapshot and deltas of the live map", tags=("live",),
        ),
        Endpoint(
            "GET", "/api/v1/live/sse", Permission.READ, handlers.events,
            "The live view as server-sent events", query=SseQuery, tags=("live",),
            is_long_lived=True,
        ),
    ]  # fmt: skip
