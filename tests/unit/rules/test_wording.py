"""What lists show of a rule: both languages, units, the decimal sign of each language."""

import json
import re
from datetime import date

import pytest

from dothi.model import unit_symbols
from dothi.model.rule import DatedValue, LimitTable, Words
from dothi.model.rule_condition import (
    Compare,
    Condition,
    DatedLimit,
    Flagged,
    NoData,
    Rate,
    Stuck,
    Threshold,
    Window,
)
from dothi.rules.engine import Engine
from dothi.rules.explanation import re_evaluate
from dothi.rules.wording import Vocabulary, duration_text, number_text
from rule_rows import GAUGE, after, rows, rule
from support.node import CONSOLE

WORDS = Vocabulary({"level": Words(vi="Mực nước", en="Water level")}, {"level": "MTR"})


def texts(condition: Condition, *given: object, tick_s: float = 0.0) -> list[tuple[str, str]]:
    """Both texts of what a rule does with rows and, after them, with time."""
    engine = Engine(vocabulary=WORDS)
    named = rule(condition, name=Words(vi="Nước cao", en="High water"))
    engine.load([named], ())
    run = [*engine.evaluate(rows(*given), after(0)).transitions]  # type: ignore[arg-type]
    if tick_s:
        run += engine.tick(after(tick_s)).transitions
    assert all(re_evaluate(one.explanation).agrees for one in run if one.is_active)
    return [(one.text, one.text_en) for one in run]


def test_a_value_stands_against_its_limit_with_unit_and_decimal_sign() -> None:
    found = texts(
        Threshold(attribute="level", comparison=">=", limit=1.5, deadband=0.25),
        (0, 1.6180339), (60, 1.2),
    )  # fmt: skip
    assert found == [
        ("Nước cao: Mực nước 1,62 m ≥ 1,5 m", "High water: Water level 1.62 m ≥ 1.5 m"),
        ("Nước cao: Mực nước 1,2 m < 1,5 m", "High water: Water level 1.2 m < 1.5 m"),
    ]


def test_rounding_does_not_make_a_value_equal_to_the_limit() -> None:
    [(vi, _)] = texts(Threshold(attribute="level", comparison=">", limit=1.5), (0, 1.5004))
    assert vi == "Nước cao: Mực nước 1,5004 m > 1,5 m"


@pytest.mark.parametrize(
    ("condition", "given", "vi", "en"),
    [
        (
            Rate(attribute="level", over_s=3600, comparison=">", limit=0.3),
            [(0, 1.0), (1800, 1.25)],
            "Mực nước, thay đổi: 0,5 m/giờ > 0,3 m/giờ",
            "Water level, change: 0.5 m/h > 0.3 m/h",
        ),
        (
            Rate(attribute="level", over_s=3600, comparison=">", limit=0.3),
            [(0, 1.0), (3600, 1.8049562)],
            "Mực nước, thay đổi: 0,805 m/giờ > 0,3 m/giờ",
            "Water level, change: 0.805 m/h > 0.3 m/h",
        ),
        (
            Window(attribute="level", function="mean", over_s=7200, comparison=">", limit=1.0),
            [(0, 1.0), (600, 2.0)],
            "Mực nước, trung bình 2 giờ: 1,5 m > 1 m",
            "Water level, mean of 2 h: 1.5 m > 1 m",
        ),
        (
            Window(attribute="level", function="count", over_s=600, comparison=">=", limit=2.0),
            [(0, 1.0), (60, 2.0)],
            "Mực nước, số lần trong 10 phút: 2 ≥ 2",
            "Water level, times in 10 min: 2 ≥ 2",
        ),
        (
            Stuck(attribute="level", for_s=600, min_count=2),
            [(n * 100, 1.0) for n in range(8)],
            "Mực nước: không đổi trong 10 phút",
            "Water level: has not changed for 10 min",
        ),
        (
            Flagged(attribute="level", flags=("bad",)),
            [{"s": 0, "number": 1.0, "quality": 4}],
            "Mực nước: chất lượng xấu",
            "Water level: quality bad",
        ),
        (
            Compare(attribute="level", comparison=">", other="gate", factor=2.0),
            [{"s": 0, "attribute": "gate", "number": 0.5, "seq": 1}, {"s": 1, "number": 1.2}],
            "Mực nước 1,2 m > 1 m",
            "Water level 1.2 m > 1 m",
        ),
    ],
    ids=lambda one: type(one).__name__,
)
def test_each_figure_says_what_it_is(
    condition: Condition, given: list[object], vi: str, en: str
) -> None:
    assert texts(condition, *given)[0] == (f"Nước cao: {vi}", f"High water: {en}")


