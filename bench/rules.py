"""How long a run of 20,000 observations takes with many rules in force, and a back-test.

Stations of ten types send ten attributes each in slow random walks; rules are thresholds (most),
ranges, rates, means over a window, silence, comparisons and combinations, each over all stations of
one type. A few values cross limits, as on a busy day.

    uv run dothi bench rules -- --rules 1000 10000 --rounds 5
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from dothi.model.row import LOG_SCHEMA, TIMESTAMP
from dothi.model.rule import Rule, Scope, Words
from dothi.model.rule_condition import (
    AnyOf,
    Compare,
    Condition,
    NoData,
    Range,
    Rate,
    Threshold,
    Window,
)
from dothi.rules.engine import Engine

TYPES, ATTRIBUTES = 10, 10
BEGIN = datetime(2026, 11, 22, tzinfo=UTC)


class Feed:
    """Values that walk slowly; every station reports all its attributes each minute."""

    def __init__(self, stations: int, rows: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._series = stations * ATTRIBUTES
        self._value = self._random.normal(50, 10, self._series)
        self._next, self._seq, self._rows = 0, 0, rows
        names = np.arange(self._series) // ATTRIBUTES
        self._entity = pa.array([f"urn:ngsi-ld:T{n % TYPES}:{n}" for n in names])
        self._type = pa.array([f"T{n % TYPES}" for n in names])
        self._attribute = pa.array([f"a{n % ATTRIBUTES}" for n in range(self._series)])

    def run(self) -> pa.Table:
        """The next rows of the log."""
        at = (self._next + np.arange(self._rows)) % self._series
        minute = (self._next + np.arange(self._rows)) // self._series
        self._next += self._rows
        step = self._random.normal(0, 0.05, self._rows)
        value = self._value[at] + step
        self._value[at] = value
        begin_us = int(BEGIN.timestamp() * 1e6)
        us = pa.array(begin_us + minute * 60_000_000).cast(TIMESTAMP)
        count = self._rows
        seq = np.arange(self._seq, self._seq + count) + 1
        self._seq += count
        columns = {
            "lane": np.zeros(count, np.int32),
            "seq": seq,
            "source": pa.array(["s"] * count),
            "entity": self._entity.take(pa.array(at)),
            "entity_type": self._type.take(pa.array(at)),
            "attribute": self._attribute.take(pa.array(at)),
            "dataset": pa.array([""] * count),
            "observed_at": us,
            "number": value,
            "text": pa.nulls(count, pa.string()),
            "body": pa.nulls(count, pa.string()),
            "unit": pa.nulls(count, pa.string()),
            "quality": np.ones(count, np.uint8),
            "kind": np.ones(count, np.uint8),
            "change": np.ones(count, np.uint8),
            "batch": pa.array(["b"] * count),
            "committed_at": us,
            "revision": np.zeros(count, np.uint8),
        }
        return pa.table([pa.array(columns[f.name]) for f in LOG_SCHEMA], schema=LOG_SCHEMA)


def rules_of(count: int, seed: int) -> list[Rule]:
    """Rules whose limits are crossed now and then."""
    random = np.random.default_rng(seed)
    return [
        Rule(
            id=f"r{n}",
            name=Words(vi=f"Luật {n}"),
            scope=Scope(types=(f"T{n % TYPES}",)),
            condition=_condition(n, random),
            priority=1 + n % 4,
            consequence=Words(vi="-"),
            response=Words(vi="-"),
            time_to_respond_s=600,
            on_delay_s=0 if n % 3 else 120,
            off_delay_s=0 if n % 5 else 300,
        )
        for n in range(count)
    ]


def _condition(n: int, random: np.random.Generator) -> Condition:
    attribute = f"a{random.integers(ATTRIBUTES)}"
    limit = float(random.normal(72, 4))
    kind = n % 20
    plain: dict[str, Any] = {"attribute": attribute}
    high: dict[str, Any] = {"comparison": ">", "limit": limit, "deadband": 0.5}
    if kind < 12:
        return Threshold(**plain, **high)
    if kind < 14:
        return Range(**plain, low=100 - limit, high=limit, deadband=0.5)
    if kind == 14:
        return Rate(**plain, over_s=600, comparison=">", limit=float(random.normal(4, 0.5)))
    if kind == 15:
        return Window(**plain, function="mean", over_s=600, **high)
    if kind == 16:
        return NoData(**plain, for_s=float(random.integers(600, 3600)))
    if kind == 17:
        other = f"a{(int(attribute[1:]) + 1) % ATTRIBUTES}"
        return Compare(**plain, comparison=">", other=other, offset=60, deadband=0.5)
    other = Threshold(attribute="a0", comparison="<", limit=100 - limit)
    return AnyOf(of=(Threshold(**plain, **high), other))


def measure(count: int, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds per run after some runs that fill the windows."""
    engine = Engine()
    began_s = time.perf_counter()
    engine.load(rules_of(count, 1), ())
    load_s = time.perf_counter() - began_s
    feed = Feed(options.stations, options.rows, 2)
    took_s, cpu_s, fired, states = [], [], 0, 0
    for n in range(options.warm + options.rounds):
        rows, now = feed.run(), BEGIN + timedelta(days=1)
        began_s, cpu_began_s = time.perf_counter(), time.process_time()
        found = engine.evaluate(rows, now)
        if n >= options.warm:
            took_s.append(time.perf_counter() - began_s)
            cpu_s.append(time.process_time() - cpu_began_s)
            fired += len(found.transitions)
            states += len(found.states)
    took_s.sort()
    return {
        "rules": count,
        "terms": len(engine.plan.leaves),
        "rows": options.rows,
        "series": options.stations * ATTRIBUTES,
        "load_s": round(load_s, 2),
        "median_ms": round(1000 * took_s[len(took_s) // 2], 1),
        "median_cpu_ms": round(1000 * sorted(cpu_s)[len(cpu_s) // 2], 1),
        "worst_ms": round(1000 * took_s[-1], 1),
        "transitions_per_run": round(fired / len(took_s), 1),
        "states_per_run": round(states / len(took_s), 1),
    }


def back_test(options: argparse.Namespace) -> dict[str, Any]:
    """Rows per second of one rule over rows as the history gives them, station after station."""
    rule = rules_of(1, 1)[0]
    engine = Engine()
    engine.load([rule], ())
    feed = Feed(1, options.back_test_rows // 10, 3)
    rows = feed.run()
    began_s = time.perf_counter()
    for _ in range(10):
        engine.evaluate(rows, BEGIN)
    took_s = time.perf_counter() - began_s
    count = 10 * rows.num_rows
    return {"rows": count, "rows_per_s": round(count / took_s), "took_s": round(took_s, 2)}


def run(arguments: list[str]) -> dict[str, object]:
    """One engine per number of rules."""
    parser = argparse.ArgumentParser(prog="dothi bench rules")
    parser.add_argument("--rules", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rows", type=int, default=20_000, help="observations per run")
    parser.add_argument("--stations", type=int, default=200)
    parser.add_argument("--warm", type=int, default=8, help="runs before it is measured")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--back-test-rows", type=int, default=10_000_000)
    options = parser.parse_args(arguments)
    return {
        "runs": [measure(count, options) for count in options.rules],
        "back_test": back_test(options) if options.back_test_rows else None,
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
