"""The routes of alarms over the real store."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from msgspec.structs import replace

from alarm_parts import PHU_AN, limits
from dothi.alarms.changes import Context
from dothi.alarms.taking import take
from dothi.api.alarm_deps import AlarmDeps
from dothi.api.deps import ApiDeps
from dothi.api.routes import endpoints
from dothi.live.feed import LiveDeps
from dothi.live.hub import LiveHub
from dothi.live.settings import LiveSettings
from dothi.model.alarm import Place, RuleFacts
from dothi.model.priority import Priority
from dothi.model.rule_condition import Threshold, Window
from dothi.model.shift import PlannedShift
from dothi.model.transition import Transition
from dothi.ports.shifts import Roster, Shifts
from dothi.rules.engine import Engine
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.alarms import RelationalAlarmLedger
from province import Province, province
from rule_rows import after, rows, rule
from serving import client_of, serve

FACTS = RuleFacts("Mực nước cao", "High water", "water", "Ngập", "Flooding", "Báo", "Call")
EXPLANATION = json.dumps({"inputs": [{"entity": PHU_AN, "attribute": "level", "number": 1.6}]})


@dataclass
class Planned:
    """What the routes ask of a roster."""

    shifts: list[PlannedShift]

    def roster(self, start: datetime, end: datetime) -> Roster:
        found = [one for one in self.shifts if one.starts_at < end and one.ends_at > start]
        return Roster(found, (), ())


@dataclass
class Alarms:
    client: httpx.AsyncClient
    parts: Province
    ledger: RelationalAlarmLedger
    hub: LiveHub
    roster: list[PlannedShift]

    def happen(
        self, is_active: bool = True, entity: str = PHU_AN, priority: Priority = Priority.HIGH
    ) -> None:
        now = self.parts.clock.now()
        vi, en = "1,62 m > 1,50 m", "1.62 m > 1.50 m"
        place = Place(entity, "WaterObserved", "Phú An", 106.7, 10.9)
        one = Transition("high-water", 3, entity, is_active, now, 7, priority, vi, EXPLANATION, en)
        context = Context(now, limits(), "operator", lambda _r, _v: FACTS, {entity: place})
        with self.ledger.writing() as book:
            take(book, [one], context)

    async def get(self, path: str = "", **query: Any) -> Any:
        answer = await self.client.get(f"/api/v1/alarms{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, expect: int = 200, **body: Any) -> Any:
        answer = await self.client.post(f"/api/v1/alarms{path}", json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()


@pytest.fixture
async def alarms(tmp_path: Path) -> AsyncIterator[Alarms]:
    async with province(tmp_path) as parts:
        ledger, reader = RelationalAlarmLedger(parts.engine), RelationalAlarmReader(parts.engine)
        live_deps = LiveDeps(
            parts.log, parts.state, parts.sources, parts.receipts, parts.clock, reader
        )
        hub = LiveHub(live_deps, LiveSettings(interval_s=0.02))
        await hub.start()
        roster: list[PlannedShift] = []
        deps = ApiDeps(
            state=parts.state,
            history=parts.history,
            sources=parts.sources,
            owners=parts.writer,
            receipts=parts.receipts,
            areas=parts.areas,
            live=hub,
            clock=parts.clock,
            version="1",
            alarms=AlarmDeps(
                *(ledger, reader, lambda _r, _v: FACTS, limits(), "operator"),
                *([time(0), time(12)], cast("Shifts", Planned(roster))),
            ),
        )
        async with serve(endpoints(deps)) as address, client_of(address) as client:
            yield Alarms(client, parts, ledger, hub, roster)
        await hub.stop()


async def test_the_list_is_told_page_by_page(alarms: Alarms) -> None:
    for n in range(5):
        alarms.happen(entity=f"urn:e:{n}", priority=Priority(n % 4 + 1))
    first = await alarms.get(limit=3)
    assert [a["priority"] for a in first["items"]] == [1, 1, 2]
    assert first["counts"]["by_priority"] == [2, 1, 1, 1]
    assert first["counts"]["unacknowledged"] == 5
    second = await alarms.get(limit=3, after=first["next"])
    assert [a["priority"] for a in second["items"]] == [3, 4]
    assert second["next"] is None
    found = await alarms.get(text="phu an", priority=[1, 4], sort="-raised_at")
    assert [a["id"] for a in found["items"]] == [5, 4, 1]
    assert found["items"][0]["title"] == "Mực nước cao"


async def test_stored_explanations_are_decided_again(alarms: Alarms) -> None:
    """The engine's own, through the ledger; then one that somebody has changed in the file."""
    engine = Engine()
    engine.load(
        [
            rule(Threshold(attribute="level", comparison=">=", limit=1.5), id="threshold"),
            rule(Window(attribute="level", comparison=">=", limit=1.5, function="mean",
                        over_s=600), id="mean"),
        ], (),
    )  # fmt: skip
    found = engine.evaluate(rows((0, 1.6), (60, 1.7)), after(60)).transitions
    context = Context(after(60), limits(), "operator", lambda _r, _v: FACTS)
    with alarms.ledger.writing() as book:
        take(book, found, context)
    assert {one["rule"] for one in (await alarms.get())["items"]} == {"threshold", "mean"}
    for n in (1, 2):
        record = (await alarms.get(f"/{n}"))["record"]
        assert [(one["kind"], one["agrees"]) for one in record] == [("raised", True)]
    await alarms.post("/1/comment", reason="ok")
    assert [one["agrees"] for one in (await alarms.get("/1"))["record"]] == [True, None]
    told = (await alarms.get("/1"))["record"][0]["explanation"]
    (term,) = told["terms"]
    lowered = {**told, "terms": [{**term, "inputs": [{**term["inputs"][0], "value": 1.4}]}]}
    for n, false in enumerate((lowered, {**told, "tree": ["leaf", 7]}, {"limit": 1.5}), 3):
        entity = f"urn:e:{n}"
        one = replace(found[0], entity=entity, explanation=json.dumps(false))
        with alarms.ledger.writing() as book:
            take(book, [one], context)
        record = (await alarms.get(f"/{n}"))["record"]
        assert [(one["kind"], one["agrees"]) for one in record] == [("raised", False)]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "gone"},
        {"sort": "colour"},
        {"after": "???"},
        {"after": "WzMsMV0"},  # [3, 1]: the key of another order
        {"since": "2026-11-22T08:00:00"},
        {"limit": 201},
        {"priority": 5},
        {"suppressed": "maybe"},
    ],
    ids=str,
)
async def test_what_cannot_be_asked_is_explained(alarms: Alarms, query: dict[str, Any]) -> None:
    answer = await alarms.client.get("/api/v1/alarms", params=query)
    assert answer.status_code == 400
    assert answer.json()["code"] == "parameter_invalid"


