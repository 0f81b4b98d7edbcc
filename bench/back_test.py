"""A back-test of one rule over a long history whose every row it has to judge.

Gauges report a level every five minutes in slow walks; files are as the program leaves them, a day
each (and folded with --fold). Three rules: one that almost never fires, whose row groups statistics
leave out; one whose limit lies in the middle of the values, so that everything is decoded and much
fires; and one with a dated limit that changes during the time. `engine` is how many rows a second
the engine judges that takes rules of all kinds.

    uv run dothi bench back_test -- --rows 100e6
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dothi.model.row import LOG_SCHEMA, TIMESTAMP
from dothi.model.rule import DatedValue, LimitTable, Rule, Scope, Words
from dothi.model.rule_condition import DatedLimit, Threshold
from dothi.ports.history import History
from dothi.rules.past import Surroundings, back_test
from dothi.rules.scope import EntityFacts
from dothi.storage.lake.open import Lake, open_lake
from dothi.storage.lake.settings import LakeSettings

sys.path.insert(0, str(Path(__file__).parent))

from lake import NoHotRows, Then, at_rest

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
PERIOD_S = 300
PER_DAY = 86_400 // PERIOD_S
TABLE, LEVEL = "stage", "II"


def run(arguments: list[str]) -> dict[str, Any]:
    """Build a lake, test rules on it, delete it."""
    parser = argparse.ArgumentParser(prog="dothi bench back_test")
    parser.add_argument("--rows", type=float, default=100e6)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--engine-series", type=int, default=50, help="0: leave the engine out")
    parser.add_argument("--fold", action="store_true", help="fold thirds of the month first")
    parser.add_argument("--folder", type=Path, help="where the lake is built; kept when given")
    options = parser.parse_args(arguments)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="dothi-bench-back-test-"))
    series = max(1, round(options.rows / options.days / PER_DAY))
    names = [f"urn:ngsi-ld:WaterObserved:VN-{n:06d}" for n in range(series)]
    lake = open_lake(folder, LakeSettings())
    try:
        if not lake.table.snapshot().files:
            build(lake, names, options.days)
        end_at = BEGIN + timedelta(days=options.days)
        if options.fold:
            lake.upkeep(Then(end_at + timedelta(days=10))).fold()
        history = lake.history(NoHotRows())
        found = {name: measure(rule, names, end_at, history) for name, rule in rules().items()}
        some = names[: options.engine_series]
        if some:
            found["engine"] = measure(rules()["rare"], some, end_at, Unscanned(history))
        return {"lake": at_rest(lake), "series": series, **found}
    finally:
        lake.close()
        if options.folder is None:
            shutil.rmtree(folder)


def rules() -> dict[str, Rule]:
    """By what is measured."""
    dated = DatedLimit(table=TABLE, level=LEVEL)
    limits = {"rare": 3.2, "often": 1.6, "dated": dated}
    return {name: rule_of(limit) for name, limit in limits.items()}


def rule_of(limit: float | DatedLimit) -> Rule:
    return Rule(
        id="level",
        name=Words(vi="Mực nước"),
        scope=Scope(types=("WaterObserved",)),
        condition=Threshold(attribute="level", comparison=">=", limit=limit, deadband=0.02),
        priority=2,
        consequence=Words(vi="-"),
        response=Words(vi="-"),
        time_to_respond_s=600,
        on_delay_s=600,
        off_delay_s=600,
    )


def limits() -> LimitTable:
    """One that is raised in the middle of the month."""
    values = [(3.0, date(2026, 1, 1), date(2026, 9, 15)), (3.2, date(2026, 9, 15), None)]
    return LimitTable(
        name=TABLE,
        title=Words(vi="-"),
        values=tuple(
            DatedValue(
                level=LEVEL, valid_from=first, valid_to=last, source="bench", mark="synthetic",
                value=value,
            )
            for value, first, last in values
        ),
    )  # fmt: skip


class Types:
    """Every entity is of the type."""

    def look_up(self, entities: Sequence[str], *, with_areas: bool) -> list[EntityFacts]:
        return [EntityFacts(("WaterObserved",))] * len(entities)


class Unscanned:
    """The same history for the engine."""

    def __init__(self, history: History) -> None:
        self.raw, self.aggregate = history.raw, history.aggregate


def measure(rule: Rule, names: Sequence[str], end_at: datetime, history: History) -> dict[str, Any]:
    """Seconds of one back-test over everything."""
    around = Surroundings(history, Types(), (limits(),))
    began_s, cpu_began_s = time.perf_counter(), time.process_time()
    found = back_test(rule, names, (BEGIN, end_at), around)
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_began_s
    # What the screen asks for beside the figures.
    texts = [one.told.text for one in found.firings[-500:]]
    shown_s = time.perf_counter() - began_s
    return {
        "rows": found.rows,
        "fired": len(found.firings),
        "texts": len(texts),
        "with_texts_s": round(shown_s, 2),
        "took_s": round(took_s, 2),
        "cpu_s": round(cpu_s, 2),
        "rows_per_s": round(found.rows / took_s),
    }


def build(lake: Lake, names: Sequence[str], days: int) -> None:
    """One commit per day, as compaction leaves them."""
    chance = np.random.default_rng(4)
    names_column = pa.array(names)
    level = chance.normal(1.6, 0.4, len(names))
    seq = 0
    for day in range(days):
        walk = level + np.cumsum(chance.normal(0, 0.01, (PER_DAY, len(names))), axis=0)
        level = walk[-1] + 0.03 * (1.6 - walk[-1])
        lake.table.append(_rows(names_column, day, walk, seq), "bench", seq + walk.size, 10**7)
        seq += walk.size


def _rows(names: pa.Array, day: int, walk: np.ndarray[Any, Any], seq: int) -> pa.Table:
    """LOG_SCHEMA rows of a day in the order of arrival."""
    count = walk.size
    start_us = int((BEGIN + timedelta(days=day)).timestamp()) * 1_000_000
    us = np.repeat(start_us + np.arange(PER_DAY) * PERIOD_S * 1_000_000, len(names))
    entity = np.tile(np.arange(len(names), dtype=np.int32), PER_DAY)
    texts = {"source": "gw", "entity_type": "WaterObserved", "attribute": "level", "dataset": ""}
    flags = {"quality": 1, "kind": 1, "change": 1, "revision": 0, "lane": 0}
    columns = {
        "seq": pa.array(seq + 1 + np.arange(count)),
        "entity": pa.DictionaryArray.from_arrays(pa.array(entity), names).cast(pa.string()),
        "observed_at": pa.array(us).cast(TIMESTAMP),
        "committed_at": pa.array(us + 2_000_000).cast(TIMESTAMP),
        "number": pa.array(np.round(walk.ravel(), 3)),
    }
    columns |= {name: pa.repeat(text, count) for name, text in texts.items()}
    for name, flag in flags.items():
        columns[name] = pa.repeat(pa.scalar(flag, LOG_SCHEMA.field(name).type), count)
    empty = {f.name: pa.nulls(count, f.type) for f in LOG_SCHEMA if f.name not in columns}
    columns |= empty
    return pa.table([columns[f.name] for f in LOG_SCHEMA], schema=LOG_SCHEMA)
