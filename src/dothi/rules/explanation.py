"""Why a rule fired, as data that can be decided again."""

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from dothi.model.moments import at_of
from dothi.model.rule_condition import DatedLimit
from dothi.rules.limits import DatedLimits, edges
from dothi.rules.plan import LeafPlan, Tree, verdict

MAX_POINTS = 2_000
"""Values of a window that are told one by one; of longer ones only what the figure needs."""


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a dated limit comes from."""

    table: str
    level: str
    source: str
    mark: str
    valid_from: str
    valid_to: str | None = None


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An observation by its key, with the value that was used."""

    entity: str
    attribute: str
    observed_at: datetime
    seq: int
    value: float | None = None
    dataset: str = ""


class Term(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A limit on a figure, and how the figure stood to it."""

    attribute: str
    figure: str
    comparison: str
    limit: float | None
    """None: the source gives no number."""
    deadband: float = 0.0
    limit_source: Source | None = None
    value: float | None = None
    """None: undecidable."""
    reason: str = ""
    """Why it is undecidable."""
    was_on: bool = False
    """How it stood before; counts within the deadband."""
    verdict: bool | None = None
    window_s: float = 0.0
    parameters: tuple[float, ...] = ()
    counts: tuple[str, float] | None = None
    """Windows: which values are counted."""
    inputs: tuple[Input, ...] = ()
    other: float | None = None
    points: tuple[tuple[datetime, float, int], ...] = ()
    """Windows: time, value and seq of what was in it."""
    unit: str = ""
    """UN/CEFACT code of value and limit (of a rate, of what changes); empty: not known."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    rule: str
    version: int
    entity: str
    is_active: bool
    """What the rule became: true active, false normal."""
    decided_at: datetime
    """When the terms stood so."""
    takes_effect_at: datetime
    """After the delay."""
    evaluated_at: datetime
    tree: Any
    terms: tuple[Term, ...]
    delay_s: float = 0.0
    approved_by: str = ""
    author: str = ""
    note: str = ""


class Checked(msgspec.Struct, frozen=True):
    """What deciding again gave."""

    agrees: bool
    verdict: bool | None
    terms: tuple[bool | None, ...]


def judge(leaf: LeafPlan, limit: float | None, value: float | None, was_on: bool) -> bool | None:
    """How a figure stands to a limit; within the deadband as it stood before."""
    if limit is None or value is None:
        return None
    on, off = edges(leaf, limit)
    if leaf.sign * value >= on:
        return True
    return False if leaf.sign * value < off else was_on


def limit_source(leaf: LeafPlan, entity: str, at_us: int, dated: DatedLimits) -> Source | None:
    """Of a dated limit: what says so."""
    if not isinstance(leaf.limit, DatedLimit):
        return None
    found = dated.find(leaf.limit, entity, at_us)
    if found is None or found.origin is None:
        return None
    origin = found.origin
    return Source(
        table=leaf.limit.table,
        level=leaf.limit.level,
        source=origin.source,
        mark=origin.mark,
        valid_from=origin.valid_from.isoformat(),
        valid_to=None if origin.valid_to is None else origin.valid_to.isoformat(),
    )


def re_evaluate(text: str | bytes) -> Checked:
    """Decide a stored explanation again, from its inputs alone.

    Raises:
        msgspec.DecodeError: not an explanation.
    """
    told = msgspec.json.decode(text, type=Explanation)
    verdicts = tuple(_again(term) for term in told.terms)
    found = verdict(_tree(told.tree), verdicts)
    agrees = found is told.is_active and all(
        again == term.verdict for again, term in zip(verdicts, told.terms, strict=True)
    )
    return Checked(agrees, found, verdicts)


def agrees(text: str | bytes) -> bool:
    """Whether a stored explanation, decided again, says the same; not if it cannot be decided."""
    try:
        return re_evaluate(text).agrees
    except (msgspec.MsgspecError, ArithmeticError, LookupError, TypeError, ValueError):
        return False


def _again(term: Term) -> bool | None:
    if term.limit is None or term.value is None:
        return None
    leaf = LeafPlan(0, 0, 0, term.comparison, term.limit, term.deadband, term.attribute)
    return judge(leaf, term.limit, figure_again(term), term.was_on)


def figure_again(term: Term) -> float | None:
    """The figure of a term from its inputs."""
    values = [value for _, value, _ in term.points]
    if term.figure in {"value", "flag", "fence", "silence"} or not values:
        if term.figure in {"difference", "forecast"} and term.other is not None:
            factor, offset = term.parameters
            left = term.inputs[0].value if term.inputs else None
            return None if left is None else left - (term.other * factor + offset)
        if term.figure == "value" and term.inputs:
            return term.inputs[0].value
        return term.value
    return _window_again(term, values)


def _window_again(term: Term, values: list[float]) -> float | None:
    if term.figure == "rate":
        took_s = (term.points[-1][0] - term.points[0][0]).total_seconds()
        return (values[-1] - values[0]) * term.parameters[0] / took_s
    if term.counts is not None:
        comparison, limit = term.counts
        leaf = LeafPlan(0, 0, 0, comparison, limit, 0.0, "")
        return float(sum(judge(leaf, limit, value, False) is True for value in values))
    return {
        "count": lambda: float(len(values)),
        "sum": lambda: _sum(values),
        "mean": lambda: _sum(values) / len(values),
        "min": lambda: min(values),
        "max": lambda: max(values),
        "spread": lambda: min(values) - max(values),
    }[term.figure]()


def _sum(values: list[float]) -> float:
    # As the engine adds, so that the same values give the same bits.
    import numpy as np

    return float(np.add.reduceat(np.array([*values, 0.0]), [0, len(values)])[0])


def _tree(told: Any) -> Tree:
    kind = told[0]
    if kind == "leaf":
        return ("leaf", told[1])
    if kind == "not":
        return ("not", _tree(told[1]))
    parts = [_tree(part) for part in told[-1]]
    return (kind, told[1], parts) if kind == "least" else (kind, parts)


@lru_cache(1_000)
def iso(us: int) -> datetime:
    """A time of an explanation."""
    return at_of(us)
