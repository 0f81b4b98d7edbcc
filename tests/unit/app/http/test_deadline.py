"""Requests that do not arrive are cut; slow ones that do arrive, and slow answers, are not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from dothi.app.config.sections import ServerSettings
from dothi.app.http.server import HttpServer, bind

TIMEOUT_S = 0.3
HANGS_S = 60.0
"""After so long nothing is coming, however busy the machine is."""
POST = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n"


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _slow(request: Request) -> Response:
    await asyncio.sleep(2.5 * TIMEOUT_S)
    return PlainTextResponse("late")


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    settings = ServerSettings(port=0, request_timeout_s=TIMEOUT_S, graceful_stop_s=1)
    routes = [Route("/echo", _echo, methods=["POST"]), Route("/slow", _slow)]
    sock = bind(settings)
    server = HttpServer(Router(routes), sock, settings)
    await server.start()
    server.port = sock.getsockname()[1]  # type: ignore[attr-defined]
    yield server
    await server.stop()


@asynccontextmanager
async def _connected(
    server: HttpServer,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    port = server.port  # type: ignore[attr-defined]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


def _cut(server: HttpServer) -> object:
    [measure] = server.measures()
    return measure.samples[0][1]


@pytest.mark.parametrize("sent", [b"", b"GET /slow HTTP/1.1\r\nhost: x\r\n", POST + b"abc"])
async def test_what_never_arrives_is_cut_and_counted(server: HttpServer, sent: bytes) -> None:
    async with _connected(server) as (reader, writer):
        writer.write(sent)
        assert await asyncio.wait_for(reader.read(), HANGS_S) == b""
    assert _cut(server) == 1


async def test_a_head_in_drops_does_not_win_time(server: HttpServer) -> None:
    async with _connected(server) as (reader, writer):

        async def drip() -> None:
            writer.write(b"GET /slow HTTP/1.1\r\nx: ")
            while True:
                writer.write(b"y")
                await asyncio.sleep(TIMEOUT_S / 10)

        dripping = asyncio.create_task(drip())
        # What was dripped and not read yet makes the system reset the connection.
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), HANGS_S) == b""
        dripping.cancel()
    assert _cut(server) == 1


async def test_a_half_request_after_a_whole_one_is_cut(server: HttpServer) -> None:
    async with _connected(server) as (reader, writer):
        writer.write(POST + b"abcdef" + b"GET /slow HT")
        said = await asyncio.wait_for(reader.read(), HANGS_S)
    assert said.endswith(b"abcdef")
    assert _cut(server) == 1


async def test_a_body_that_makes_progress_is_read_to_its_end(server: HttpServer) -> None:
    async with _connected(server) as (reader, writer):
        writer.write(POST)
        for byte in b"abcdef":
            await asyncio.sleep(TIMEOUT_S / 2)
            writer.write(bytes([byte]))
        said = await asyncio.wait_for(reader.readuntil(b"abcdef"), HANGS_S)
    assert said.startswith(b"HTTP/1.1 200")
    assert _cut(server) == 0


async def test_a_slow_answer_is_waited_for(server: HttpServer) -> None:
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{server.port}/slow"  # type: ignore[attr-defined]
        assert (await client.get(url)).text == "late"
    assert _cut(server) == 0
