"""Alarms for tests: transitions, limits, and a tiny evaluator in place of the rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pyarrow as pa

from dothi.alarms.changes import Context
from dothi.alarms.limits import Limits, read_limits
from dothi.model.alarm import RuleFacts
from dothi.model.priority import Priority
from dothi.model.transition import NOTHING, Evaluated, StoredState, Transition
from dothi.ports.evaluator import RulesInForce

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PHU_AN = "urn:ngsi-ld:WaterObserved:phu-an"


def limits() -> Limits:
    """Those that dothi brings."""
    return read_limits((files("dothi.alarms") / "limits.toml").read_text(encoding="utf-8"))


def context(now: datetime = NOW, **given: Any) -> Context:
    return Context(now, limits(), "operator", **given)


def transition(
    is_active: bool = True,
    at_s: float = 0.0,
    *,
    rule: str = "high-water",
    entity: str = PHU_AN,
    priority: Priority = Priority.HIGH,
    seq: int = 1,
    version: int = 1,
) -> Transition:
    """A change of a condition `at_s` seconds after NOW."""
    at = NOW + timedelta(seconds=at_s)
    text = "1.62 m > 1.50 m" if is_active else "1.40 m"
    vi, told = text.replace(".", ","), '{"limit": 1.5}'
    return Transition(rule, version, entity, is_active, at, seq, priority, vi, told, text)


@dataclass
class OverLimit:
    """An evaluator: active while `number` of an entity is above 1; knows only the last verdict.

    Rows are few in tests, so that a loop over them may stand here.
    """

    states: dict[str, bool] = field(default_factory=dict)

    def load(self, states: Sequence[StoredState]) -> None:
        self.states = {state.entity: bool(state.body) for state in states}

    def evaluate(self, rows: pa.Table, now: datetime) -> Evaluated:
        transitions: list[Transition] = []
        changed: dict[str, bool] = {}
        columns = (rows[name].to_pylist() for name in ("entity", "number", "observed_at", "seq"))
        for entity, number, at, seq in zip(*columns, strict=True):
            if number is None:
                continue
            is_active = number > 1
            if is_active == self.states.get(entity, False):
                continue
            self.states[entity] = changed[entity] = is_active
            transitions.append(
                Transition(
                    "over", 1, entity, is_active, at, seq, Priority.HIGH, f"{number:g}", "{}"
                )
            )
        return Evaluated(
            transitions,
            [StoredState("over", e, b"1" if a else b"") for e, a in changed.items()],
        )

    def tick(self, now: datetime) -> Evaluated:
        return NOTHING

    def next_due(self) -> datetime | None:
        return None


def rules_of(
    evaluator: OverLimit, load: Any = None, facts: RuleFacts | None = None
) -> RulesInForce:
    """The tiny evaluator as the watch wants it; one rule."""
    return RulesInForce(evaluator, load or (lambda: 1), lambda _r, _v: facts or RuleFacts("Over"))
