"""Rules and rows of the log for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from dothi.model.row import LOG_SCHEMA, Change
from dothi.model.rule import Rule, Scope, Words
from dothi.model.rule_condition import Condition
from dothi.model.transition import Transition

T0 = datetime(2026, 11, 22, tzinfo=UTC)
GAUGE = "urn:ngsi-ld:WaterObserved:phu-an"


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def rule(condition: Condition, **fields: Any) -> Rule:
    given: dict[str, Any] = {
        "id": "r",
        "name": Words(vi="Luật"),
        "scope": Scope(types=("WaterObserved",)),
        "condition": condition,
        "priority": 2,
        "consequence": Words(vi="-"),
        "response": Words(vi="-"),
        "time_to_respond_s": 600,
        "author": "lan",
        "approved_by": "minh",
        "approved_at": T0,
    }
    return Rule(**given | fields)


def rows(*values: dict[str, Any] | tuple[float, float | None]) -> pa.Table:
    """LOG_SCHEMA rows: (seconds after T0, number) of the gauge's level, or columns."""
    full = []
    for n, value in enumerate(values, 1):
        given = value if isinstance(value, dict) else {"s": value[0], "number": value[1]}
        at = after(given.pop("s", 0.0))
        full.append(
            {
                "lane": 0, "seq": n, "source": "s", "entity": GAUGE, "entity_type": "WaterObserved",
                "attribute": "level", "dataset": "", "observed_at": at, "quality": 1, "kind": 1,
                "change": int(Change.UPSERT), "batch": "b", "committed_at": at, "revision": 0,
                **given,
            }
        )  # fmt: skip
    return pa.Table.from_pylist(full, LOG_SCHEMA)


def told(transitions: Any) -> list[tuple[bool, float]]:
    """New state and seconds after T0."""
    found: list[Transition] = list(transitions)
    return [(one.is_active, (one.at - T0).total_seconds()) for one in found]
