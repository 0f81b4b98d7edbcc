"""A process made to be killed: commits a storm of values, and rules and alarms follow it.

Arguments: data folder, values in all, values per second (0: as fast as it can), seed of the jumps
of its clock (0: none), `storm` or `end`. Value n belongs to entity n mod ENTITIES; its batch has a
stable id, so that sending it again changes nothing. A storm is over when everything is judged; its
clock shows a time before the first value, so that only the values drive the timers, whatever the
clock jumps to meanwhile. At the `end` it is a day later: timers that nobody stopped run out.
"""

import asyncio
import random
import sys
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct

from alarm_parts import limits
from dothi.alarms.settings import AlarmSettings
from dothi.app.interpreter import tuned
from dothi.model.alarm import RuleFacts
from dothi.model.batch import Batch
from dothi.model.row import TIMESTAMP, rows_table
from dothi.model.rule import Rule, Scope, Words
from dothi.model.rule_condition import Condition, NoData, Threshold, Window
from dothi.model.transition import Evaluated
from dothi.pipeline.intake import Intake
from dothi.pipeline.watch import Watch, WatchPorts
from dothi.ports.evaluator import RulesInForce
from dothi.rules.engine import Engine
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.rules import RelationalRules, put_states
from dothi.storage.relational.sqlite_store import SqliteStore, open_store

ENTITIES = 500
BATCH = 500
IN_FLIGHT = 8
STEP_US = 5_000
PACE = "pace.json"
"""File in the data folder."""
START = datetime(2026, 11, 1, tzinfo=UTC)


class Pace(Struct):
    """Of a storm that was not disturbed, from its first value on."""

    sent_s: float
    """Until the last one was stored."""
    behind_rows: int
    """Rows that were not judged then."""
    judged_s: float = 0.0
    """Until the last one was judged."""


class JumpingClock:
    """The time of the machine, moved, and set to another one now and then."""

    def __init__(self, begin_at: datetime) -> None:
        self._begin_at, self._began_s = begin_at, monotonic()
        self.jump = timedelta()

    def now(self) -> datetime:
        return self._begin_at + timedelta(seconds=monotonic() - self._began_s) + self.jump

    async def jump_about(self, seed: int, engine: "NotedEngine") -> None:
        chance = random.Random(seed)
        while seed:
            await asyncio.sleep(chance.uniform(0.02, 0.3))
            if engine.is_started:
                self.jump = timedelta(hours=chance.uniform(-72, 72))


