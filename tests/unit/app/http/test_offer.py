"""Requests that offer another protocol are answered whole, and what follows them too."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from dothi.app.config.sections import ServerSettings
from dothi.app.http.server import HttpServer, bind

HTTP_2 = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
SOCKET = (
    b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
WHOLE = b"content-length: 6\r\n\r\nabcdef"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
PLAIN = b"GET /echo?plain HTTP/1.1\r\nhost: x\r\n\r\n"


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body() or request.url.query)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    settings = ServerSettings(port=0, request_timeout_s=5, graceful_stop_s=1)
    sock = bind(settings)
    server = HttpServer(Router([Route("/echo", _echo, methods=["GET", "POST"])]), sock, settings)
    await server.start()
    yield sock.getsockname()[1]
    await server.stop()


async def _said(port: int, pieces: Sequence[bytes], until: bytes) -> bytes:
    """What comes back until it ends so."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b""
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    async with asyncio.timeout(10):
        while not said.endswith(until):
            more = await reader.read(65536)
            assert more, said
            said += more
    writer.close()
    return said


@pytest.mark.parametrize("offer", [HTTP_2, SOCKET, b"upgrade: x\r\n", b"connection: upgrade\r\n"])
@pytest.mark.parametrize("body", [WHOLE, CHUNKED])
@pytest.mark.parametrize("size", [1000, 7])
async def test_a_body_behind_an_offer_is_read(
    port: int, offer: bytes, body: bytes, size: int
) -> None:
    sent = b"POST /echo HTTP/1.1\r\nhost: x\r\n" + offer + body + PLAIN
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    said = await _said(port, pieces, b"plain")
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert b"\r\n\r\nabcdefHTTP/1.1" in said


@pytest.mark.parametrize(
    "first",
    [
        b"GET /echo?first HTTP/1.1\r\nhost: x\r\n" + HTTP_2 + b"\r\n",
        b"GET /echo?first HTTP/1.1\r\nhost: x\r\n" + SOCKET + b"content-length: 0\r\n\r\n",
    ],
)
async def test_requests_may_follow_an_offer(port: int, first: bytes) -> None:
    said = await _said(port, [first * 3 + PLAIN], b"plain")
    assert said.count(b"\r\n\r\nfirst") == 3


async def test_a_body_is_never_a_request(port: int) -> None:
    hidden = b"GET /echo?hidden HTTP/1.1\r\nhost: x\r\n\r\n"
    head = b"POST /echo HTTP/1.1\r\nhost: x\r\n" + HTTP_2
    head += b"content-length: %d\r\n\r\n" % len(hidden)
    said = await _said(port, [head, hidden, PLAIN], b"plain")
    assert said.count(b"HTTP/1.1 200 OK") == 2


async def test_a_handshake_that_cannot_be_read_is_refused(port: int) -> None:
    """More header lines than the library takes."""
    head = b"GET /echo HTTP/1.1\r\nhost: x\r\n" + SOCKET + b"x: y\r\n" * 200 + b"\r\n"
    said = await _said(port, [head], b"connection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")


async def test_a_framing_that_cannot_be_read_is_refused(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nhost: x\r\n" + HTTP_2
    said = await _said(port, [head + CHUNKED.replace(b"3\r\n", b"z\r\n")], b"received.")
    assert b"HTTP/1.1 400 " in said
