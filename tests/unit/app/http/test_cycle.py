"""Small answers leave in one write; streams, pipelines, upgrades and closing stay right."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
import websockets
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.server import ServerState

from dothi.app.config.sections import ServerSettings
from dothi.app.http.deadline import Cuts, with_deadline
from dothi.app.http.server import HttpServer, bind

LARGE = 300_000
WAIT_S = 5.0


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _large(request: Request) -> Response:
    return Response(b"x" * LARGE)


async def _who(request: Request) -> Response:
    host, _ = request.client or ("-", 0)
    return PlainTextResponse(f"{host} {request.url.scheme}")


async def _empty(request: Request) -> Response:
    return Response(None, 204)


async def _pieces(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(40):
            yield b"%d" % (number % 10) * LARGE

    return StreamingResponse(pieces())


class Told:
    """What handlers of this file say to the test, and the other way round."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.left = asyncio.Event()


async def _waiting(request: Request) -> Response:
    told: Told = request.app.told

    async def pieces() -> AsyncIterator[bytes]:
        try:
            await told.go_on.wait()
            yield b"first"
            await asyncio.sleep(WAIT_S)
        finally:
            told.left.set()

    return StreamingResponse(pieces())


async def _broken(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def _short(scope: Scope, receive: Receive, send: Send) -> None:
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]}
    await send(head)
    await send({"type": "http.response.body", "body": b"short"})