@pytest.mark.parametrize(
    ("level", "told"), [("24 h", "45 µg/m³"), ("1 h", "45 µg/m³ (1 h)"), ("II", "45 µg/m³ (II)")]
)
def test_a_level_named_after_its_window_is_not_told_twice(level: str, told: str) -> None:
    value = DatedValue(
        entity="", level=level, value=45.0, valid_from=date(2020, 1, 1), source="s", mark="m"
    )
    table = LimitTable(name="air", title=Words(vi="Không khí"), values=(value,))
    vocabulary = Vocabulary({"dust": Words(vi="Bụi", en="Dust")}, {"dust": "GQ"})
    engine = Engine(limits=[table], vocabulary=vocabulary)
    limit = DatedLimit(table="air", level=level)
    mean = Window(attribute="dust", function="mean", over_s=86_400, comparison=">", limit=limit)
    engine.load([rule(mean, name=Words(vi="Bụi cao", en="Dust"))], ())
    given = {"s": 0, "attribute": "dust", "number": 46.25, "unit": "GQ"}
    [one] = engine.evaluate(rows(given), after(0)).transitions
    assert one.text == f"Bụi cao: Bụi, trung bình 24 giờ: 46,2 µg/m³ > {told}"


def test_silence_says_how_long_and_that_it_is_over() -> None:
    given = [(0, 1.0), (3600, 1.1)]
    silent, back = texts(NoData(attribute="level", for_s=900), *given)
    assert silent[1] == "High water: Water level: no data for 1 h (limit 15 min)"
    assert back == (
        "Nước cao: Mực nước: lại có số liệu",
        "High water: Water level: data again",
    )


def test_the_rows_say_the_unit_of_what_nobody_described() -> None:
    engine = Engine()
    condition = Threshold(attribute="flow", comparison=">", limit=9.0)
    engine.load([rule(condition, name=Words(en="Flow"))], ())
    given = {"s": 0, "attribute": "flow", "number": 9.5, "unit": "MQS"}
    [one] = engine.evaluate(rows(given), after(0)).transitions
    assert (one.text, one.text_en) == (
        "Flow: flow 9,5 m³/s > 9 m³/s",
        "Flow: flow 9.5 m³/s > 9 m³/s",
    )
    assert json.loads(one.explanation)["terms"][0]["unit"] == "MQS"


def test_texts_of_what_is_delayed_survive_a_restart() -> None:
    condition = Threshold(attribute="level", comparison=">", limit=1.0)
    delayed = rule(condition, name=Words(vi="Nước cao", en="High water"), on_delay_s=60.0)
    engine = Engine(vocabulary=WORDS)
    engine.load([delayed], ())
    states = engine.evaluate(rows((0, 2.0)), after(0)).states
    again = Engine(vocabulary=WORDS)
    again.load([delayed], states)
    [one] = again.tick(after(61)).transitions
    assert (one.entity, one.text_en) == (GAUGE, "High water: Water level 2 m > 1 m")


def test_numbers_and_times() -> None:
    assert number_text(1234567.0, "vi") == "1234570"
    assert number_text(-0.0001, "en", 2) == "0"
    assert number_text(-1.25, "vi", 2) == "\N{MINUS SIGN}1,25"
    assert number_text(0.000012, "vi") == "0,000012"
    assert [duration_text(s, "en") for s in (45, 90, 119, 900, 3600, 7200, 86_400, 200_000)] == [
        "45 s", "90 s", "119 s", "15 min", "1 h", "2 h", "24 h", "2 d",
    ]  # fmt: skip


def test_the_console_has_the_same_symbols() -> None:
    text = (CONSOLE / "src/format/unit.ts").read_text(encoding="utf-8")
    found = re.findall(r"^  '?(\w+)'?: \['([^']*)'(?:, (\d))?\],$", text, re.MULTILINE)
    assert len(found) > 30
    for code, symbol, decimals in found:
        assert unit_symbols.symbol_of(code) == symbol
        assert unit_symbols.decimals_of(code) == (int(decimals) if decimals else None)
