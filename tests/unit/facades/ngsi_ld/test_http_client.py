"""The client for other brokers against real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dothi.access.egress import egress_policy
from dothi.facades.ngsi_ld.distributed.http_client import (
    HttpClient,
    PeerError,
    PeerTimeout,
    PeerTooLarge,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Peer:
    """Answers each request with the next of its answers; counts its connections."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                answer = self.answers.pop(0)
                writer.write(answer)
                await writer.drain()
                if b"chunked" not in answer and b"Content-Length" not in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def peer(*answers: bytes) -> AsyncIterator[Peer]:
    found = Peer(*answers)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?a=b"
    try:
        yield found
    finally:
        server.close()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    found = HttpClient(egress_policy(("127.0.0.1",)), 1000)
    yield found
    await found.close()


async def test_one_connection_serves_many_requests(client: HttpClient) -> None:
    async with peer(OK, OK) as found:
        for _ in range(2):
            answer = await client.request("GET", found.url, {"X-A": "1"}, b"", 1)
            assert (answer.status, answer.body) == (200, b"hi")
    assert found.connections == 1
    assert found.requests[0].startswith(b"GET /x?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"X-A: 1\r\n" in found.requests[0]
    assert b"Content-Length" not in found.requests[0]


async def test_a_connection_that_was_closed_meanwhile_is_opened_again(client: HttpClient) -> None:
    async with peer(OK) as found:
        await client.request("GET", found.url, {}, b"", 1)
        await asyncio.sleep(0.02)
        found.answers = [OK]
        assert (await client.request("GET", found.url, {}, b"", 1)).body == b"hi"
    assert found.connections == 2


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 201 Created\r\n\r\n", 201, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            200,
            b"abc",
        ),
    ],
)
async def test_ways_to_end_a_body(
    client: HttpClient, answer: bytes, status: int, body: bytes
) -> None:
    async with peer(answer) as found:
        got = await client.request("POST", found.url, {}, b"{}", 1)
    assert (got.status, got.body) == (status, body)
    assert b"Content-Length: 2\r\n" in found.requests[0]


async def test_repeated_headers_are_joined(client: HttpClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 0\r\n\r\n"
    async with peer(answer) as found:
        assert (await client.request("GET", found.url, {}, b"", 1)).headers["a"] == "1, 2"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"nonsense\r\n\r\n", PeerError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", PeerTimeout),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, PeerTooLarge),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 2000, PeerTooLarge),
    ],
)
async def test_bad_answers(client: HttpClient, answer: bytes, error: type[Exception]) -> None:
    async with peer(answer, OK) as found:
        with pytest.raises(error):
            await client.request("GET", found.url, {}, b"", 0.1)


async def test_closed_and_forbidden_addresses(client: HttpClient) -> None:
    async with peer(OK) as found:
        closed = found.url
        with pytest.raises(PeerError, match="egress policy"):
            await HttpClient(egress_policy(), 1000).request("GET", found.url, {}, b"", 1)
        assert found.connections == 0
    with pytest.raises(PeerError):
        await client.request("GET", closed, {}, b"", 1)


async def test_nothing_can_be_smuggled_into_a_header(client: HttpClient) -> None:
    async with peer(OK) as found:
        for value in ("a\r\nB: c", "a\nB: c", "ộ"):
            with pytest.raises(PeerError):
                await client.request("GET", found.url, {"A": value}, b"", 1)
    assert found.requests == []
