"""Group commit, back-pressure, and answers only after the commit."""

import asyncio

import pytest
from tests.rows import batch, minutes_ago

from dothi.model.batch import CommitResult, Group
from dothi.model.problem import Overloaded, StoreUnavailable
from dothi.pipeline.intake import Intake
from dothi.pipeline.settings import PipelineSettings
from dothi.storage.relational.sqlite_store import open_store


class GatedWriter:
    """Lets commits through one by one, and can fail."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.fails = False
        self.gate = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def commit(self, group: Group) -> list[CommitResult]:
        asyncio.run_coroutine_threadsafe(self.gate.wait(), self.loop).result()
        if self.fails:
            raise StoreUnavailable("disk full")
        self.groups.append(len(group.batches))
        return [CommitResult(b.id, 1, 1, 0, (), last_seq=len(self.groups)) for b in group.batches]


async def test_what_waits_during_a_commit_shares_the_next_one() -> None:
    writer = GatedWriter()
    intake = Intake(writer, {})
    await intake.start()
    waiting = [asyncio.create_task(intake.submit(batch(number=1.0)))]
    await asyncio.sleep(0.05)
    waiting += [asyncio.create_task(intake.submit(batch(number=1.0))) for _ in range(50)]
    await asyncio.sleep(0.02)
    assert not any(w.done() for w in waiting)
    writer.gate.set()
    await asyncio.gather(*waiting)
    assert writer.groups == [1, 50]
    await intake.stop()


async def test_a_full_queue_tells_the_sender_to_retry() -> None:
    writer = GatedWriter()
    intake = Intake(writer, {}, PipelineSettings(queue_rows=3))
    await intake.start()
    held = asyncio.create_task(intake.submit(batch(number=[1.0, 2.0, 3.0])))
    await asyncio.sleep(0.02)
    with pytest.raises(Overloaded) as refusal:
        await intake.submit(batch(number=1.0))
    assert refusal.value.retry_after_s >= 1
    writer.gate.set()
    await held
    assert (await intake.submit(batch(number=1.0))).stored == 1
    assert intake.figures.queued_rows == 0
    await intake.stop()


async def test_a_failed_commit_reaches_every_sender_and_the_next_works() -> None:
    writer = GatedWriter()
    writer.gate.set()
    writer.fails = True
    intake = Intake(writer, {})
    await intake.start()
    results = await asyncio.gather(
        *(intake.submit(batch(number=1.0)) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(r, StoreUnavailable) for r in results)
    writer.fails = False
    assert (await intake.submit(batch(number=1.0))).stored == 1
    await intake.stop()


async def test_stopping_commits_what_was_accepted(tmp_path) -> None:
    store = open_store(tmp_path / "dothi.db")
    intake = Intake(store.writer, {})
    await intake.start()
    heads: list[int] = []
    intake.watch(heads.append)
    waiting = [
        asyncio.create_task(intake.submit(batch(number=float(n), observed_at=minutes_ago(n))))
        for n in range(20)
    ]
    await asyncio.sleep(0)
    await intake.stop()
    assert sum(r.stored for r in await asyncio.gather(*waiting)) == 20
    assert heads[-1] == store.reader.head() == 20
    with pytest.raises(StoreUnavailable):
        await intake.submit(batch(number=1.0))
    store.close()


async def test_a_defect_met_by_one_batch_spares_its_neighbours() -> None:
    writer = GatedWriter()
    commit = writer.commit

    def defective(group: Group) -> list[CommitResult]:
        if any(b.id == "poison" for b in group.batches):
            raise OverflowError("a defect")
        return commit(group)

    writer.commit = defective
    writer.gate.set()
    intake = Intake(writer, {})
    await intake.start()
    names = ["a", "poison", "b"]
    results = await asyncio.gather(
        *(intake.submit(batch(id=name, number=1.0)) for name in names), return_exceptions=True
    )
    assert [type(r) for r in results] == [CommitResult, OverflowError, CommitResult]
    assert intake.figures.queued_rows == 0
    await intake.stop()
