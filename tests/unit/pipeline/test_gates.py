"""The circuit breaker of a receiver: three failures close it, pauses double, a success opens it."""

import asyncio
import time

import pytest

from dothi.pipeline import gates
from dothi.pipeline.gates import Gate, Gates, receiver_of


class Minutes:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, for_s: float) -> None:
        self.now_s += for_s


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    passing = Minutes()
    monkeypatch.setattr(gates, "time", passing)
    monkeypatch.setattr(asyncio, "sleep", passing.sleep)
    return passing


def fail(gate: Gate) -> None:
    """A try that began and ended while no other was under way."""
    gate.note(gate.begun(), is_reached=False)


async def waited(gate: Gate, minutes: Minutes) -> float:
    """How long the gate lets somebody wait, in seconds."""
    began_s = minutes.now_s
    async with gate.passing():
        return minutes.now_s - began_s


async def test_three_failures_close_and_each_further_one_doubles_the_pause(
    minutes: Minutes,
) -> None:
    gate = Gate(1, (2.0, 15.0))
    pauses = []
    for _ in range(8):
        pauses.append(await waited(gate, minutes))
        fail(gate)
    assert pauses == [0, 0, 0, 2, 4, 8, 15, 15]
    assert gate.is_down


async def test_a_success_opens_and_three_more_failures_are_borne(minutes: Minutes) -> None:
    gate = Gate(1, (2.0, 15.0))
    for _ in range(5):
        fail(gate)
    gate.note(gate.begun(), is_reached=True)
    assert not gate.is_down
    assert await waited(gate, minutes) == 0
    for _ in range(2):
        fail(gate)
    assert not gate.is_down
    fail(gate)
    assert gate.is_down
    assert await waited(gate, minutes) == 2


async def test_failures_with_successes_between_close_nothing(minutes: Minutes) -> None:
    gate = Gate(1, (2.0, 15.0))
    for _ in range(10):
        fail(gate)
        fail(gate)
        gate.note(gate.begun(), is_reached=True)
    assert not gate.is_down
    assert await waited(gate, minutes) == 0


async def test_who_waits_when_another_failure_comes_waits_for_the_longer_pause() -> None:
    gate = Gate(2, (0.05, 0.2))
    for _ in range(3):
        fail(gate)
    began_s = time.monotonic()
    waiting = asyncio.create_task(gate.opened())
    await asyncio.sleep(0.01)
    fail(gate)  # another one, begun since: the pause is 0.1 s now
    await waiting
    assert time.monotonic() - began_s >= 0.1


async def test_what_was_under_way_together_is_one_failure(minutes: Minutes) -> None:
    gate = Gate(8, (2.0, 15.0))
    for pause_s in (0, 0, 0, 2, 4, 8):
        assert await waited(gate, minutes) == pause_s
        begun = [gate.begun() for _ in range(8)]
        for one in begun:
            gate.note(one, is_reached=False)


async def test_one_that_was_under_way_when_others_failed_opens_again(minutes: Minutes) -> None:
    gate = Gate(8, (2.0, 15.0))
    slow = gate.begun()
    for _ in range(4):
        fail(gate)
    gate.note(slow, is_reached=False)
    assert await waited(gate, minutes) == 4
    gate.note(slow, is_reached=True)
    assert not gate.is_down
    assert await waited(gate, minutes) == 0


async def test_no_more_pass_at_once_than_there_are_places() -> None:
    gate = Gate(2, (1.0, 1.0))
    inside = most = 0

    async def deliver() -> None:
        nonlocal inside, most
        async with gate.passing():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(deliver() for _ in range(6)))
    assert most == 2


def test_each_receiver_has_its_own_gate() -> None:
    known = Gates(1, (1.0, 1.0))
    for _ in range(3):
        fail(known.of("http://a/x"))
    known.of("http://b/x").note(0, is_reached=True)
    assert (known.down(), known.names_down()) == (1, ["http://a/x"])
    assert known.is_down("http://a/x")
    assert not known.is_down("http://b/x")
    assert not known.is_down("http://never/tried")


@pytest.mark.parametrize(
    ("uri", "receiver"),
    [
        ("https://a.vn:8443/x?room=1", "https://a.vn:8443/x"),
        ("mqtt://a.vn/city/rooms", "mqtt://a.vn/city/rooms"),
    ],
)
def test_a_receiver_is_an_endpoint_without_its_query(uri: str, receiver: str) -> None:
    assert receiver_of(uri) == receiver
