"""What is wrong at other sources: warnings, limits, counters (clauses 5.2.9, 5.2.34, 6.3.17)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import ROOT, Running, problem_of, running
from tests.conformance.ngsi_ld.peers import (
    ALL,
    CAR,
    OPEN,
    Recorder,
    car,
    prop,
    register,
    url_of,
)

from dothi.facades.ngsi_ld.settings import NgsiLdSettings


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, {"secret": "EVIL"}, "299"),
        (500, {"secret": "EVIL"}, "299"),
        (200, b"EVIL, not json", "111"),
        (200, {"secret": "EVIL"}, "111"),
        (200, [1], "111"),
        (404, {"secret": "EVIL"}, ""),
    ],
)
async def test_warnings(door: Running, source: Recorder, status: int, body: Any, code: str) -> None:
    """6.3.17, Table 6.3.17-1; a 404 is nothing strange."""
    source.answer("GET", f"/entities/{CAR}", status, body)
    source.answer("GET", "/entities", status, body)
    await register(door, source.url)
    answer = await door.get(f"/entities/{CAR}")
    problem_of(answer, 404, "ResourceNotFound")
    assert answer.headers.get("NGSILD-Warning", "").partition(" ")[0] == code
    await door.create(car(brand="Vin"))
    for path in (f"/entities/{CAR}", "/entities?type=Vehicle"):
        answer = await door.get(path)
        assert answer.status_code == 200
        assert "Vin" in answer.text
        assert "EVIL" not in answer.text
        assert answer.headers.get("NGSILD-Warning", "").partition(" ")[0] == code


async def test_warnings_of_sources_of_sources_come_through(door: Running, source: Recorder) -> None:
    theirs = '299 other "an error, of another"'
    source.answer("GET", "/entities", 200, [], NGSILD_Warning=theirs)
    await register(door, source.url)
    answer = await door.get("/entities?type=Vehicle")
    assert answer.headers["NGSILD-Warning"] == theirs


async def test_an_answer_that_is_too_large(tmp_path: Path, source: Recorder) -> None:
    settings = NgsiLdSettings(egress_allow=("127.0.0.1",), forward_max_bytes=1000)
    async with running(tmp_path, settings) as door:
        source.answer("GET", "/entities", 200, [car(a=prop("x" * 2000))])
        await register(door, source.url)
        answer = await door.get("/entities?type=Vehicle")
        assert (answer.status_code, answer.json()) == (200, [])
        assert answer.headers["NGSILD-Warning"].startswith("111 ")


async def test_sources_that_do_not_answer(door: Running) -> None:
    """6.3.17, 5.2.34: 199, in the time that the registration gives; cooldown leaves it in peace."""
    connections = 0

    async def stall(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await asyncio.sleep(3)
        writer.close()

    server = await asyncio.start_server(stall, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    uri = await register(door, url, management={"timeout": 50, "cooldown": 60_000})
    await register(door, "http://127.0.0.1:9", uri="urn:r:closed", entities=[{"type": "Bus"}])
    await door.create(car(brand="Vin"))
    for _ in range(2):
        answer = await asyncio.wait_for(door.get(f"/entities/{CAR}"), 1)
        assert answer.status_code == 200
        assert answer.headers["NGSILD-Warning"].startswith("199 ")
    assert connections == 1
    answer = await door.get("/entities?type=Bus")
    assert answer.headers["NGSILD-Warning"].startswith("199 ")
    server.close()
    made = (await door.get(f"/csourceRegistrations/{uri}")).json()
    assert (made["status"], made["timesSent"], made["timesFailed"]) == ("failed", 1, 1)
    assert "lastFailure" in made
    assert "lastSuccess" not in made


async def test_use_of_a_source_is_counted_and_kept(tmp_path: Path, source: Recorder) -> None:
    """5.2.9, Table 5.2.9-2; registrations outlive a restart."""
    async with running(tmp_path, OPEN) as door:
        uri = await register(door, source.url)
        source.answer("GET", "/entities", 200, [])
        await door.get("/entities?type=Vehicle")
        made = (await door.get(f"/csourceRegistrations/{uri}")).json()
        assert (made["status"], made["timesSent"], made["timesFailed"]) == ("ok", 1, 0)
        assert "lastSuccess" in made
    async with running(tmp_path, OPEN) as door:
        await door.get("/entities?type=Vehicle")
        assert len(source.requests) == 2
        assert source.requests[0].headers["via"] == source.requests[1].headers["via"]


async def test_closed_addresses_are_not_called(tmp_path: Path, source: Recorder) -> None:
    """Whoever may register must not reach what only this machine may reach."""
    async with running(tmp_path) as door:
        await register(door, source.url)
        answer = await door.get("/entities?type=Vehicle")
        assert answer.headers["NGSILD-Warning"].startswith("199 ")
    assert source.requests == []


async def test_two_brokers_that_copy_to_each_other(doors: tuple[Running, Running, Running]) -> None:
    """6.3.18: a copy that comes back is passed over, nothing of the write has failed."""
    a, b, _ = doors
    await register(a, url_of(b), operations=ALL)
    await register(b, url_of(a), operations=ALL)
    assert (await a.create(car(speed=prop(1)))).status_code == 201
    changed = await a.send("PATCH", f"/entities/{CAR}/attrs", {"speed": prop(2)})
    assert changed.status_code == 204
    batch = await a.send("POST", "/entityOperations/upsert", [car(speed=prop(3)), car("urn:v:2")])
    assert (batch.status_code, batch.json()) == (201, ["urn:v:2"])
    for door in (a, b):
        assert (await door.entity(f"{CAR}?local=true"))["speed"]["value"] == 3
    assert (await a.http.delete(f"{ROOT}/entities/{CAR}")).status_code == 204
    problem_of(await b.get(f"/entities/{CAR}?local=true"), 404, "ResourceNotFound")
    gone = await a.http.delete(f"{ROOT}/entities/{CAR}")
    problem_of(gone, 404, "ResourceNotFound")


async def test_a_source_that_has_nothing_does_not_fail(door: Running, source: Recorder) -> None:
    """5.2.9: `failed` is for requests that failed; "there is none" (404) is an answer."""
    uri = await register(door, source.url)
    problem = {"title": "No such entity", "detail": "none of ours"}
    source.answer("GET", f"/entities/{CAR}", 404, problem)
    await door.get(f"/entities/{CAR}")
    made = (await door.get(f"/csourceRegistrations/{uri}")).json()
    assert (made["status"], made["timesSent"], made["timesFailed"]) == ("ok", 1, 0)


async def test_the_list_of_the_console_says_why_a_source_fails(
    door: Running, source: Recorder
) -> None:
    await register(door, source.url)
    for status, body, said in (
        (500, {"title": "No disk", "detail": "the disk is full"}, "the disk is full"),
        (503, b"", "it answered 503"),
        (200, b"no json", "its answer is no JSON"),
    ):
        source.answer("GET", "/entities", status, body)
        await door.get("/entities?type=Vehicle")
        [listed] = (await door.http.get("/api/v1/registrations")).json()
        assert (listed["status"], listed["last_error"]) == ("failed", said)


async def test_who_the_source_knows_us_as_is_told_to_nobody(door: Running) -> None:
    """The user and password in the address of a source stay out of answers and lists."""
    login = "http://me:s3cret@127.0.0.1:9"
    uri = await register(door, login, operations=ALL)
    answer = await door.send("PATCH", f"/entities/{CAR}/attrs", {"brand": "Vin"})
    assert answer.status_code >= 400
    assert "s3cret" not in answer.text
    [listed] = (await door.http.get("/api/v1/registrations")).json()
    assert (listed["id"], listed["last_error"]) == (uri, "127.0.0.1:9: Connection refused")
