"""Order of start and stop, restart after a fault."""

import asyncio

import pytest

from dothi.app import supervisor as module
from dothi.app.supervisor import Supervisor
from dothi.model.problem import Problem
from dothi.ports.clock import SystemClock


class Recorder:
    def __init__(self, name: str, diary: list[str], error: Exception | None = None) -> None:
        self.name = name
        self._diary = diary
        self._error = error

    async def start(self) -> None:
        self._diary.append(f"start {self.name}")
        if self._error:
            raise self._error

    async def stop(self) -> None:
        self._diary.append(f"stop {self.name}")


class Fragile(Recorder):
    """Breaks when told."""

    def __init__(self, name: str, diary: list[str]) -> None:
        super().__init__(name, diary)
        self.broken = asyncio.Event()

    async def wait(self) -> None:
        await self.broken.wait()
        self.broken.clear()
        raise ConnectionError("the line went dead")


async def test_starts_in_order_and_stops_in_reverse() -> None:
    diary: list[str] = []
    supervisor = Supervisor([Recorder(n, diary) for n in "abc"], SystemClock(), 1)
    assert not supervisor.is_running
    await supervisor.start()
    assert supervisor.is_running
    await supervisor.stop()
    await supervisor.stop()
    assert diary == ["start a", "start b", "start c", "stop c", "stop b", "stop a"]


async def test_a_part_that_cannot_start_stops_the_others() -> None:
    diary: list[str] = []
    problem = Problem("port_unusable", "t", "d")
    parts = [Recorder("a", diary), Recorder("b", diary, problem), Recorder("c", diary)]
    supervisor = Supervisor(parts, SystemClock(), 1)
    with pytest.raises(Problem):
        await supervisor.start()
    assert diary == ["start a", "start b", "stop b", "stop a"]


async def test_a_broken_part_is_seen_and_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.01)
    diary: list[str] = []
    fragile = Fragile("door", diary)
    supervisor = Supervisor([fragile], SystemClock(), 1)
    await supervisor.start()
    fragile.broken.set()
    for _ in range(200):
        await asyncio.sleep(0.005)
        if supervisor.parts[0].restarts and supervisor.is_running:
            break
    assert supervisor.parts[0].restarts == 1
    assert supervisor.is_running
    await supervisor.stop()
    assert diary == ["start door", "stop door", "start door", "stop door"]


async def test_a_part_that_hangs_does_not_keep_the_others_from_stopping() -> None:
    diary: list[str] = []

    class Stuck(Recorder):
        async def stop(self) -> None:
            await asyncio.sleep(60)

    supervisor = Supervisor([Recorder("a", diary), Stuck("b", diary)], SystemClock(), 0.05)
    await supervisor.start()
    await supervisor.stop()
    assert diary[-1] == "stop a"
