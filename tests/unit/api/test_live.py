"""The live view over real sockets."""

import asyncio
import json
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect

from serving import client_of

A = "urn:ngsi-ld:WaterObserved:a"


def _address(api: Any) -> str:
    return f"{api.address.replace('http', 'ws')}/api/v1/live"


async def _level(api: Any, number: float, **more: object) -> None:
    await api.parts.send(entity=A, attribute="level", number=number, observed_at=None, **more)


async def test_socket_snapshot_delta_resume(api: Any) -> None:
    await _level(api, 1.0)
    async with connect(_address(api)) as socket:
        await socket.send("{}")
        snapshot = json.loads(await socket.recv())
        assert snapshot["kind"] == "snapshot"
        await _level(api, 2.0)
        delta = json.loads(await socket.recv())
        assert (delta["kind"], delta["after"], delta["n"]) == (
            "delta", snapshot["n"], snapshot["n"] + 1,
        )  # fmt: skip
        assert delta["values"][0][0] == A
        assert delta["values"][0][1]["number"] == 2.0
    await _level(api, 3.0)
    async with connect(_address(api)) as socket:
        await socket.send(json.dumps({"resume": delta["n"], "epoch": snapshot["epoch"]}))
        again = json.loads(await socket.recv())
        while again["kind"] == "beat":
            again = json.loads(await socket.recv())
        assert (again["kind"], again["after"]) == ("delta", delta["n"])
    async with asyncio.timeout(2):
        while api.parts.hub.viewers:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("hello", ["nonsense", '{"resume": -1}', b"\x00"])
async def test_a_wrong_hello_is_told(api: Any, hello: str | bytes) -> None:
    async with connect(_address(api)) as socket:
        await socket.send(hello)
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await socket.recv()
    assert closed.value.rcvd.code == 1008


async def test_a_viewer_that_never_reads_is_cut_off_and_harms_nobody(api: Any) -> None:
    await _level(api, 1.0, entity_type="WaterObserved")
    long = "x" * 900_000
    _reader, writer = await asyncio.open_connection(*_host(api), limit=1024)
    writer.write(
        b"GET /api/v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        # masked text frame {} with a mask of zeros
        b"\x81\x82\x00\x00\x00\x00{}"
    )
    await writer.drain()
    async with connect(_address(api), max_size=None) as quick:
        await quick.send("{}")
        await quick.recv()
        async with asyncio.timeout(15):
            number = 0
            while api.parts.hub.viewers != 1:
                number += 1
                await api.parts.send(
                    entity=[A] * 8, attribute=[f"text{i}" for i in range(8)],
                    text=[f"{number}{long}"] * 8, observed_at=None,
                )  # fmt: skip
                message = json.loads(await quick.recv())
                assert message["kind"] in ("delta", "beat")
    writer.close()


def _host(api: Any) -> tuple[str, int]:
    host, _, port = api.address.removeprefix("http://").partition(":")
    return host, int(port)


async def test_server_sent_events_carry_the_same_and_resume(api: Any) -> None:
    await _level(api, 1.0)

    async def first(headers: dict[str, str]) -> tuple[str, dict[str, Any]]:
        async with (
            client_of(api.address) as client,
            client.stream("GET", "/api/v1/live/sse", headers=headers) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            name = (await anext(lines)).removeprefix("id: ")
            return name, json.loads((await anext(lines)).removeprefix("data: "))

    name, snapshot = await first({})
    assert snapshot["kind"] == "snapshot"
    assert name == f"{snapshot['epoch']}:{snapshot['n']}"
    await _level(api, 2.0)
    _, delta = await first({"last-event-id": name})
    while delta["kind"] == "beat":
        _, delta = await first({"last-event-id": name})
    assert (delta["kind"], delta["after"]) == ("delta", snapshot["n"])
    async with asyncio.timeout(2):
        while api.parts.hub.viewers:
            await asyncio.sleep(0.01)
