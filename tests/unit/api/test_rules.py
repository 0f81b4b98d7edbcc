"""Rules over HTTP: drafts, approval, tests on the history, why not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from dothi.model.alarm import Suppression, SuppressionCause
from dothi.storage.relational.alarms import RelationalAlarmLedger
from province import T0

PHU_AN = "urn:ngsi-ld:WaterObserved:phu-an"
RULE: dict[str, Any] = {
    "id": "level-2",
    "name": {"vi": "Vượt báo động II", "en": "Above alarm level II"},
    "scope": {"types": ["WaterObserved"]},
    "condition": {
        "kind": "threshold",
        "attribute": "level",
        "comparison": ">=",
        "limit": 1.5,
        "deadband": 0.05,
    },
    "priority": 2,
    "consequence": {"vi": "ngập"},
    "response": {"vi": "báo"},
    "time_to_respond_s": 1800,
}


async def _send(api: Any, *values: float, quality: int = 1, begin: datetime = T0) -> None:
    for n, value in enumerate(values):
        await api.parts.send(
            entity=PHU_AN, entity_type="WaterObserved", attribute="level", number=value,
            observed_at=begin + timedelta(minutes=10 * n), quality=quality,
        )  # fmt: skip


async def _post(api: Any, path: str, body: Any = None) -> Any:
    return await api.client.post(f"/api/v1{path}", json=body)


async def _approved(api: Any, rule: dict[str, Any]) -> None:
    made = await _post(api, "/rules", rule)
    assert made.status_code == 201, made.text
    path = f"/rules/{rule['id']}/versions/{made.json()['version']}/approve"
    done = await _post(api, path)
    assert done.status_code == 200, done.text


async def test_a_draft_is_approved_and_switched(api: Any) -> None:
    made = await _post(api, "/rules", RULE)
    assert made.status_code == 201
    assert (made.json()["version"], made.json()["author"]) == (1, "administrator")
    (state,) = (await api.get("/rules")).json()
    assert (state["in_force"], state["draft"], state["is_enabled"]) == (None, 1, True)
    done = await _post(api, "/rules/level-2/versions/1/approve")
    assert done.json()["state"]["in_force"] == 1
    assert done.json()["versions"][0]["approved_by"] == "administrator"
    again = await _post(api, "/rules/level-2/versions/1/approve")
    assert (again.status_code, again.json()["code"]) == (409, "rule_approved")
    off = await _post(api, "/rules/level-2/switch", {"is_enabled": False})
    assert off.json()["state"]["in_force"] is None
    assert (await api.get("/rules/level-2")).json() == off.json()


async def test_what_cannot_be_a_rule_names_the_place(api: Any) -> None:
    cases = [
        ({"kind": "treshold", "attribute": "a"}, "did you mean 'threshold'"),
        ({**RULE["condition"], "limit": "high"}, "`$.condition.limit`"),
        ({**RULE["condition"], "limt": 1}, "`limt`"),
        ({**RULE["condition"], "limit": {"table": "x", "level": "I"}}, "limit table x"),
        ({"kind": "all_of", "of": []}, "$.condition.of"),
        (
            {"kind": "geofence", "polygon": [[106, 10], [107, 11], [107, 10], [106, 11]]},
            "$.condition.polygon: its sides cross",
        ),
        ({"kind": "geofence", "polygon": [[106, 10], [107, 11]]}, "at least three corners"),
        ({"kind": "at_least", "count": 3, "of": [RULE["condition"]]}, "3 of 1"),
        ({"kind": "range", "attribute": "a", "low": 2.0, "high": 1.0}, "above high"),
    ]
    for condition, expected in cases:
        answer = await _post(api, "/rules", {**RULE, "condition": condition})
        assert answer.status_code == 422, answer.text
        assert answer.json()["code"] == "bad_rule"
        assert expected in answer.json()["detail"], answer.json()
    everywhere = await _post(api, "/rules", {**RULE, "scope": {}})
    assert "$.scope" in everywhere.json()["detail"]
    assert (await _post(api, "/rules", [1])).status_code == 400
    assert (await api.get("/rules")).json() == [], "nothing was stored"


async def test_unknown_rules_are_a_404(api: Any) -> None:
    answers = [
        await api.get("/rules/nothing"),
        await _post(api, "/rules/nothing/switch", {"is_enabled": True}),
        await _post(api, "/rules/nothing/versions/1/approve"),
    ]
    assert [a.status_code for a in answers] == [404] * 3
    _ = await _post(api, "/rules", RULE)
    assert (await _post(api, "/rules/level-2/versions/7/approve")).status_code == 404
    assert (await _post(api, "/rules/level-2/versions/x/approve")).status_code == 400


async def test_a_back_test_says_how_often_and_what_is_new(api: Any) -> None:
    await _send(api, 1.2, 1.52, 1.6, 1.47, 1.3, 1.55, 1.49, 1.4)
    await _approved(api, {**RULE, "condition": {**RULE["condition"], "limit": 1.58}})
    span = {
        "start": (T0 - timedelta(hours=1)).isoformat(),
        "end": (T0 + timedelta(hours=2)).isoformat(),
    }
    answer = await _post(api, "/rules/back-test", {**span, "rule": RULE})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["entities"], found["rows"], found["fired"], found["new"]) == (1, 8, 2, 1)
    newest, first = found["firings"]
    assert first["start_at"] == "2026-11-22T01:10:00Z"
    assert first["end_at"] == "2026-11-22T01:40:00Z", "1.47 is within the deadband? no: below 1.45"
    assert (newest["is_new"], first["is_new"]) == (True, False)
    assert found["in_force_fired"] == 1
    assert found["lines"][0]["limit"] == 1.5
    stored = await _post(api, "/rules/back-test", {**span, "id": "level-2"})
    assert stored.json()["fired"] == 1
    wrong = await _post(api, "/rules/back-test", {**span, "id": "nothing"})
    assert wrong.status_code == 404
    backwards = {"start": span["end"], "end": span["start"], "id": "level-2"}
    assert (await _post(api, "/rules/back-test", backwards)).status_code == 400


async def test_why_not_names_the_reason(api: Any) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    await _send(api, 1.2, 1.3, begin=begin)
    await _approved(api, RULE)
    _ = await _post(api, "/rules", {**RULE, "id": "a-draft"})
    await _approved(api, {**RULE, "id": "elsewhere", "scope": {"types": ["AirQualityObserved"]}})
    rain = {**RULE["condition"], "attribute": "rain"}
    await _approved(api, {**RULE, "id": "rain", "condition": rain})
    await _approved(api, {**RULE, "id": "slow", "on_delay_s": 86400,
                          "condition": {**RULE["condition"], "limit": 1.0}})  # fmt: skip
    answer = await api.get("/rules/why-not", entity=PHU_AN)
    assert answer.status_code == 200, answer.text
    found = {one["rule"]["id"]: one for one in answer.json()}
    assert {name: one["reason"] for name, one in found.items()} == {
        "a-draft": "not_approved",
        "elsewhere": "out_of_scope",
        "level-2": "false",
        "rain": "no_data",
        "slow": "delayed",
    }
    assert found["elsewhere"]["out_of"] == ["types"]
    (term,) = found["level-2"]["terms"]
    assert (term["value"], term["limit"], term["verdict"]) == (1.3, 1.5, False)
    observed_at = datetime.fromisoformat(term["inputs"][0]["observed_at"])
    assert observed_at == begin + timedelta(minutes=10)
    await _send(api, 9.9, quality=4, begin=begin + timedelta(minutes=30))
    answer = await api.get("/rules/why-not", entity=PHU_AN)
    found = {one["rule"]["id"]: one for one in answer.json()}
    assert found["level-2"]["reason"] == "bad_quality"
    before = await api.get("/rules/why-not", entity=PHU_AN, at=begin.isoformat())
    assert {one["reason"] for one in before.json()} == {"not_approved"}


async def test_why_not_says_when_only_another_source_sent(api: Any) -> None:
    await _send(api, 9.9)
    mine, other = {**RULE, "id": "mine"}, {**RULE, "id": "other"}
    (row,) = api.parts.log.read(0, 10).select(["source"]).to_pylist()
    scope = RULE["scope"]
    await _approved(api, {**mine, "scope": {**scope, "sources": ["nobody", row["source"]]}})
    await _approved(api, {**other, "scope": {**scope, "sources": ["nobody"]}})
    mine, other = (await api.get("/rules/why-not", entity=PHU_AN)).json()
    assert mine["reason"] == "active"
    assert (other["reason"], other["out_of"]) == ("out_of_scope", ["sources"])


KEPT_BACK: dict[str, dict[str, Any]] = {
    "shelved": {"cause": SuppressionCause.OPERATOR, "rule": "level-2", "entity": PHU_AN},
    "suppressed": {"cause": SuppressionCause.PARENT, "parent": "parent", "rule": "level-2"},
    "out_of_service": {"cause": SuppressionCause.PERMIT, "permit": "GP-7", "rule": "level-2"},
}


@pytest.mark.parametrize("word", KEPT_BACK)
async def test_why_not_says_what_kept_the_alarm_back(api: Any, word: str) -> None:
    now = api.parts.clock.now()
    begin = now - timedelta(hours=3)
    await _send(api, 9.9, begin=begin)
    await _approved(api, RULE)
    quiet = {**RULE["condition"], "limit": 99.0}
    await _approved(api, {**RULE, "id": "parent"})
    await _approved(api, {**RULE, "id": "quiet", "condition": quiet})
    ended_at = now + timedelta(minutes=20)
    kept = Suppression(
        by="operator", reason="why", from_at=now + timedelta(minutes=10), ended_at=ended_at,
        ended_by="operator", **KEPT_BACK[word],
    )  # fmt: skip
    elsewhere = replace(kept, rule="", entity="urn:ngsi-ld:WaterObserved:elsewhere")
    by_quiet = replace(kept, cause=SuppressionCause.PARENT, parent="quiet")
    with RelationalAlarmLedger(api.parts.engine).writing() as book:
        for one in (kept, elsewhere, by_quiet):  # The newest is looked at first.
            book.put_suppression(one)
    reasons = []
    for minutes in (9, 10, 19, 20):
        at = (now + timedelta(minutes=minutes)).isoformat()
        answer = await api.get("/rules/why-not", entity=PHU_AN, at=at)
        found = {one["rule"]["id"]: one for one in answer.json()}
        assert (found["quiet"]["reason"], found["parent"]["reason"]) == ("false", "active")
        reasons.append(found["level-2"]["reason"])
        if reasons[-1] == word:
            assert datetime.fromisoformat(found["level-2"]["due_at"]) == ended_at
            assert found["level-2"]["terms"][0]["value"] == 9.9
    assert reasons == ["active", word, word, "active"]


async def test_an_old_value_still_counts(api: Any) -> None:
    await _send(api, 1.2)
    await _approved(api, RULE)
    (found,) = (await api.get("/rules/why-not", entity=PHU_AN)).json()
    assert (found["reason"], found["terms"][0]["value"]) == ("false", 1.2)


async def test_dated_limits_are_added_ended_and_verified(api: Any) -> None:
    path = "/rules/limits"
    title = {"vi": "Cấp báo động", "en": "Alarm levels"}
    made = await _post(api, path, {"name": "levels", "title": title, "unit": "MTR"})
    assert made.status_code == 201
    assert (await _post(api, path, {"name": "levels", "title": title})).status_code == 409
    old = {"level": "II", "valid_from": "2020-01-01", "source": "QĐ 05/2020"}
    for refused in ({"source": ""}, {"mark": "verified"}, {"valid_from": "2020"}):
        answer = await _post(api, f"{path}/levels/values", {**old, **refused})
        assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid")
    assert (await _post(api, f"{path}/other/values", old)).status_code == 404
    assert (await _post(api, f"{path}/levels/values", {**old, "value": 1.5})).status_code == 201
    new = {**old, "valid_from": "2026-01-01", "value": 1.6, "source": "QĐ 9/2025"}
    assert (await _post(api, f"{path}/levels/values", new)).status_code == 201
    which = {"level": "II", "valid_from": "2026-01-01"}
    done = await _post(api, f"{path}/levels/values/verify", which)
    first, second = done.json()["values"]
    assert (first["value"], first["valid_to"], first["ended_by"]) == (
        *(1.5, "2026-01-01"),
        "administrator",
    )
    assert (second["mark"], second["verified_by"]) == ("verified", "administrator")
    end = {**which, "valid_to": "2027-01-01", "reason": ""}
    assert (await _post(api, f"{path}/levels/values/end", end)).json()["code"] == "reason_missing"
    ended = await _post(api, f"{path}/levels/values/end", {**end, "reason": "QĐ 1/2027"})
    assert ended.json()["values"][1]["valid_to"] == "2027-01-01"
    overwriting = {"tables": [{"name": "levels", "title": title, "values": []}]}
    answer = await api.client.put("/api/v1/rules/limits", json=overwriting)
    assert (answer.status_code, answer.json()["code"]) == (409, "limit_overwritten")
    (told,) = (await api.get("/rules/limits")).json()
    assert told == ended.json()
