"""Follows the log, lets the rules judge it and stores what that means for the alarms.

States of the rules, alarms, their record, notices and the cursor move in one transaction: a crash
at any moment changes nothing about the alarms that a run without it would have made.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TypeVar

from msgspec import Struct, field

from dothi.alarms.changes import Context
from dothi.alarms.limits import Limits
from dothi.alarms.settings import AlarmSettings
from dothi.alarms.taking import pass_time, take
from dothi.model.measure import Histogram, Measure, gauge
from dothi.model.moments import at_of, us_of
from dothi.model.problem import StoreUnavailable
from dothi.model.transition import NOTHING, Evaluated, StoredState, Transition
from dothi.ports.alarms import AlarmLedger, Places
from dothi.ports.clock import Clock
from dothi.ports.cursors import Cursors
from dothi.ports.evaluator import RulesInForce
from dothi.ports.log import LogReader
from dothi.rules.steady import Steady

logger = logging.getLogger(__name__)

CONSUMER = "alarms"
_FIRST_ROWS, _LEAST_ROWS = 2_000, 200
"""Rows that are taken at first, and at least."""
_STEP_S = 0.2
"""When there are more, so many are taken together as take so long to store: other writers wait
meanwhile, and refuse what comes when they wait too long."""
_NEEDED = ("number", "body", "quality", "source", "change")
"""Columns that rules look at, beside those that say which row it is."""
_SAVE_S = 1.0
"""A cursor without effects is written so often: rows that meant nothing may come again."""
_LOOK_S = 1.0
"""So often somebody looks whether the time of a suppression or an escalation has come."""
_RETRY_S = 1.0
_REST, _NAP_S = 2.0, 0.1
"""After a look it rests so many times as long as that took, at most so long: most of what a look
costs is the same for few rows and for many, so what comes meanwhile is judged together."""
_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
T = TypeVar("T")


class WatchPorts(Struct, frozen=True):
    """What the watch works with."""

    log: LogReader
    cursors: Cursors
    rules: RulesInForce
    ledger: AlarmLedger
    places: Places
    clock: Clock
    limits: Limits


class _Waiting(Struct):
    """What was judged and is not stored, since it can wait or the store did not take it: the rules
    have moved on."""

    position: int = 0
    transitions: list[Transition] = field(default_factory=list)
    states: dict[tuple[str, str], StoredState] = field(default_factory=dict)

    def add(self, evaluated: Evaluated, position: int | None) -> int:
        """Up to which position it goes now; None: as far as before."""
        self.transitions += evaluated.transitions
        self.states.update(((one.rule, one.entity), one) for one in evaluated.states)
        self.position = self.position if position is None else position
        return self.position


class _News(Struct):
    """Changes of alarms that are stored, and who wants to know."""

    told: list[Callable[[], None]] = field(default_factory=list)
    are_there: bool = False

    def announce(self) -> None:
        if self.are_there:
            self.are_there = False
            for told in self.told:
                told()


class _Portion:
    """How many rows to take together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.rows = min(_FIRST_ROWS, most)

    def note(self, rows: int, took_s: float) -> None:
        """What so many meant took so long to store."""
        if rows >= min(_LEAST_ROWS, self.rows):
            fitting = int(rows * min(8.0, _STEP_S / max(took_s, 0.001)))
            most = self._most if rows == self.rows else min(_FIRST_ROWS, self._most)
            self.rows = min(most, max(_LEAST_ROWS, fitting))