async def test_one_alarm_explains_itself(alarms: Alarms) -> None:
    alarms.happen()
    await alarms.post("/1/comment", reason="pump checked")
    detail = await alarms.get("/1")
    assert detail["alarm"]["text"] == "1,62 m > 1,50 m"
    assert detail["alarm"]["text_en"] == "1.62 m > 1.50 m"
    assert detail["record"][0]["detail_en"] == "1.62 m > 1.50 m"
    assert detail["explanation"] == json.loads(EXPLANATION)
    assert detail["series"] == [{"entity": PHU_AN, "attribute": "level", "dataset": ""}]
    assert [(e["kind"], e["by"], e["reason"]) for e in detail["record"]] == [
        ("raised", "", ""),
        ("commented", "administrator", "pump checked"),
    ]
    assert detail["rule"]["response_en"] == "Call"
    assert detail["rule"]["respond_within_s"] == 900.0
    assert [a["id"] for a in detail["history"]] == [1]
    answer = await alarms.client.get("/api/v1/alarms/77")
    assert (answer.status_code, answer.json()["code"]) == (404, "alarm_unknown")


async def test_only_what_was_seen_is_acknowledged(alarms: Alarms) -> None:
    alarms.happen()
    alarms.happen(False)
    alarms.happen()
    refused = await alarms.post("/acknowledge", 409, alarms=[{"id": 1, "activations": 1}])
    assert refused["code"] == "alarm_not_seen"
    [known] = await alarms.post("/acknowledge", alarms=[{"id": 1, "activations": 2}])
    assert known["state"] == "active_acknowledged"
    assert known["acknowledged_by"] == "administrator"
    many = [{"id": n + 1, "activations": 1} for n in range(201)]
    assert (await alarms.post("/acknowledge", 400, alarms=many))["code"] == "body_invalid"


