"""Figures of the alarm system, computed by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from alarm_parts import limits
from dothi.alarms.performance import Figures, RateFigure, figures
from dothi.ports.alarms import Activation

START = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)


def of(minutes: list[float], hours: float = 8.0, priority: int = 4) -> Figures:
    found = [Activation(START + timedelta(minutes=m), "c", priority) for m in minutes]
    return figures(found, START, START + timedelta(hours=hours), limits())


def spread(count: int, hours: float = 8.0) -> list[float]:
    return [n * hours * 60 / count for n in range(count)]


def test_the_limits_are_those_of_the_design() -> None:
    found = limits()
    rates = (found.per_ten_minutes, found.per_hour, found.per_day)
    assert [(r.acceptable, r.manageable) for r in rates] == [(1, 2), (6, 12), (150, 300)]
    mix = found.mix_percent
    assert (mix.low, mix.medium, mix.high) == (80.0, 15.0, 5.0)
    assert (found.flood_alarms, found.flood_share_percent) == (10, 1.0)


@pytest.mark.parametrize(
    ("figure", "hours", "counts"),
    [
        ("per_ten_minutes", 1 / 6, (1, 2, 3)),
        ("per_hour", 1.0, (6, 12, 13)),
        ("per_day", 24.0, (150, 300, 301)),
    ],
)
def test_verdicts_turn_at_the_limits(
    figure: str, hours: float, counts: tuple[int, int, int]
) -> None:
    words = ("acceptable", "manageable", "too_many")
    for count, word in zip(counts, words, strict=True):
        found: RateFigure = getattr(of(spread(count, hours), hours), figure)
        assert (found.average, found.verdict) == (count, word)
    one_more: RateFigure = getattr(of(spread(counts[0] + 1, hours), hours), figure)
    assert one_more.verdict == "manageable"


def test_averages_and_the_worst_stretch() -> None:
    """An 8-hour shift: 3 alarms in the first ten minutes, 5 in the hour, 1 in the last minute."""
    found = of([0, 1, 9.99, 10, 59.9, 60, 479])
    assert found.announced == 7
    assert found.periods[:2] == (3, 1)
    assert len(found.periods) == 48
    assert sum(found.periods) == 7
    ten, hour, day = found.per_ten_minutes, found.per_hour, found.per_day
    assert (ten.average, ten.most) == (0.15, 3)  # 7 / 48
    assert (hour.average, hour.most) == (0.88, 5)  # 7 / 8
    assert (day.average, day.most) == (21.0, None)  # 7 / 8 * 24


def test_a_flood_is_more_than_ten_in_ten_minutes_and_one_percent_of_the_time_may_be_one() -> None:
    most = limits().flood_share_percent
    ten = of([1.0] * 10)
    assert (ten.floods, ten.flood_share_percent) == (0, 0.0)
    eleven = of([1.0] * 11 + [11.0] * 10)
    assert (eleven.floods, eleven.flood_share_percent) == (1, 2.08)  # 1 of 48 periods
    assert eleven.flood_share_percent > most
    week = of([1.0] * 11, hours=168.0)
    assert (week.floods, week.flood_share_percent) == (1, 0.1)  # 1 of 1008 periods
    assert week.flood_share_percent < most


def test_the_ten_most_frequent_and_their_share() -> None:
    """c0 once, c1 twice, ... c11 twelve times: 78; the ten most frequent have 75 of them."""
    found = [Activation(START, f"c{n}", 4) for n in range(12) for _ in range(n + 1)]
    told = figures(found, START, START + timedelta(hours=8), limits())
    assert [(one.condition, one.count) for one in told.frequent] == [
        (f"c{n}", n + 1) for n in range(11, 1, -1)
    ]
    assert told.frequent[0].share_percent == 15.38  # 12 / 78
    assert told.frequent_share_percent == 96.15  # 75 / 78


def test_the_mix_of_priorities_is_held_against_80_15_5() -> None:
    counts = {1: 1, 2: 4, 3: 15, 4: 80}
    found = [Activation(START, "c", p) for p, count in counts.items() for _ in range(count)]
    told = figures(found, START, START + timedelta(hours=8), limits())
    assert told.mix_percent == (1.0, 4.0, 15.0, 80.0)
    mix = limits().mix_percent
    high = told.mix_percent[0] + told.mix_percent[1]
    assert (high, *told.mix_percent[2:]) == (mix.high, mix.medium, mix.low)


def test_without_alarms_everything_is_nought() -> None:
    found = of([])
    assert (found.announced, found.floods, found.frequent_share_percent) == (0, 0, 0.0)
    assert found.mix_percent == (0.0, 0.0, 0.0, 0.0)
    assert found.per_ten_minutes.verdict == "acceptable"
    assert found.frequent == ()
