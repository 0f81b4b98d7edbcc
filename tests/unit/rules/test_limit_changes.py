"""Dated limits are added and ended; what was valid on a day never changes silently."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from dothi.model.moments import us_of
from dothi.model.problem import Problem
from dothi.model.rule import DatedValue, LimitTable, Words
from dothi.model.rule_condition import DatedLimit
from dothi.rules.limit_changes import (
    By,
    Key,
    check_kept,
    ended,
    put_as_whole,
    verified,
    with_value,
)
from dothi.rules.limits import DatedLimits

BY = By("minh", datetime(2026, 11, 27, tzinfo=UTC), "repealed")
EMPTY = LimitTable(name="levels", title=Words(vi="cấp"), unit="MTR")


def value(number: float, year: int, to: int | None = None, *, entity: str = "") -> DatedValue:
    return DatedValue(
        level="II", valid_from=date(year, 1, 1), source=f"decision {year}", mark="unverified",
        entity=entity, value=number, valid_to=None if to is None else date(to, 1, 1),
    )  # fmt: skip


def table(*values: DatedValue) -> LimitTable:
    found = EMPTY
    for one in values:
        found = with_value(found, one, BY)
    return found


def on(found: LimitTable, year: int, entity: str = "") -> float | None:
    at_us = us_of(datetime(year, 6, 1, tzinfo=UTC))
    limit = DatedLimits([found]).find(DatedLimit(table="levels", level="II"), entity, at_us)
    return None if limit is None else limit.value


def test_a_new_limit_ends_the_one_before_and_leaves_its_number() -> None:
    found = table(value(1.4, 2020), value(1.5, 2026))
    assert [on(found, year) for year in (2019, 2020, 2025, 2026)] == [None, 1.4, 1.4, 1.5]
    first, second = found.values
    assert (first.valid_to, first.ended_by, first.end_reason) == (
        date(2026, 1, 1),
        "minh",
        "→ decision 2026",
    )
    assert (second.added_by, second.added_at, second.valid_to) == ("minh", BY.at, None)


def test_limits_of_one_entity_and_of_all_do_not_disturb_each_other() -> None:
    found = table(value(1.4, 2020), value(1.6, 2021, entity="urn:a"))
    assert (on(found, 2026), on(found, 2026, "urn:a")) == (1.4, 1.6)


@pytest.mark.parametrize(
    ("there", "new", "code"),
    [
        (value(1.4, 2020), value(1.5, 2020), "limit_known"),
        (value(1.4, 2020), value(1.5, 2010), "limit_overlaps"),
        (value(1.4, 2020), value(1.5, 2010, 2021), "limit_overlaps"),
        (value(1.4, 2020, 2024), value(1.5, 2023), "limit_overlaps"),
        (value(1.4, 2020), value(1.5, 2025, 2025), "limit_incomplete"),
    ],
)
def test_what_would_make_two_limits_on_one_day_is_refused(
    there: DatedValue, new: DatedValue, code: str
) -> None:
    with pytest.raises(Problem) as refused:
        table(there, new)
    assert refused.value.code == code


def test_a_gap_before_another_is_filled_when_it_has_an_end() -> None:
    found = table(value(1.4, 2020), value(1.2, 2010, 2020))
    assert [on(found, year) for year in (2015, 2020)] == [1.2, 1.4]


def test_a_limit_ends_with_a_reason_and_only_once() -> None:
    found = table(value(1.4, 2020))
    key = Key("II", "", date(2020, 1, 1))
    with pytest.raises(Problem, match="needs a text"):
        ended(found, key, date(2026, 1, 1), By("minh", BY.at))
    over = ended(found, key, date(2026, 1, 1), BY)
    assert [on(over, year) for year in (2025, 2026)] == [1.4, None]
    assert over.values[0].end_reason == "repealed"
    with pytest.raises(Problem, match="ends on 2026-01-01"):
        ended(over, key, date(2027, 1, 1), BY)
    with pytest.raises(Problem, match="valid from 2020"):
        ended(found, key, date(2019, 1, 1), BY)
    with pytest.raises(Problem, match="has no II"):
        ended(found, Key("II", "urn:a", date(2020, 1, 1)), date(2026, 1, 1), BY)


def test_a_wrong_number_is_taken_back_and_stays_on_record() -> None:
    key = Key("II", "", date(2020, 1, 1))
    gone = ended(table(value(14.0, 2020)), key, date(2020, 1, 1), BY)
    assert on(gone, 2021) is None
    again = with_value(gone, value(1.4, 2020), BY)
    assert [one.value for one in again.values] == [14.0, 1.4]
    assert on(again, 2021) == 1.4
    assert [one.mark for one in verified(again, key, BY, 1).values] == ["unverified", "verified"]


def test_a_second_person_compares_with_the_text() -> None:
    key = Key("II", "", date(2020, 1, 1))
    with pytest.raises(Problem, match="entered by minh") as caught:
        verified(table(value(1.4, 2020)), key, BY, people=2)
    assert (caught.value.code, caught.value.status) == ("limit_own", 409)
    second = By("lan", BY.at)
    (done,) = verified(table(value(1.4, 2020)), key, second, people=2).values
    assert (done.mark, done.added_by, done.verified_by) == ("verified", "minh", "lan")


def test_a_whole_table_says_who_put_it_and_verifies_nothing() -> None:
    before = table(value(1.4, 2020))
    claimed = replace(value(1.5, 2026), added_by="lan", verified_by="lan", mark="as published")
    after = put_as_whole(before, replace(before, values=(*before.values, claimed)), BY, people=2)
    assert after.values[0] == before.values[0]
    assert (after.values[1].added_by, after.values[1].verified_by) == ("minh", "")
    sure = replace(before, values=(*before.values, replace(claimed, mark="verified")))
    with pytest.raises(Problem, match="new and marked as verified"):
        put_as_whole(before, sure, BY, people=2)
    assert put_as_whole(before, sure, BY, people=1).values[1].mark == "verified"


def test_a_whole_table_may_add_and_not_change() -> None:
    before = table(value(1.4, 2020))
    check_kept(None, before)
    check_kept(before, table(value(1.4, 2020)))
    with pytest.raises(Problem, match="changed or lost: II of 2020-01-01"):
        check_kept(before, table(value(1.5, 2020)))