async def test_a_shelf_and_what_stands_on_it(alarms: Alarms) -> None:
    alarms.happen()
    detail = await alarms.get("/1")
    no_reason = await alarms.post("/1/shelve", 400, until_at=detail["shelve_from_at"], reason="")
    assert no_reason["code"] == "reason_missing"
    never = await alarms.post("/1/shelve", 400, until_at="2099-01-01T00:00:00Z", reason="noise")
    assert never["code"] == "shelf_too_long"
    nowhere = await alarms.post(
        "/1/shelve", 400, until_at="0001-01-01T00:00:00+14:00", reason="noise"
    )
    assert nowhere["where"] == "until_at"
    shelved = await alarms.post("/1/shelve", until_at=detail["shelve_from_at"], reason="noise")
    assert shelved["suppressed"] == ["shelved"]
    assert (await alarms.get())["items"] == []
    assert [a["id"] for a in (await alarms.get(suppressed="yes"))["items"]] == [1]
    [suppression] = await alarms.get("/suppressions")
    assert (suppression["cause"], suppression["by"]) == ("operator", "administrator")
    assert (await alarms.post("/1/unshelve"))["suppressed"] == []


async def test_out_of_service_with_a_permit(alarms: Alarms) -> None:
    alarms.happen()
    made = await alarms.post(
        "/suppressions", 201, cause="permit", reason="sensor sent in", entity=PHU_AN, permit="GP-7"
    )
    assert (await alarms.get("/1"))["alarm"]["suppressed"] == ["out_of_service"]
    ended = await alarms.post(f"/suppressions/{made['id']}/end")
    assert (ended["ended_by"], ended["state"]) == ("administrator", "ended")
    assert (await alarms.get("/1"))["alarm"]["suppressed"] == []
    assert (await alarms.post("/suppressions/99/end", 404))["code"] == "suppression_unknown"


async def test_what_is_suppressed_now_later_and_was(alarms: Alarms) -> None:
    alarms.happen()
    alarms.happen(entity="urn:e:2", priority=Priority.LOW)
    now = alarms.parts.clock.now()
    window = {"cause": "maintenance", "entity": PHU_AN, "reason": "sensor is cleaned"}
    hours = [(now + timedelta(hours=n)).isoformat() for n in range(4)]
    await alarms.post("/suppressions", 201, **window, until_at=hours[1])
    await alarms.post("/suppressions", 201, **window, from_at=hours[2], until_at=hours[3])
    flood = await alarms.post(
        "/suppressions", 201, cause="flood", least_urgent=4, until_at=hours[1], reason="storm"
    )
    found = await alarms.get("/suppressions")
    assert [(one["cause"], one["state"], one["alarms"]) for one in found] == [
        ("flood", "in_force", 1),
        ("maintenance", "planned", 0),
        ("maintenance", "in_force", 1),
    ]
    [by] = (await alarms.get("/1"))["suppressions"]
    assert (by["cause"], by["reason"]) == ("maintenance", "sensor is cleaned")
    await alarms.post(f"/suppressions/{flood['id']}/end", reason="over")
    assert (await alarms.get("/2"))["suppressions"] == []
    assert len(await alarms.get("/suppressions")) == 2
    told = await alarms.get("/suppressions", ended_since=now.isoformat())
    assert [one["state"] for one in told] == ["ended", "planned", "in_force"]


async def test_nothing_is_shelved_beyond_the_shift_of_the_roster(alarms: Alarms) -> None:
    alarms.happen()
    now = alarms.parts.clock.now()
    alarms.roster.append(
        PlannedShift(1, "lan", "operator", now - timedelta(hours=1), now + timedelta(hours=2))
    )
    detail = await alarms.get("/1")
    assert datetime.fromisoformat(detail["shelve_until_at"]) == now + timedelta(hours=2)
    beyond = (now + timedelta(hours=2, minutes=5)).isoformat()
    assert (await alarms.post("/1/shelve", 400, until_at=beyond, reason="noise"))["code"] == (
        "shelf_too_long"
    )
    within = (now + timedelta(hours=1, minutes=55)).isoformat()
    assert (await alarms.post("/1/shelve", until_at=within, reason="noise"))["suppressed"]
    shift = await alarms.get("/performance", span="shift")
    assert datetime.fromisoformat(shift["start_at"]) == now - timedelta(hours=1)


async def test_the_file_holds_what_was_asked_for(alarms: Alarms) -> None:
    alarms.happen()
    alarms.happen(entity="=cmd()")
    answer = await alarms.client.get("/api/v1/alarms/export", params={"sort": "raised_at"})
    lines = answer.text.splitlines()
    assert lines[0].startswith("id,condition,rule")
    assert len(lines) == 3
    assert ",=cmd()" not in answer.text
    assert "Mực nước cao" in answer.text


