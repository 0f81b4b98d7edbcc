"""Everything that somebody does enters the audit record, in the transaction of the change."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace
from sqlalchemy import text

from cap_samples import CONTENT
from dothi.access.deed_kind import key_of
from dothi.access.principal import ADMINISTRATOR
from dothi.app.http.site import DEEDS, UNTOLD
from dothi.ports.audit import AuditQuestion

API = "/api/v1"
CONSOLE = Path(__file__).parents[4] / "console/src/i18n"
RULE: dict[str, Any] = {
    "id": "level-2",
    "name": {"vi": "Vượt báo động II"},
    "scope": {"types": ["WaterObserved"]},
    "condition": {"kind": "threshold", "attribute": "level", "comparison": ">=", "limit": 1.5},
    "priority": 2,
    "consequence": {"vi": "ngập"},
    "response": {"vi": "báo"},
    "time_to_respond_s": 1800,
}
UNTIL = (datetime.now(UTC) + timedelta(days=1)).isoformat()
WARNING = msgspec.to_builtins(replace(CONTENT, area_ids=()))


async def test_every_endpoint_that_writes_is_told_or_says_why_not(at: Any) -> None:
    writing = {key_of(one) for one in at.program.site.endpoints if one.method not in {"GET", "WS"}}
    nowhere = writing - set(DEEDS) - set(UNTOLD)
    assert sorted(nowhere) == [], "add a line to DEEDS or UNTOLD of api/deeds.py"
    assert not set(DEEDS) & set(UNTOLD)
    every = {key_of(one) for one in at.program.site.endpoints}
    assert not (set(DEEDS) | set(UNTOLD)) - every, "no such endpoint any more"
    assert all(UNTOLD.values())


def test_every_action_has_its_words_on_the_screen() -> None:
    """In both languages; the texts of the console are checked against each other elsewhere."""
    words = CONSOLE / "strings.audit.vi.ts"
    named = set(re.findall(r"^  audit_(\w+):", words.read_text(), re.MULTILINE))
    missing = {kind.action for kind in DEEDS.values()} - named
    assert sorted(missing) == []
    kinds = {kind.subject.partition(":")[0] for kind in DEEDS.values()}
    known = {name.removeprefix("kind_") for name in named}
    assert sorted(kinds - known) == [], "see KINDS of screens/audit"


STEPS: list[tuple[str, str, Any, str, str]] = [
    ("POST", "/sources", {"id": "gauge", "name": "Trạm"}, "source_saved", "source:gauge"),
    ("POST", "/sources/gauge/token", None, "token_issued", "source:gauge"),
    ("DELETE", "/sources/gauge/tokens", None, "tokens_revoked", "source:gauge"),
    ("POST", "/sources/gauge/release", None, "series_released", "source:gauge"),
    ("POST", "/rules", RULE, "rule_saved", "rule:level-2"),
    ("POST", "/incidents", {"title": "Ngập", "severity": 2}, "incident_opened", "incident:1"),
    (
        "POST",
        "/incidents/1/entries",
        {"kind": "decision", "text": "Đóng cống"},
        "incident_written",
        "incident:1",
    ),
    ("POST", "/incidents/1/tasks", {"title": "Báo phường"}, "task_added", "incident:1"),
    (
        "POST",
        "/alarms/suppressions",
        {"cause": "maintenance", "reason": "Thay cảm biến", "entity": "urn:x:y", "until_at": UNTIL},
        "suppression_made",
        "suppression:1",
    ),
    ("POST", "/alarms/suppressions/1/end", {}, "suppression_ended", "suppression:1"),
    ("POST", "/warnings", {"content": WARNING}, "warning_begun", "warning:1"),
    ("POST", "/people", {"id": "dung", "name": "Dũng (test)"}, "person_added", "person:dung"),
    ("PUT", "/notices/preferences", {"least_priority": 2}, "preferences_changed", "person:an"),
    ("POST", "/shifts/take", {"position": "duty_officer"}, "duty_taken", "position:duty_officer"),
    ("POST", "/handovers", {"duty": 1}, "handover_opened", "duty:1"),
    ("GET", "/audit/export", None, "audit_exported", "audit"),
    ("POST", "/logout", None, "signed_out", "person:an"),
]


async def test_what_a_person_does_stands_in_the_record_once(at: Any) -> None:
    async with at.as_("an") as an:
        before = at.last
        for method, path, body, action, subject in STEPS:
            answered = await an.request(method, API + path, json=body)
            assert answered.status_code < 300, (path, answered.text)
            [entry] = at.told(before)
            assert (entry.who, entry.action, entry.subject) == ("an", action, subject)
            before = entry.seq
    entries = {entry.action: entry for entry in at.told()}
    assert entries["incident_written"].detail == {"kind": "decision", "text": "Đóng cống"}
    assert entries["rule_saved"].detail == {"priority": "2", "version": "1"}
    assert entries["source_saved"].detail["name"] == "Trạm"
    assert entries["preferences_changed"].detail["least_priority"] == "2"
    assert at.program.stores.audit.verify().broken_at is None


async def test_what_was_refused_has_no_entry_and_a_repeat_no_second(at: Any) -> None:
    async with at.as_("an") as an, at.as_("chi") as chi:
        before = at.last
        assert (await chi.post(f"{API}/rules", json=RULE)).status_code == 403
        assert (await an.post(f"{API}/rules", json={"id": "x"})).status_code in {400, 422}
        assert (await an.post(f"{API}/incidents/9/state", json={})).status_code == 400
        missing = {"state": "closed", "reason": "x", "version": 1}
        assert (await an.post(f"{API}/incidents/9/state", json=missing)).status_code == 404
        assert at.last == before
        key = {"idempotency-key": "same-request-1"}
        for _ in range(2):
            made = await an.post(
                f"{API}/incidents", json={"title": "Ngập", "severity": 2}, headers=key
            )
            assert made.status_code == 201
        assert [entry.action for entry in at.told(before)] == ["incident_opened"]


async def test_the_entry_and_the_change_are_one_transaction(at: Any) -> None:
    async with at.as_("an") as an:
        assert (await an.post(f"{API}/rules", json=RULE)).status_code == 201
        stores = at.program.stores
        with stores.people._engine.begin() as connection:
            stop = "BEGIN SELECT RAISE(ABORT, 'no room'); END"
            connection.execute(text(f"CREATE TRIGGER full BEFORE INSERT ON audit {stop}"))
        source = {"id": "gauge", "name": "Trạm"}
        for path, body in (
            ("/sources", source),
            ("/incidents", {"title": "Ngập", "severity": 2}),
            ("/people", {"id": "dung", "name": "Dũng (test)"}),
            ("/alarms/suppressions", STEPS[8][2]),
            ("/warnings", {"content": WARNING}),
        ):
            method = "POST"
            assert (await an.request(method, API + path, json=body)).status_code == 503, path
        assert stores.sources.get("gauge") is None
        assert (await an.get(f"{API}/incidents")).json()["items"] == []
        rule = stores.rules.get("level-2")
        assert rule is not None
        assert rule.is_enabled
        assert stores.alarms.suppressions() == []
        assert stores.warnings.all() == []


async def test_data_that_is_deleted_and_several_alarms_at_once(at: Any) -> None:
    """What a rule is about is found by its subject, also among several."""
    audit = at.program.stores.audit
    async with at.as_("an") as an:
        links = {"subjects": [{"subject": "report:4"}, {"subject": "camera:urn:x:1"}]}
        body = {"title": "Ngập", "severity": 2} | links
        assert (await an.post(f"{API}/incidents", json=body)).status_code == 201
    for subject, count in (("camera:urn:x:1", 1), ("camera:urn:x", 0), ("incident:1", 1)):
        assert len(audit.find(AuditQuestion(subject=subject))) == count, subject
    assert [e.subject for e in audit.find(AuditQuestion(kinds=("incident",)))] == ["incident:1"]


STATION = "urn:ngsi-ld:WaterObserved:by-hand"
LEVEL = {"type": "Property", "value": 1.4}


async def test_values_that_a_person_writes_have_a_line_each_request(at: Any) -> None:
    ld = "/ngsi-ld/v1"
    one = {"id": STATION, "type": "WaterObserved", "level": LEVEL}
    several = [{**one, "id": f"{STATION}-{n}"} for n in range(3)]
    async with at.as_(ADMINISTRATOR.name) as admin, at.running():
        before = at.last
        for method, path, body, status in (
            ("POST", f"{ld}/entities", one, 201),
            ("PATCH", f"{ld}/entities/{STATION}/attrs/level", LEVEL, 204),
            ("POST", f"{ld}/entityOperations/upsert", several, 201),
            ("POST", f"{ld}/entities", one, 409),
        ):
            answered = await admin.request(method, path, json=body)
            assert answered.status_code == status, (path, answered.text)
    told = at.told(before)
    assert [(one.action, one.subject) for one in told] == [
        ("entity_written", f"entity:{STATION}"),
        ("entity_written", f"entity:{STATION}"),
        ("entities_written", "entity"),
    ]
    assert (told[1].detail["attribute"], told[2].detail["count"]) == ("level", "3")
    assert told[2].detail["entities"].split()[2] == f"{STATION}-2"


async def test_values_of_a_system_are_told_by_the_log_alone(at: Any) -> None:
    async with at.as_("an") as an, at.running():
        body = {"id": "broker", "name": "Hệ thống", "kind": "ngsi_ld"}
        assert (await an.post(f"{API}/sources", json=body)).status_code < 300
        token = (await an.post(f"{API}/sources/broker/token")).json()["token"]
        before = at.last
        an.cookies.clear()
        entity = {"id": STATION, "type": "WaterObserved", "level": LEVEL}
        head = {"authorization": f"Bearer {token}"}
        made = await an.post("/ngsi-ld/v1/entities", json=entity, headers=head)
        assert made.status_code == 201, made.text
    assert at.last == before


async def test_values_of_nobody_in_particular_are_told_by_the_log_alone(at_open: Any) -> None:
    """While nobody need sign in, a line could not say who it was, and one costs as much as a
    hundred values."""
    transport = httpx.ASGITransport(at_open.program.site.app)
    host = "http://127.0.0.1"
    async with httpx.AsyncClient(transport=transport, base_url=host) as client, at_open.running():
        before = at_open.last
        entity = {"id": STATION, "type": "WaterObserved", "level": LEVEL}
        made = await client.post("/ngsi-ld/v1/entities", json=entity)
        assert made.status_code == 201, made.text
        assert at_open.last == before
        gone = await client.delete(f"/ngsi-ld/v1/entities/{STATION}")
        assert gone.status_code == 204
    assert [one.action for one in at_open.told(before)] == ["entity_deleted"]
