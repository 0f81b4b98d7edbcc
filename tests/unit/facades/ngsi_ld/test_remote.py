"""Fetching remote @contexts from a real server: bounds, cache, egress policy."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dothi.access.egress import EgressPolicy, egress_policy
from dothi.facades.ngsi_ld.context.remote import RemoteContexts
from dothi.facades.ngsi_ld.endpoints import context_loader
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.problem import Problem

LOOPBACK = egress_policy(("127.0.0.0/8",))


@asynccontextmanager
async def _server(**answers: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    """Answers /name with raw bytes; an unknown name hangs."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = (await reader.readline()).decode().split()[1].strip("/")
        asked.append(name)
        while (await reader.readline()).strip():
            pass
        if name not in answers:
            await asyncio.sleep(30)
        writer.write(answers[name])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()


def _ok(body: bytes, *headers: bytes) -> bytes:
    head = [b"HTTP/1.1 200 OK", b"Content-Length: " + str(len(body)).encode(), *headers]
    return b"\r\n".join([*head, b"", body])


def _redirect(to: bytes) -> bytes:
    return b"HTTP/1.1 302 Found\r\nLocation: " + to + b"\r\nContent-Length: 0\r\n\r\n"


async def test_a_document_is_fetched_once() -> None:
    async with _server(c=_ok(b'{"@context": {}}'), r=_redirect(b"/c")) as (base, asked):
        loader = RemoteContexts(LOOPBACK)
        for _ in range(3):
            assert await loader.load(f"{base}/c") == {"@context": {}}
        assert asked == ["c"]
        assert await loader.load(f"{base}/r") == {"@context": {}}


async def test_a_preloaded_document_is_never_fetched() -> None:
    loader = RemoteContexts(EgressPolicy(), {"http://127.0.0.1:1/c": {"@context": {"a": "x:y"}}})
    assert await loader.load("http://127.0.0.1:1/c") == {"@context": {"a": "x:y"}}


async def test_everything_that_can_go_wrong_is_a_504_that_says_what() -> None:
    answers = {
        "text": _ok(b"<html>"),
        "big": _ok(b'"' + b"x" * 2_000_000 + b'"'),
        "deep": _ok(b"[" * 100_000),
        "gone": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "loop": _redirect(b"/loop"),
        "file": _redirect(b"file:///etc/passwd"),
        "rude": b"nonsense\r\n\r\n",
    }
    async with _server(**answers) as (base, _):
        loader = RemoteContexts(LOOPBACK, timeout_s=2.0)
        for name, says in (
            ("text", "malformed"),
            ("big", "larger"),
            ("deep", "recursion|truncated"),
            ("gone", "404"),
            ("loop", "redirects"),
            ("file", "scheme"),
            ("rude", "HTTP|response|line"),
        ):
            with pytest.raises(NgsiError, match=says) as caught:
                await loader.load(f"{base}/{name}")
            assert (caught.value.status, caught.value.kind) == (504, "LdContextNotAvailable")


async def test_a_silent_server_costs_the_time_once() -> None:
    async with _server() as (base, asked):
        loader = RemoteContexts(LOOPBACK, timeout_s=0.5)
        began = time.monotonic()
        for _ in range(5):
            with pytest.raises(NgsiError, match=r"0\.5 s"):
                await loader.load(f"{base}/silent")
        assert time.monotonic() - began < 2
        assert asked == ["silent"]


async def test_forbidden_addresses_are_not_called() -> None:
    async with _server(c=_ok(b"{}"), out=_redirect(b"http://169.254.169.254/latest")) as (
        base,
        asked,
    ):
        with pytest.raises(NgsiError, match="egress policy"):
            await RemoteContexts(EgressPolicy()).load(f"{base}/c")
        assert asked == []
        with pytest.raises(NgsiError, match="egress policy"):
            await RemoteContexts(LOOPBACK).load(f"{base}/out")


async def test_documents_of_the_operator(tmp_path: Path) -> None:
    url = "https://contexts.example.org/city.jsonld"
    file = tmp_path / "city.jsonld"
    settings = NgsiLdSettings(contexts={url: str(file)})
    with pytest.raises(Problem, match="city"):
        context_loader(settings)
    for wrong in (b"{", b"[]", b"[" * 100_000):
        file.write_bytes(wrong)
        with pytest.raises(Problem, match="city"):
            context_loader(settings)
    file.write_bytes(b'{"@context": {}}')
    assert await context_loader(settings).load(url) == {"@context": {}}
    with pytest.raises(Problem, match="nonsense"):
        context_loader(NgsiLdSettings(egress_allow=("nonsense",)))
