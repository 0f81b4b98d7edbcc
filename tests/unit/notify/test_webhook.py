"""notify.webhook: an own HTTP/1.1 client, against real servers."""

import asyncio
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.receiver import Receiver, receiving

from dothi.access.egress import egress_policy
from dothi.notify.webhook.sender import WebhookSender
from dothi.ports.notifier import Message, Outcome

OPEN = egress_policy(("127.0.0.0/8", "::1/128"))


@asynccontextmanager
async def sending(verification: ssl.SSLContext | None = None) -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(OPEN, verification)
    try:
        yield sender
    finally:
        await sender.close()


def message(url: str, timeout_s: float = 5.0) -> Message:
    return Message(url, b'{"data": 1}', (("Content-Type", "application/json"),), (), timeout_s)


async def test_connections_are_used_again() -> None:
    async with receiving() as receiver, sending() as sender:
        for _ in range(5):
            assert await sender.send(message(receiver.url)) == Outcome(True)
        assert receiver.connections == 1
        assert [one.body for one in receiver.received] == [{"data": 1}] * 5


async def test_requests_at_the_same_time_have_their_own_connections() -> None:
    async with receiving() as receiver, sending() as sender:
        receiver.delay_s = 0.05
        found = await asyncio.gather(*(sender.send(message(receiver.url)) for _ in range(4)))
        assert all(one.is_ok for one in found)
        assert receiver.connections == 4


@pytest.mark.parametrize("member", ["is_chunked", "closes"])
async def test_ways_to_end_an_answer(member: str) -> None:
    """Chunks, or the end of the connection."""
    async with receiving() as receiver, sending() as sender:
        setattr(receiver, member, True)
        for _ in range(3):
            assert (await sender.send(message(receiver.url))).is_ok


async def test_an_idle_connection_that_was_closed_is_replaced() -> None:
    async with receiving() as receiver, sending() as sender:
        assert (await sender.send(message(receiver.url))).is_ok
        for writer in receiver.writers:
            writer.close()
        await asyncio.sleep(0.05)
        assert (await sender.send(message(receiver.url))).is_ok
        assert receiver.connections == 2


async def _raw(answer: bytes) -> tuple[asyncio.Server, str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_an_interim_answer_is_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    server, url = await _raw(interim)
    async with server, sending() as sender:
        assert (await sender.send(message(url))).is_ok


async def test_what_is_no_http_fails() -> None:
    server, url = await _raw(b"SSH-2.0-OpenSSH\r\n")
    async with server, sending() as sender:
        found = await sender.send(message(url))
        assert not found.is_ok
        assert found.may_retry
        assert "HTTP" in found.detail


async def test_a_receiver_that_does_not_answer_in_time() -> None:
    async with receiving() as receiver, sending() as sender:
        receiver.delay_s = 1
        began_s = time.monotonic()
        found = await sender.send(message(receiver.url, 0.1))
        assert time.monotonic() - began_s < 0.8
        assert found == Outcome(False, "no answer within 0.1 s", may_retry=True)


@pytest.mark.parametrize(("status", "may_retry"), [(404, False), (301, False), (503, True)])
async def test_other_answers_fail(status: int, may_retry: bool) -> None:
    async with receiving() as receiver, sending() as sender:
        receiver.answer = lambda _: status
        found = await sender.send(message(receiver.url))
        assert found == Outcome(False, f"answered with status {status}", may_retry)


async def test_nobody_there() -> None:
    async with sending() as sender:
        found = await sender.send(message("http://127.0.0.1:9/"))
        assert (found.is_ok, found.may_retry) == (False, True)
        assert found.detail == "Connection refused"
        assert not (await sender.send(message("http://no.such.host.invalid/"))).is_ok


async def test_forbidden_addresses_are_not_called() -> None:
    async with receiving() as receiver:
        sender = WebhookSender(egress_policy())
        for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
            found = await sender.send(message(url))
            assert not found.is_ok
            assert not found.may_retry
            assert "egress policy" in found.detail
        assert not receiver.connections


async def test_the_path_is_written_as_a_path() -> None:
    async with receiving() as receiver, sending() as sender:
        url = receiver.url + "/nước?q=a b\r\nX: y"
        await sender.send(message(url))
        (found,) = receiver.received
        assert found.path == "/notify/n%C6%B0%E1%BB%9Bc?q=a%20bX:%20y"
        assert "x" not in found.headers


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    return folder


async def _over_tls(folder: Path, trusted: bool) -> tuple[Outcome, Receiver]:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    known = ssl.create_default_context(cafile=str(folder / "cert.pem")) if trusted else None
    async with receiving(own) as receiver, sending(known) as sender:
        return await sender.send(message(receiver.url)), receiver


async def test_tls(certificate: Path) -> None:
    found, receiver = await _over_tls(certificate, trusted=True)
    assert found.is_ok
    assert len(receiver.received) == 1


async def test_an_unknown_certificate_is_refused(certificate: Path) -> None:
    found, receiver = await _over_tls(certificate, trusted=False)
    assert not found.is_ok
    assert "certificate" in found.detail
    assert not receiver.received
