"""Connections that last end with what they rest on: over real sockets, the whole program."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import websockets
from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect

SOON_S = 3.0
"""A second or two, and what a busy machine adds."""


class Running:
    """The program with its doors open."""

    def __init__(self, at: Any) -> None:
        self.stores = at.program.stores
        self.url: str = at.program.url

    def session(self, who: str) -> str:
        token = self.stores.sessions.redeem(self.stores.sessions.make_link(60, who), 600)
        assert token
        return str(token)

    async def watch(self, session: str) -> ClientConnection:
        headers = {"cookie": f"dothi_session={session}", "origin": self.url}
        address = f"{self.url.replace('http', 'ws')}/api/v1/live"
        socket = await connect(address, additional_headers=headers)
        await socket.send("{}")
        assert json.loads(await socket.recv())["kind"] == "snapshot"
        return socket

    async def quiet(self) -> None:
        """Until the server has done with those who have gone."""
        async with asyncio.timeout(SOON_S):
            while any("run_asgi" in repr(task) for task in asyncio.all_tasks()):
                await asyncio.sleep(0.01)

    def person_changes(self, **fields: Any) -> None:
        person = self.stores.people.get("an")
        assert self.stores.people.change(replace(person, **fields), "administrator")


@pytest.fixture
async def running(at: Any) -> AsyncIterator[Running]:
    await at.program.supervisor.start()
    try:
        yield Running(at)
    finally:
        await at.program.supervisor.stop()


async def _closed(socket: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(SOON_S):
        try:
            while True:
                await socket.recv()
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code, closed.rcvd.reason


ENDINGS: dict[str, Callable[[Running, str], Any]] = {
    "the person leaves": lambda to, _: to.person_changes(is_active=False),
    "the session ends": lambda to, session: to.stores.sessions.end(session),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_socket_ends_with_its_session(running: Running, ending: str) -> None:
    session = running.session("an")
    socket, other = await running.watch(session), await running.watch(running.session("chi"))
    ENDINGS[ending](running, session)
    assert await _closed(socket) == (1008, "signed out, or no longer allowed")
    with pytest.raises(websockets.InvalidStatus) as refused:
        await running.watch(session)
    assert refused.value.response.status_code == 401
    assert json.loads(await other.recv())  # who may stay, stays
    await other.close()


@pytest.mark.parametrize("path", ["/api/v1/live", "/api/v1/alarms", "/nothing"])
async def test_a_socket_that_is_refused_is_one_quiet_line(
    running: Running, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(running.url.replace("http", "ws") + path)
    said = f"WS {path} {refused.value.response.status_code}"
    await running.quiet()
    assert [r.getMessage() for r in caplog.records if r.name.startswith("dothi")] == [said]
    assert not [r for r in caplog.records if r.levelno > logging.INFO]


async def test_a_lost_permission_ends_a_socket_and_a_new_position_does_not(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await running.watch(running.session("an"))
    running.person_changes(positions=("operator",))
    with pytest.raises(TimeoutError):
        await _closed(socket)
    # Everybody reads, so nobody can lose that by a position: what people get is changed instead.
    monkeypatch.setattr(
        "dothi.app.http.identity.principal_of", lambda person, _: _nobody(person.id)
    )
    assert (await _closed(socket))[0] == 1008


async def test_server_sent_events_end_in_good_order(running: Running) -> None:
    session = running.session("an")
    cookies = {"dothi_session": session}
    async with httpx.AsyncClient(base_url=running.url, cookies=cookies) as client:
        async with client.stream("GET", "/api/v1/live/sse") as stream:
            parts = stream.aiter_text()
            assert (await anext(parts)).startswith("id: ")
            running.stores.sessions.end(session)
            async with asyncio.timeout(SOON_S):
                async for _ in parts:
                    pass
        assert (await client.get("/api/v1/live/sse")).status_code == 401


async def test_a_revoked_token_ends_its_socket(running: Running) -> None:
    from dothi.model.source import Source

    running.stores.sources.put(Source("board", "Bảng", "ngsi_ld"))
    token = running.stores.sources.issue_token("board")
    address = f"{running.url.replace('http', 'ws')}/api/v1/live"
    headers = {"authorization": f"Bearer {token}"}
    async with connect(address, additional_headers=headers) as socket:
        await socket.send("{}")
        await socket.recv()
        running.stores.sources.revoke_tokens("board")
        assert (await _closed(socket))[0] == 1008


async def test_refused_sign_ins_are_told_but_not_by_the_thousand(at: Any) -> None:
    async with at.as_("an") as client:
        before = at.last
        for _ in range(25):
            refused = await client.post("/login", data={"token": "wrong"})
            assert refused.status_code == 403
    entries = at.told(before)
    assert {(e.who, e.action) for e in entries} == {("anonymous", "sign_in_refused")}
    assert len(entries) == 20


def _nobody(name: str) -> Any:
    from dothi.access.principal import Principal

    return Principal(name, frozenset())
