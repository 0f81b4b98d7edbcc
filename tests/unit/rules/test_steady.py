"""Time that only passes: what alarms that nobody acknowledged are escalated by."""

import pytest

from dothi.rules.steady import Steady


@pytest.mark.parametrize("jump_us", [3 * 3_600_000_000, -3 * 3_600_000_000])
def test_a_jump_changes_nothing_and_is_known(jump_us: int) -> None:
    passed = [100.0]
    steady = Steady(lambda: passed[0])
    assert steady.us(5_000_000) == 5_000_000
    passed[0] += 60
    assert steady.us(65_000_000 + jump_us) == steady.last_us == 65_000_000
    assert steady.clock_us(70_000_000) == 70_000_000 + jump_us
    passed[0] += 60
    assert steady.us(125_000_000 + jump_us) == 125_000_000
    assert steady.us(125_000_000) == 125_000_000, "set back again"


def test_a_clock_that_is_trimmed_is_followed() -> None:
    passed = [0.0]
    steady = Steady(lambda: passed[0])
    for n in range(100):
        passed[0] = float(n)
        clock_us = round(n * 1.5e6)
        assert steady.us(clock_us) == clock_us
    assert Steady(None).us(7) == 7
