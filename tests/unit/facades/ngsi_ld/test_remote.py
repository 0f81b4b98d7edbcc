"""Fetching remote @contexts from a real server: bounds, what is kept, egress policy."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dothi.access.egress import EgressPolicy, egress_policy
from dothi.facades.ngsi_ld.context.library import ContextLibrary, Limits
from dothi.facades.ngsi_ld.context.remote import RemoteContexts
from dothi.facades.ngsi_ld.context.shelf import MemoryShelf
from dothi.facades.ngsi_ld.door import NgsiLdDeps, NgsiLdDoor
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.problem import Problem
from dothi.ports.clock import SystemClock
from dothi.ports.hubs import HubPorts

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


def _library(base_policy: EgressPolicy, **options: Any) -> ContextLibrary:
    remote = RemoteContexts(base_policy, **options)
    return ContextLibrary(remote.fetch, MemoryShelf(), SystemClock(), Limits(most_cached=3))


async def test_a_document_is_fetched_once() -> None:
    async with _server(c=_ok(b'{"@context": {}, "x": 1}'), r=_redirect(b"/c")) as (base, asked):
        library = _library(LOOPBACK)
        answers = await asyncio.gather(*(library.load(f"{base}/c", "") for _ in range(5)))
        assert answers == [{"@context": {}}] * 5
        assert asked == ["c"]
        assert await library.load(f"{base}/r", "") == {"@context": {}}


async def test_what_cannot_be_had_is_a_504_that_says_why() -> None:
    answers = {
        "big": _ok(b'"' + b"x" * 2_000_000 + b'"'),
        "gone": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "loop": _redirect(b"/loop"),
        "file": _redirect(b"file:///etc/passwd"),
        "rude": b"nonsense\r\n\r\n",
    }
    async with _server(**answers) as (base, _):
        remote = RemoteContexts(LOOPBACK, timeout_s=2.0)
        for name, says in (
            ("big", "larger"),
            ("gone", "404"),
            ("loop", "redirects"),
            ("file", "scheme"),
            ("rude", "HTTP|response|line"),
        ):
            with pytest.raises(NgsiError, match=says) as caught:
                await remote.fetch(f"{base}/{name}")
            assert (caught.value.status, caught.value.kind) == (504, "LdContextNotAvailable")


async def test_what_is_no_context_is_wrong_data() -> None:
    """5.5.6: "If the remote JSON-LD @context is invalid ... BadRequestData"."""
    answers = {"text": _ok(b"<html>"), "deep": _ok(b"[" * 100_000), "bare": _ok(b'{"a": 1}')}
    async with _server(**answers) as (base, _):
        remote = RemoteContexts(LOOPBACK)
        for name in answers:
            with pytest.raises(NgsiError) as caught:
                await remote.fetch(f"{base}/{name}")
            assert (caught.value.status, caught.value.kind) == (400, "BadRequestData")


async def test_a_silent_server_costs_the_time_once() -> None:
    async with _server(c=_ok(b'{"@context": {}}')) as (base, asked):
        library = _library(LOOPBACK, timeout_s=0.5)
        began = time.monotonic()
        waiting = [asyncio.create_task(library.load(f"{base}/silent", "")) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert await library.load(f"{base}/c", "") == {"@context": {}}
        assert time.monotonic() - began < 0.4
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, NgsiError)
            assert "0.5 s" in outcome.detail
        with pytest.raises(NgsiError, match=r"0\.5 s"):
            await library.load(f"{base}/silent", "")
        assert time.monotonic() - began < 2
        assert asked.count("silent") == 1


async def test_forbidden_addresses_are_not_called() -> None:
    async with _server(c=_ok(b"{}"), out=_redirect(b"http://169.254.169.254/latest")) as (
        base,
        asked,
    ):
        with pytest.raises(NgsiError, match="egress policy"):
            await RemoteContexts(EgressPolicy()).fetch(f"{base}/c")
        assert asked == []
        with pytest.raises(NgsiError, match="egress policy"):
            await RemoteContexts(LOOPBACK).fetch(f"{base}/out")


async def test_the_server_says_how_long_its_answer_holds() -> None:
    heads = {
        "long": (b"Cache-Control: public, max-age=7200", 7200.0),
        "never": (b"Cache-Control: no-store", 5.0),
        "short": (b"Cache-Control: max-age=0", 5.0),
        "ever": (b"Cache-Control: max-age=999999999", 7 * 86400.0),
        "plain": (b"X-Y: z", None),
    }
    answers = {name: _ok(b'{"@context": {}}', head) for name, (head, _) in heads.items()}
    async with _server(**answers) as (base, _):
        for name, (_, keep_s) in heads.items():
            assert (await RemoteContexts(LOOPBACK).fetch(f"{base}/{name}")).keep_s == keep_s


async def test_documents_of_the_operator(tmp_path: Path) -> None:
    url = "https://contexts.example.org/city.jsonld"
    file = tmp_path / "city.jsonld"
    settings = NgsiLdSettings(contexts={url: str(file)})
    with pytest.raises(Problem, match="city"):
        _door(settings)
    for wrong in (b"{", b"[]", b"[" * 100_000):
        file.write_bytes(wrong)
        with pytest.raises(Problem, match="city"):
            _door(settings)
    file.write_bytes(b'{"@context": {}}')
    assert await _door(settings).library.load(url, "") == {"@context": {}}
    with pytest.raises(Problem, match="nonsense"):
        _door(NgsiLdSettings(egress_allow=("nonsense",)))


def _door(settings: NgsiLdSettings) -> NgsiLdDoor:
    nothing: Any = None
    return NgsiLdDoor(NgsiLdDeps(HubPorts(*[nothing] * 6)), settings)
