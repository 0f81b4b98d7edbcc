"""ports.rules: drafts wait for approval, versions stay, states come back with the cursor."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dothi.model.rule import DatedValue, LimitTable, Rule, Scope, Words
from dothi.model.rule_condition import Threshold
from dothi.model.transition import StoredState
from dothi.storage.relational.cursors import move
from dothi.storage.relational.rules import RelationalRules, put_states
from tests.contract.conftest import Opener

NOW = datetime(2026, 11, 1, 8, 0, 0, 123456, tzinfo=UTC)


def draft(name: str = "level", limit: float = 1.5) -> Rule:
    return Rule(
        id=name,
        name=Words(vi="Mực nước", en="Level"),
        scope=Scope(types=("WaterObserved",)),
        condition=Threshold(attribute="level", comparison=">=", limit=limit, deadband=0.05),
        priority=2,
        consequence=Words(vi="ngập"),
        response=Words(vi="báo"),
        time_to_respond_s=600,
        author="lan",
    )


def test_a_draft_does_nothing_until_it_is_approved(reopen: Opener) -> None:
    rules = RelationalRules(reopen().engine)
    made = rules.add(draft(), NOW)
    assert (made.version, made.created_at, made.approved_at) == (1, NOW, None)
    assert rules.in_force() == []
    before = rules.revision()
    assert rules.approve("level", 1, "minh", NOW + timedelta(minutes=1))
    assert not rules.approve("level", 1, "minh", NOW), "approved once"
    assert not rules.approve("level", 9, "minh", NOW)
    assert rules.revision() > before
    rules = RelationalRules(reopen().engine)
    (in_force,) = rules.in_force()
    assert in_force.approved_by == "minh"
    assert in_force.approved_at == NOW + timedelta(minutes=1)
    plain = msgspec.structs.replace(in_force, approved_by="", approved_at=None, created_at=None)
    assert plain == draft()


def test_the_newest_approved_version_is_in_force_when_switched_on(reopen: Opener) -> None:
    rules = RelationalRules(reopen().engine)
    rules.add(draft(), NOW)
    rules.approve("level", 1, "minh", NOW)
    assert rules.add(draft(limit=1.6), NOW).version == 2
    record = rules.get("level")
    assert record is not None
    assert record.approved is not None
    assert (record.approved.version, record.newest.version) == (1, 2)
    assert [rule.version for rule in rules.in_force()] == [1]
    rules.approve("level", 2, "minh", NOW)
    assert [rule.version for rule in rules.in_force()] == [2]
    assert rules.switch("level", is_enabled=False, by="minh", at=NOW)
    assert rules.in_force() == []
    record = rules.get("level")
    assert record is not None
    assert (record.switched_by, record.switched_at, record.is_enabled) == ("minh", NOW, False)
    assert not rules.switch("unknown", is_enabled=True, by="minh", at=NOW)
    assert rules.get("unknown") is None
    assert [one.id for one in rules.all()] == ["level"]


def test_limits_are_replaced_by_name(reopen: Opener) -> None:
    rules = RelationalRules(reopen().engine)
    value = DatedValue(
        level="I", valid_from=NOW.date(), source="decision", mark="verified", value=None
    )
    table = LimitTable(name="levels", title=Words(vi="cấp"), values=(value,))
    rules.put_limits([table])
    before = rules.revision()
    rules.put_limits([msgspec.structs.replace(table, unit="MTR")])
    assert rules.revision() > before
    assert RelationalRules(reopen().engine).limits() == [msgspec.structs.replace(table, unit="MTR")]


def test_states_move_with_the_cursor(reopen: Opener) -> None:
    store = reopen()
    states = [StoredState("level", f"e{n}", b"old") for n in range(1, 900)]
    with store.engine.begin() as connection:
        put_states(connection, [*states, StoredState("", "snapshot", b"all")])
        move(connection, "alarms", 7)
    with store.engine.begin() as connection:
        gone = [StoredState("level", f"e{n}", b"") for n in range(2, 900)]
        put_states(connection, [StoredState("level", "e1", b"new"), *gone])
    store = reopen()
    found = sorted(RelationalRules(store.engine).states(), key=lambda s: (s.rule, s.entity))
    assert found == [StoredState("", "snapshot", b"all"), StoredState("level", "e1", b"new")]
    assert store.cursors.position("alarms") == 7


def test_limits_change_within_one_transaction(reopen: Opener) -> None:
    rules = RelationalRules(reopen().engine)
    table = LimitTable(name="levels", title=Words(vi="cấp"))

    def refuse(found: LimitTable | None) -> LimitTable:
        assert found is None
        raise ValueError("no")

    before = rules.revision()
    with pytest.raises(ValueError, match="no"):
        rules.change_limits("levels", refuse)
    assert (rules.limits(), rules.revision()) == ([], before)
    assert rules.change_limits("levels", lambda found: table) == table
    changed = rules.change_limits("levels", lambda found: msgspec.structs.replace(found, unit="m"))
    assert rules.limits() == [changed]
    assert rules.revision() > before
