"""How the alarm system does: figures per operator position after ISA-18.2 and EEMUA 191.

ISA-18.2-2016 clause 16 (monitoring and assessment). Only announced alarms count: what is suppressed
burdens nobody.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from dothi.alarms.limits import Limits, Rate
from dothi.ports.alarms import Activation

TEN_MINUTES = timedelta(minutes=10)
MOST_FREQUENT = 10


class RateFigure(Struct, frozen=True):
    """Announced alarms in a stretch of time, against what is acceptable."""

    average: float
    most: int | None
    """In one such stretch; None: where the average is all there is."""
    limits: Rate
    verdict: str
    """acceptable, manageable or too_many, by the average."""


class Frequent(Struct, frozen=True):
    """A condition among the most frequent."""

    condition: str
    count: int
    share_percent: float


class Figures(Struct, frozen=True):
    """Of one position in one stretch of time."""

    announced: int
    per_ten_minutes: RateFigure
    per_hour: RateFigure
    per_day: RateFigure
    """Of shorter stretches: as if it went on like this."""
    periods: tuple[int, ...]
    """Announced alarms in each ten minutes, from the start."""
    floods: int
    """Periods with more alarms than an operator can follow."""
    flood_share_percent: float
    frequent: tuple[Frequent, ...]
    frequent_share_percent: float
    """Of the most frequent ones together."""
    mix_percent: tuple[float, float, float, float]
    """By priority, the most urgent first; zeros without alarms."""


def figures(
    activations: Sequence[Activation], start: datetime, end: datetime, limits: Limits
) -> Figures:
    """Figures of announced alarms from `start` (inclusive) to `end` (exclusive)."""
    count = len(activations)
    periods = _periods(activations, start, end)
    hours = _hours(activations, start, end)
    span_h = (end - start).total_seconds() / 3600
    floods = sum(n > limits.flood_alarms for n in periods)
    by_condition = Counter(one.condition for one in activations).most_common(MOST_FREQUENT)
    frequent = tuple(Frequent(c, n, _percent(n, count)) for c, n in by_condition)
    priorities = Counter(one.priority for one in activations)
    return Figures(
        announced=count,
        per_ten_minutes=_rate(count / (span_h * 6), max(periods), limits.per_ten_minutes),
        per_hour=_rate(count / span_h, max(hours), limits.per_hour),
        per_day=_rate(count / span_h * 24, None, limits.per_day),
        periods=tuple(periods),
        floods=floods,
        flood_share_percent=_percent(floods, len(periods)),
        frequent=frequent,
        frequent_share_percent=_percent(sum(n for _, n in by_condition), count),
        mix_percent=(
            _percent(priorities[1], count),
            _percent(priorities[2], count),
            _percent(priorities[3], count),
            _percent(priorities[4], count),
        ),
    )


def _periods(activations: Sequence[Activation], start: datetime, end: datetime) -> list[int]:
    return _stretches(activations, start, end, TEN_MINUTES)


def _hours(activations: Sequence[Activation], start: datetime, end: datetime) -> list[int]:
    return _stretches(activations, start, end, timedelta(hours=1))


def _stretches(
    activations: Sequence[Activation], start: datetime, end: datetime, each: timedelta
) -> list[int]:
    counts = [0] * max(1, -(-(end - start) // each))
    for one in activations:
        counts[(one.at - start) // each] += 1
    return counts


def _rate(average: float, most: int | None, limits: Rate) -> RateFigure:
    verdict = "too_many"
    if average <= limits.acceptable:
        verdict = "acceptable"
    elif average <= limits.manageable:
        verdict = "manageable"
    return RateFigure(round(average, 2), most, limits, verdict)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