class Watch:
    """ports.service.Service and Watched. Everything but waiting happens in one thread."""

    name = CONSUMER

    def __init__(self, ports: WatchPorts, settings: AlarmSettings | None = None) -> None:
        self._ports = ports
        self._settings = settings or AlarmSettings()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._portion = _Portion(self._settings.run_rows)
        self._waiting = _Waiting()
        self._saved, self._saved_s, self._looked_s, self._step_s = 0, 0.0, 0.0, 0.0
        self._is_stale = True
        self._news = _News()
        self._revision = 0
        self._rules = 0
        self._steady = Steady(monotonic)
        self.position = 0
        """What lies before it is judged and, where it meant something, stored."""
        self.transitions = 0
        self._took_s = Histogram(_BOUNDS_S)

    def wake(self, _head: int) -> None:
        """There is something new in the log; given to Intake.watch."""
        self._wake.set()

    def tell(self, told: Callable[[], None]) -> None:
        """Call `told` in the event loop when alarms have changed. It must not block."""
        self._news.told.append(told)

    def reload(self) -> None:
        """The rules have changed; called in the event loop."""
        self._is_stale = True
        self._wake.set()

    async def start(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dothi-alarms")
        self._is_stale = True
        await self._in_thread(self._find_position)
        self._wake.set()
        self._task = asyncio.create_task(self._follow(), name="follow the log for alarms")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with suppress(StoreUnavailable):
                await self._in_thread(partial(self._save, is_last=True))
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.shutdown)

    async def wait(self) -> None:
        """See ports.service.Watched."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        took = Measure(
            "dothi_alarms_step_seconds",
            "histogram",
            "Time to judge a run of rows and to store what it means",
            (({}, self._took_s),),
        )
        behind = self._ports.log.head() - self.position
        return [
            gauge("dothi_alarms_behind_rows", "Rows of the log not judged yet", behind),
            gauge("dothi_alarms_rules", "Rules in force", self._rules),
            took,
        ]

    def _find_position(self) -> None:
        """Rules do not judge what was there before the first start."""
        self._steady.us(us_of(self._ports.clock.now()))
        cursors = self._ports.cursors
        if CONSUMER not in cursors.positions():
            cursors.advance(CONSUMER, self._ports.log.head())
        self.position = self._saved = cursors.position(CONSUMER)
        self._waiting = _Waiting(self.position)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):  # a timer may have run out
                async with asyncio.timeout(self._rest_s()):
                    await self._wake.wait()
            self._wake.clear()
            try:
                is_more = True
                while is_more:
                    is_more = await self._in_thread(self._step)
                    self._news.announce()
                await asyncio.sleep(max(self._settings.gather_s, min(_REST * self._step_s, _NAP_S)))
            except StoreUnavailable as error:
                logger.warning("alarms wait for the store: %s", error)
                await asyncio.sleep(_RETRY_S)
                self._wake.set()

    def _rest_s(self) -> float:
        due_at = self._ports.rules.evaluator.next_due()
        if due_at is None:
            return _LOOK_S
        left_s = (due_at - self._ports.clock.now()).total_seconds()
        return min(max(left_s, 0.0), _LOOK_S)

    def _step(self) -> bool:
        """Take one run of rows, and what time has brought; True when there may be more rows."""
        began_s = monotonic()
        self._save(is_last=self._is_stale)
        if self._is_stale:
            self._is_stale = False
            self._revision = self._ports.rules.revision()
            self._rules = self._ports.rules.load()
        is_full = self._take_rows()
        if not is_full:
            # What was not judged yet may still end what a timer waits for.
            self._tick()
        self._look()
        self._step_s = monotonic() - began_s
        self._took_s.observe(self._step_s)
        return is_full

    def _take_rows(self) -> bool:
        if not self._rules:
            # Nobody judges what was committed so far: not even its rows are looked at.
            self._save(NOTHING, self._ports.log.head())
            return False
        limit = self._portion.rows
        rows = self._ports.log.read(self.position, limit, columns=_NEEDED)
        is_full = bool(rows.num_rows == limit)
        began_s = monotonic()
        if rows.num_rows:
            evaluated = self._ports.rules.evaluator.evaluate(rows, self._ports.clock.now())
            began_s = monotonic()
            self._save(evaluated, int(rows["seq"][-1].as_py()))
        self._portion.note(rows.num_rows, monotonic() - began_s)
        return is_full

    def _tick(self) -> None:
        evaluator, now = self._ports.rules.evaluator, self._ports.clock.now()
        due_at = evaluator.next_due()
        if due_at is not None and due_at <= now:
            self._save(evaluator.tick(now), self.position)

    def _look(self) -> None:
        if monotonic() - self._looked_s < _LOOK_S:
            return
        self._looked_s = monotonic()
        self._is_stale |= self._ports.rules.revision() != self._revision
        context = self._context()
        if self._ports.ledger.is_due(context.now_at, context.timer_at):
            with self._ports.ledger.writing() as book:
                pass_time(book, context)
            self._news.are_there = True

    def _save(
        self, evaluated: Evaluated = NOTHING, position: int | None = None, *, is_last: bool = False
    ) -> None:
        """Store what was judged together with the position in the log.

        What became nobody's alarm may wait a moment: after a crash its rows are judged again, from
        the states of then.
        """
        waiting = self._waiting
        position = waiting.add(evaluated, position)
        is_due = is_last or monotonic() - self._saved_s > _SAVE_S
        if not waiting.transitions and not (is_due and (waiting.states or position > self._saved)):
            self.position = position
            return
        context = self._context({t.entity for t in waiting.transitions if t.is_active})
        with self._ports.ledger.writing() as book:
            if waiting.transitions:
                take(book, waiting.transitions, context)
            book.remember(tuple(waiting.states.values()))
            book.move(CONSUMER, position)
        self.position = self._saved = position
        self._saved_s = monotonic()
        self.transitions += len(waiting.transitions)
        self._news.are_there |= bool(waiting.transitions)
        self._waiting = _Waiting(position)

    def _context(self, entities: set[str] | None = None) -> Context:
        now = self._ports.clock.now()
        return Context(
            now,
            self._ports.limits,
            self._settings.position,
            self._ports.rules.facts,
            self._ports.places(entities) if entities else {},
            self._settings.escalate_to,
            at_of(self._steady.us(us_of(now))),
        )

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, ask)