async def test_figures_say_how_much_an_operator_bears(alarms: Alarms) -> None:
    for n in range(12):
        alarms.happen(entity=f"urn:e:{n}")
    quiet = await alarms.get("/performance", span="day")
    assert quiet["proposals"] == [], "each came once: that says nothing of the rule"
    for n in range(6):
        alarms.happen(bool(n % 2))
    found = await alarms.get("/performance", span="day")
    figures = found["figures"]
    assert figures["announced"] >= 13
    assert figures["floods"] == 1
    assert figures["mix_percent"][1] == 100.0
    assert found["limits"]["per_hour"] == {"acceptable": 6.0, "manageable": 12.0}
    assert [(p["kind"], p["count"]) for p in found["proposals"] if p["kind"] == "frequent"] == [
        ("frequent", 3)
    ]
    now = alarms.parts.clock.now()
    nobody = await alarms.get(
        "/performance",
        position="leader",
        start_at=(now - timedelta(hours=1)).isoformat(),
        end_at=now.isoformat(),
    )
    assert nobody["figures"]["announced"] == 0
    for query in ({"start_at": now.isoformat()}, {"span": "year"}):
        answer = await alarms.client.get("/api/v1/alarms/performance", params=query)
        assert answer.status_code == 400


async def test_figures_of_a_position_are_only_its_own(alarms: Alarms) -> None:
    now = alarms.parts.clock.now()

    def happen(position: str, hours_ago: float, *names: str, is_active: bool = True) -> None:
        at = now - timedelta(hours=hours_ago)
        found = [
            Transition("high-water", 3, f"urn:{name}", is_active, at, 7, Priority.LOW, "cao", "")
            for name in names
        ]
        context = Context(at, limits(), position, lambda _r, _v: FACTS)
        with alarms.ledger.writing() as book:
            take(book, found, context)

    # More stale ones of the one position than are listed, all of them older than the other's.
    happen("operator", 60, *(f"old-{n}" for n in range(51)))
    happen("leader", 40, "led", "shelved", "back", "again")
    happen("leader", 39, "back", "again", is_active=False)
    happen("leader", 1, "again")  # raised long ago, active for an hour
    for n in range(3):
        happen("leader", 0.5 - n / 600, "chatter", is_active=n != 1)
    happen("operator", 0.5, "calm")
    shelved = next(
        a for a in (await alarms.get(limit=200))["items"] if a["entity"] == "urn:shelved"
    )
    until_at = (now + timedelta(minutes=15)).isoformat()  # possible also where a shift ends
    await alarms.post(f"/{shelved['id']}/shelve", until_at=until_at, reason="noise")

    led = await alarms.get("/performance", position="leader", span="day")
    assert [one["entity"] for one in led["stale"]] == ["urn:led"]
    counts = led["counts"]
    assert (counts["stale"], counts["shelved"], counts["by_priority"]) == (1, 1, [0, 0, 0, 4])
    assert [one["entity"] for one in led["shelved"]] == ["urn:shelved"]
    proposals = {(one["kind"], one["entity"]): one for one in led["proposals"]}
    assert {key for key in proposals if key[0] != "frequent"} == {
        ("chattering", "urn:chatter"),
        ("stale", "urn:led"),
    }
    assert proposals["stale", "urn:led"]["count"] == 40
    chatter = proposals["chattering", "urn:chatter"]
    assert chatter["count"] == 3
    assert chatter["off_delay_s"] > 0
    assert led["figures"]["announced"] == 3  # again, and chatter twice

    operator = await alarms.get("/performance", position="operator", span="day")
    assert len(operator["stale"]) == 50
    assert (operator["counts"]["stale"], operator["counts"]["shelved"]) == (51, 0)
    assert operator["shelved"] == []
    assert {one["kind"] for one in operator["proposals"]} == {"stale"}
    assert operator["figures"]["announced"] == 1

    everybody = await alarms.get("/performance", span="day")
    assert (everybody["counts"]["stale"], everybody["counts"]["shelved"]) == (52, 1)
    assert everybody["figures"]["announced"] == 4


async def test_a_viewer_sees_an_alarm_within_a_second(alarms: Alarms) -> None:
    messages = alarms.hub.follow()
    snapshot = json.loads(await anext(messages))
    assert snapshot["alarms"] == []
    alarms.happen()
    async with asyncio.timeout(1.0):
        delta = json.loads(await anext(messages))
    [shown] = delta["alarms"]
    assert (shown["id"], shown["state"]) == (1, "active_unacknowledged")
    await alarms.post("/acknowledge", alarms=[{"id": 1, "activations": 1}])
    async with asyncio.timeout(1.0):
        delta = json.loads(await anext(messages))
    assert delta["alarms"][0]["state"] == "active_acknowledged"
    alarms.happen(False)
    async with asyncio.timeout(1.0):
        delta = json.loads(await anext(messages))
    assert (delta["alarms"], delta["alarms_closed"]) == ([], [1])
    await messages.aclose()