async def _split(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"x-split", b"a\r\nset-cookie: b")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _empty_answer(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


class App(Router):
    """The routes of this file."""

    def __init__(self) -> None:
        self.told = Told()
        super().__init__(
            [
                Route("/echo", _echo, methods=["POST"]),
                Route("/large", _large),
                Route("/empty", _empty),
                Route("/who", _who),
                Route("/pieces", _pieces),
                Route("/waiting", _waiting),
                WebSocketRoute("/socket", _socket),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        raw = {"/broken": _broken, "/short": _short, "/split": _split}.get(scope["path"])
        await (raw or super().__call__)(scope, receive, send)


class Wire:
    """A server and what a test says to it."""

    def __init__(self, port: int, app: App) -> None:
        self.port = port
        self.told = app.told

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def said(self, request: bytes) -> bytes:
        """Everything that comes until the server closes."""
        reader, writer = await self.opened()
        writer.write(request)
        try:
            return await asyncio.wait_for(reader.read(), WAIT_S)
        finally:
            writer.close()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    settings, app = ServerSettings(port=0, graceful_stop_s=1), App()
    sock = bind(settings)
    server = HttpServer(app, sock, settings)
    await server.start()
    yield Wire(sock.getsockname()[1], app)
    await server.stop()


def _request(line: str, *headers: str, body: bytes = b"", closes: bool = True) -> bytes:
    lines = [f"{line} HTTP/1.1", "host: x", *headers, *(["connection: close"] if closes else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _post(body: bytes, *, closes: bool = True) -> bytes:
    return _request("POST /echo", f"content-length: {len(body)}", body=body, closes=closes)


class Written(asyncio.Transport):
    """A transport that notes what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def resume_reading(self) -> None:
        pass


def _protocol(**settings: Any) -> tuple[Any, Written]:
    config = uvicorn.Config(App(), lifespan="off", log_config=None, **settings)
    config.load()
    protocol = with_deadline(30, Cuts())(config=config, server_state=ServerState(), app_state={})
    transport = Written()
    protocol.connection_made(transport)
    return protocol, transport


async def test_a_small_answer_is_one_write() -> None:
    protocol, transport = _protocol()
    protocol.data_received(_post(b"abc", closes=False))
    await asyncio.wait_for(protocol.cycle.message_event.wait(), WAIT_S)
    await asyncio.sleep(0.01)
    [answer] = transport.writes
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nabc")
    protocol.connection_lost(None)


async def test_a_connection_without_a_next_request_is_closed() -> None:
    protocol, transport = _protocol(timeout_keep_alive=1)
    protocol.timeout_keep_alive = 0.1
    protocol.data_received(_post(b"abc", closes=False))
    await asyncio.sleep(0.05)
    assert transport.writes
    assert not transport.is_closed
    await asyncio.sleep(1.2)
    assert transport.is_closed
    assert protocol.cuts.count == 0


async def test_pipelined_requests_are_answered_in_turn(wire: Wire) -> None:
    said = await wire.said(
        _post(b"one", closes=False)
        + _request("GET /empty", closes=False)
        + _request("HEAD /large", closes=False)
        + _post(b"two")
    )
    assert [said.index(part) for part in (b"one", b" 204 ", b"content-length: 300000", b"two")] == (
        sorted(said.index(part) for part in (b"one", b" 204 ", b"content-length: 300000", b"two"))
    )
    assert said.count(b"HTTP/1.1 ") == 4
    assert b"xxx" not in said


@pytest.mark.parametrize("is_garbage", [True, False])
async def test_an_answer_that_is_held_comes_before_what_ends_the_connection(
    is_garbage: bool,
) -> None:
    protocol, transport = _protocol()
    done = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await _empty_answer(send)
        if is_garbage:
            protocol.data_received(b"\x00 garbage\r\n\r\n")
        else:
            protocol.shutdown()
        done.set()

    protocol.app = app
    protocol.data_received(_request("GET /", closes=False))
    await asyncio.wait_for(done.wait(), WAIT_S)
    expected = [b"HTTP/1.1 204", b"HTTP/1.1 400"] if is_garbage else [b"HTTP/1.1 204"]
    assert [write[:12] for write in transport.writes] == expected
    assert transport.is_closed


@pytest.mark.parametrize(("path", "size"), [("/large", LARGE), ("/pieces", 40 * LARGE)])
async def test_a_slow_reader_gets_all_of_it(wire: Wire, path: str, size: int) -> None:
    reader, writer = await wire.opened()
    writer.write(_request(f"GET {path}"))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S)
    await asyncio.sleep(0.1)
    body = await asyncio.wait_for(reader.read(), WAIT_S)
    writer.close()
    if b"chunked" in head:
        body = b"".join(part for part in body.split(b"\r\n") if len(part) == LARGE)
    assert len(body) == size


async def test_the_head_of_a_stream_does_not_wait_for_its_first_piece(wire: Wire) -> None:
    reader, writer = await wire.opened()
    writer.write(_request("GET /waiting"))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S)
    assert b"transfer-encoding: chunked" in head
    wire.told.go_on.set()
    assert await asyncio.wait_for(reader.readuntil(b"first\r\n"), WAIT_S) == b"5\r\nfirst\r\n"
    writer.close()
    await asyncio.wait_for(wire.told.left.wait(), WAIT_S)


async def test_continue_is_said_before_the_body(wire: Wire) -> None:
    reader, writer = await wire.opened()
    writer.write(_request("POST /echo", "content-length: 3", "expect: 100-continue"))
    asked = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S)
    assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"abc")
    assert (await asyncio.wait_for(reader.read(), WAIT_S)).endswith(b"\r\n\r\nabc")
    writer.close()


async def test_a_websocket_is_opened_on_the_same_port(wire: Wire) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{wire.port}/socket") as socket:
        await socket.send("hello")
        assert await socket.recv() == "hello"


async def test_http_1_0_closes_after_the_answer(wire: Wire) -> None:
    said = await wire.said(b"POST /echo HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc")
    assert b"\r\nconnection: close\r\n" in said
    assert said.endswith(b"abc")


@pytest.mark.parametrize(("path", "end"), [("/broken", b""), ("/short", b"\r\n\r\nshort")])
async def test_an_answer_that_breaks_off_closes_the_connection(
    wire: Wire, path: str, end: bytes
) -> None:
    said = await wire.said(_request(f"GET {path}", closes=False))
    assert said.endswith(end)


async def test_a_header_cannot_be_split(wire: Wire) -> None:
    assert b"set-cookie" not in await wire.said(_request("GET /split", closes=False))


async def test_a_proxy_on_this_machine_says_who_asks(wire: Wire) -> None:
    assert (await wire.said(_request("GET /who"))).endswith(b"\r\n\r\n127.0.0.1 http")
    headers = ("X-Forwarded-For: 10.1.2.3", "X-Forwarded-Proto: https")
    assert (await wire.said(_request("GET /who", *headers))).endswith(b"\r\n\r\n10.1.2.3 https")
