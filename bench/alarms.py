"""Alarms: a filtered page of many records, and transitions that are stored a second.

uv run dothi bench alarms -- --records 100000
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text

from dothi.alarms.changes import Context
from dothi.alarms.limits import Limits, read_limits
from dothi.alarms.taking import take
from dothi.model.alarm import OPEN, AlarmState, Place
from dothi.model.moments import us_of
from dothi.model.priority import Priority
from dothi.model.transition import Transition
from dothi.ports.alarms import AlarmQuery
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.migrate import upgrade

START = datetime(2026, 1, 1, tzinfo=UTC)
RUN = 5_000
STATIONS = 2_000


def run(arguments: list[str]) -> dict[str, Any]:
    """Fill a store with records, then ask for pages as the console does."""
    parser = argparse.ArgumentParser(prog="dothi bench alarms")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args(arguments)
    limits = read_limits((files("dothi.alarms") / "limits.toml").read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder:
        engine = open_sqlite(Path(folder) / "dothi.db")
        upgrade(engine)
        ledger, reader = RelationalAlarmLedger(engine), RelationalAlarmReader(engine)
        filling = fill(ledger, options.records, limits)
        with engine.begin() as connection:  # as if somebody had acknowledged what is gone
            connection.execute(
                text(
                    "UPDATE alarm SET state = 'normal', is_open = 0, acknowledged_us = returned_us "
                    "WHERE returned_us"
                )
            )
        pages = {
            name: timed(lambda q=query: reader.page(q), options.repeat)  # type: ignore[misc]
            for name, query in questions().items()
        }
        pages["counts"] = timed(lambda: reader.counts(START), options.repeat)
        pages["nothing new for the live view"] = timed(
            lambda: reader.changed_after(reader.revision(), 100), options.repeat
        )
        engine.dispose()
    return {"records": options.records, **filling, "ms": pages}


def questions() -> dict[str, AlarmQuery]:
    """What operators ask for."""
    closed = (AlarmState.NORMAL,)
    return {
        "open, by priority": AlarmQuery(states=OPEN, is_suppressed=False),
        "open, two priorities, by time": AlarmQuery(
            states=OPEN, priorities=(1, 2), sort="raised_at", is_descending=True
        ),
        "closed, newest first": AlarmQuery(states=closed, sort="raised_at", is_descending=True),
        "all, one area, by place": AlarmQuery(area="ward:7", sort="place"),
        "all, text": AlarmQuery(text="phu an 13"),
        "all, text that is nowhere": AlarmQuery(text="xyzzy"),
        "all, domain and type, by text": AlarmQuery(
            domains=("water",), types=("WaterObserved",), sort="text"
        ),
        "all, owner": AlarmQuery(owner="operator-1"),
        "since a day, by state": AlarmQuery(since=START + timedelta(days=30), sort="state"),
        "open, a later page": AlarmQuery(
            states=OPEN, is_suppressed=False, after=(2, 0, us_of(_occurred_at(99_900)), 99_900)
        ),
        "deep page by priority": AlarmQuery(after=(3, 1, us_of(_occurred_at(50_000)), 50_000)),
        "deep page, least urgent first": AlarmQuery(
            is_descending=True, after=(3, 1, us_of(_occurred_at(50_000)), 50_000)
        ),
    }


def timed(ask: Callable[[], object], repeat: int) -> dict[str, float]:
    """Median and worst in milliseconds, and the median of what the processor worked: the same on
    a quiet machine."""
    ask()
    took, worked = [], []
    for _ in range(repeat):
        began, begun = time.perf_counter(), time.process_time()
        ask()
        worked.append(1000 * (time.process_time() - begun))
        took.append(1000 * (time.perf_counter() - began))
    return {
        "median": round(statistics.median(took), 2),
        "most": round(max(took), 2),
        "cpu": round(statistics.median(worked), 2),
    }


def fill(ledger: RelationalAlarmLedger, records: int, limits: Limits) -> dict[str, float]:
    """So many closed alarms with some hundreds of open ones; transitions stored a second."""
    rng = random.Random(7)
    places = {
        f"urn:s:{n}": Place(
            f"urn:s:{n}",
            ("WaterObserved", "AirQualityObserved")[n % 2],
            f"Phú An {n}",
            106.0 + n / 1e4,
            11.0,
            (f"ward:{n % 97}", "province:74"),
        )
        for n in range(STATIONS)
    }
    stored_s, worked_s, stored, number = 0.0, 0.0, 0, 0
    while number < records:
        transitions = []
        for _ in range(RUN):
            transitions += _occurrence(number, rng, is_closed=number < records - 500)
            number += 1
        now = START + timedelta(seconds=number * 30)
        began, begun = time.perf_counter(), time.process_time()
        with ledger.writing() as book:
            take(book, transitions, Context(now, limits, "operator", places=places))
        stored_s += time.perf_counter() - began
        worked_s += time.process_time() - begun
        stored += len(transitions)
    return {
        "transitions_per_s": round(stored / stored_s),
        "transitions_per_cpu_s": round(stored / worked_s),
    }


def _occurred_at(number: int) -> datetime:
    return START + timedelta(seconds=number * 30)


def _occurrence(number: int, rng: random.Random, *, is_closed: bool) -> list[Transition]:
    at = _occurred_at(number)
    rule, entity = f"rule-{number // STATIONS % 50}", f"urn:s:{number % STATIONS}"
    words = f"{rng.random():.2f} m > 1,50 m"
    explanation = '{"terms": [{"attribute": "level", "limit": 1.5}]}'
    priority = Priority(rng.choice((1, 2, 3, 3, 4, 4, 4, 4)))
    made = [Transition(rule, 1, entity, True, at, number, priority, words, explanation)]
    if is_closed:
        gone = at + timedelta(seconds=20)
        made.append(Transition(rule, 1, entity, False, gone, number, priority, words, ""))
    return made