class CommitClock:
    """Shows the time of the values that are committed: what has arrived is never late."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


def batch_of(first: int) -> Batch:
    """Values first .. first + BATCH: over the limit and back, each entity in its own rhythm."""
    numbers = np.arange(first, first + BATCH)
    entity, turn = numbers % ENTITIES, numbers // ENTITIES
    # Shorter and longer stays, so that alarms overlap and delays run out, or do not.
    period = np.array([2, 2, 3, 3, 8])[entity % 5]
    is_over = (turn + entity) % period < np.maximum(period // 2, 1)
    at = pa.array(numbers * STEP_US + int(START.timestamp() * 1e6)).cast(TIMESTAMP)
    rows = rows_table(
        {
            "source": "faults",
            "entity": pa.array([f"urn:ngsi-ld:Storm:{n}" for n in entity]),
            "entity_type": "Storm",
            "attribute": "level",
            "observed_at": at,
            "number": np.where(is_over, 2.0, 0.5),
        }
    )
    return Batch(f"storm-{first}", rows, time_of(first + BATCH - 1))


def time_of(value: int) -> datetime:
    return START + timedelta(microseconds=value * STEP_US)


def storm_rules() -> list[Rule]:
    """A limit without delays, one that must be passed for a while, one that holds on, one over a
    window, and silence, which begins after the end."""
    over = Threshold(attribute="level", comparison=">", limit=1.0, deadband=0.1)
    mean = Window(attribute="level", function="mean", over_s=9.0, comparison=">", limit=1.2)
    return [
        _rule("over", over),
        _rule("lasting", over, on_delay_s=6.0),
        _rule("holding", over, off_delay_s=6.0),
        _rule("mean", mean, on_delay_s=1.0),
        _rule("silent", NoData(attribute="level", for_s=600.0)),
    ]


def _rule(name: str, condition: Condition, **delays: float) -> Rule:
    words = Words(vi=name)
    return Rule(
        id=name, name=words, scope=Scope(types=("Storm",)), condition=condition, priority=2,
        consequence=words, response=words, time_to_respond_s=600, author="faults", **delays,
    )  # fmt: skip


class NotedEngine(Engine):
    """The engine of the program; says what the watch was told last of its timers."""

    due_at: datetime | None = START
    is_started = False
    """It was told the time: from then on jumps of the clock are jumps."""

    def evaluate(self, rows: pa.Table, now: datetime) -> Evaluated:
        self.is_started = True
        return super().evaluate(rows, now)

    def tick(self, now: datetime) -> Evaluated:
        self.is_started = True
        return super().tick(now)

    def next_due(self) -> datetime | None:
        self.due_at = super().next_due()
        return self.due_at


def watch_on(store: SqliteStore, clock: JumpingClock, engine: NotedEngine) -> Watch:
    """The watch as the program makes it."""
    rules = RelationalRules(store.engine)
    if not rules.all():
        for rule in storm_rules():
            made = rules.add(rule, START)
            rules.approve(made.id, made.version, "faults", START)

    def load() -> int:
        in_force = rules.in_force()
        engine.load(in_force, rules.states())
        return len(in_force)

    ports = WatchPorts(
        log=store.reader,
        cursors=store.cursors,
        rules=RulesInForce(
            engine, load, lambda rule, _version: RuleFacts(title=rule), rules.revision
        ),
        ledger=RelationalAlarmLedger(store.engine, put_states),
        places=lambda _entities: {},
        clock=clock,
        limits=limits(),
    )
    return Watch(ports, AlarmSettings(gather_s=0.01))


async def send(store: SqliteStore, intake: Intake, values: int, per_s: float) -> None:
    """What is not there yet, in its order. A storm does not wait for answers: up to IN_FLIGHT
    batches are under way at once, as from several connections."""
    # Every value is a row of the log; the last batch is sent again, which must change nothing.
    began, done = monotonic(), max(0, store.reader.head() - BATCH)
    under_way: deque[asyncio.Task[Any]] = deque()
    for first in range(done, values, BATCH):
        COMMITS.at = time_of(first + BATCH - 1)
        under_way.append(asyncio.create_task(intake.submit(batch_of(first))))
        if first == done or len(under_way) == IN_FLIGHT:
            await under_way.popleft()
            print(first, flush=True)
        if per_s:
            await asyncio.sleep(max(0.0, began + (first + BATCH - done) / per_s - monotonic()))
    await asyncio.gather(*under_way)


async def main(folder: Path, values: int, per_s: float, jumps: int, phase: str) -> None:
    is_end = phase == "end"
    store = open_store(folder / "dothi.db", clock=COMMITS)
    clock = JumpingClock(START + timedelta(days=1 if is_end else -4))
    intake = Intake(store.writer, {})
    engine = NotedEngine(monotonic=time.monotonic)
    watch = watch_on(store, clock, engine)
    intake.watch(watch.wake)
    await intake.start()
    await watch.start()
    jumping = asyncio.create_task(clock.jump_about(jumps, engine))
    if is_end:
        print("end", flush=True)
    else:
        began_s = monotonic()
        await send(store, intake, values, per_s)
        pace = Pace(monotonic() - began_s, store.reader.head() - watch.position)
    while watch.position < store.reader.head():
        await asyncio.sleep(0.01)
    if not is_end:
        pace.judged_s = monotonic() - began_s
        (folder / PACE).write_bytes(msgspec.json.encode(pace))
    ledger = RelationalAlarmLedger(store.engine)
    while is_end and (engine.due_at is not None or ledger.is_due(START + timedelta(days=1))):
        await asyncio.sleep(0.01)
    jumping.cancel()
    await watch.stop()
    await intake.stop()
    store.close()


COMMITS = CommitClock()

if __name__ == "__main__":
    folder, values, per_s, jumps, phase = sys.argv[1:]
    with tuned():
        asyncio.run(main(Path(folder), int(values), float(per_s), int(jumps), phase))
