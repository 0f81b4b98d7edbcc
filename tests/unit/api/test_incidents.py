"""Incidents over HTTP: a flood evening from alarm to closure, conflicts, files, bad input."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from databases import lay_database
from dothi.api.incidents.deps import IncidentDeps
from dothi.api.incidents.routes import endpoints
from dothi.app.incidents.typesetting import typeset
from dothi.storage.blobs.evidence import EvidenceFolder
from dothi.storage.relational.engine import open_sqlite
from incident_ports import NOW, SMALL, Desk, open_desk
from serving import client_of, serve

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 100


@dataclass
class Api:
    client: httpx.AsyncClient
    desk: Desk
    folder: Path
    people: int = 1
    """How many could approve."""

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = await self.client.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str) -> Any:
        answer = await self.client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def opened(self, **more: Any) -> int:
        body = {"title": "Ngập", "severity": 2, **more}
        return int((await self.post("/incidents", 201, **body))["incident"]["id"])


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    desk = open_desk(engine)
    desk.library.add(SMALL, "small.toml", "test", NOW)
    folder = tmp_path / "evidence"
    made: list[Api] = []
    deps = IncidentDeps(
        desk.centre, EvidenceFolder(folder), typeset, 1000, approvers=lambda _: made[0].people
    )
    async with serve(endpoints(deps)) as address, client_of(address) as client:
        made.append(Api(client, desk, folder))
        yield made[0]
    engine.dispose()


async def test_from_an_alarm_to_closure(api: Api) -> None:
    subject = api.desk.alarms.raise_(12)
    body = {"title": "Ngập Võ Minh Đức", "severity": 2, "subjects": [{"subject": subject}]}
    answer = await api.client.post("/api/v1/incidents", json=body)
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    room = answer.json()
    number = room["incident"]["id"]
    assert answer.headers["location"] == f"/api/v1/incidents/{number}"
    assert room["links"][0]["title"] == "Mực nước cao tại trạm 12"
    assert room["incident"]["points"] == [
        {"lon": 106.65, "lat": 10.98, "label": "urn:ngsi-ld:WaterObserved:12"}
    ]
    assert room["runs"][0]["procedure"]["id"] == "small"

    step = f"/incidents/{number}/runs/1/steps/look"
    room = await api.post(step, action="finish", answers={"depth": 0.1}, version=1)
    assert [s["step"] for s in room["runs"][0]["run"]["steps"]] == ["look", "sum"]
    room = await api.post(f"/incidents/{number}/runs/1/steps/sum", action="finish", version=1)
    assert room["runs"][0]["run"]["state"] == "done"

    room = await api.post(f"/incidents/{number}/tasks", title="Bơm", owner="minh")
    state = {"state": "closed", "reason": "Nước rút", "version": 1}
    refused = await api.post(f"/incidents/{number}/state", 409, **state)
    assert "task 1 (Bơm)" in refused["detail"]
    done = await api.client.patch(
        f"/api/v1/incidents/{number}/tasks/1", json={"state": "done", "version": 1}
    )
    assert done.status_code == 200
    room = await api.post(f"/incidents/{number}/state", **state)
    assert room["incident"]["state"] == "closed"
    refused = await api.post(f"/incidents/{number}/entries", 409, kind="note", text="x")
    assert refused["code"] == "incident_closed"
    lesson = {"kind": "lesson", "text": "Đặt thêm trạm"}
    assert (await api.post(f"/incidents/{number}/entries", **lesson))["entries"][-1]["kind"]
    board = await api.get("/incidents?state=closed")
    assert [row["incident"]["id"] for row in board["items"]] == [number]


async def test_the_report_is_a_page_that_says_what_was_done(api: Api) -> None:
    number = await api.opened(title="Ngập <b>Võ Minh Đức</b>", procedure="small")
    step = f"/incidents/{number}/runs/1/steps/look"
    await api.post(step, action="finish", answers={"depth": 0.35}, version=1)
    note = {"kind": "note", "text": "Đã gọi tổ trực & công an"}
    await api.post(f"/incidents/{number}/entries", **note)
    path = f"/api/v1/incidents/{number}/report"
    answer = await api.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    name = f"bao-cao-su-co-{number}.html"
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
    report = answer.text
    assert "<h1>" in report
    assert "Ngập &lt;b&gt;Võ Minh Đức&lt;/b&gt;" in report
    assert "<b>" not in report, "what people wrote is text"
    assert "Đã gọi tổ trực &amp; công an" in report
    assert "0,35" in report
    assert "đúng hạn" in report
    english = (await api.client.get(path, params={"lang": "en"})).text
    assert '<html lang="en">' in english
    assert "in time" in english
    assert (await api.client.get(path, params={"lang": "fr"})).status_code == 400
    assert (await api.client.get("/api/v1/incidents/99/report")).status_code == 404


async def test_who_saw_an_older_version_is_told_what_changed(api: Api) -> None:
    number = await api.opened()
    path = f"/api/v1/incidents/{number}"
    first = await api.client.patch(path, json={"severity": 1, "reason": "Lan rộng", "version": 1})
    assert first.json()["incident"]["version"] == 2
    second = await api.client.patch(path, json={"severity": 3}, headers={"if-match": '"1"'})
    assert second.status_code == 409
    assert "version 1 → 2; administrator: " in second.json()["detail"]
    assert "Lan rộng" in second.json()["detail"]
    assert (await api.client.patch(path, json={"severity": 3})).status_code == 428
    third = await api.client.patch(path, json={"severity": 3}, headers={"if-match": '"2"'})
    assert third.status_code == 200


async def test_a_step_that_somebody_else_did_is_a_conflict(api: Api) -> None:
    number = await api.opened(procedure="small")
    step = f"/incidents/{number}/runs/1/steps/look"
    await api.post(step, action="finish", answers={"depth": 0.5}, version=1)
    problem = await api.post(step, 409, action="finish", answers={"depth": 0.1}, version=1)
    assert problem["code"] == "step_changed"
    assert "done by administrator" in problem["detail"]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "field 'depth': it must be answered"),
        ({"depth": "deep"}, "field 'depth': 'deep' is no number"),
        ({"depth": -1}, "field 'depth': -1 is less than 0"),
        ({"width": 1}, "field 'width': the form has no such field"),
    ],
)
async def test_answers_that_do_not_fit_name_step_and_field(
    api: Api, answers: dict[str, Any], said: str
) -> None:
    number = await api.opened(procedure="small")
    step = f"/incidents/{number}/runs/1/steps/look"
    problem = await api.post(step, 400, action="finish", answers=answers, version=1)
    assert f"step 'look', {said}" in problem["detail"]


async def test_files_come_back_as_they_were_and_cannot_act(api: Api) -> None:
    number = await api.opened()
    url = f"/api/v1/incidents/{number}/files"
    page = b"<script>alert(1)</script>"
    for name, content in (("ảnh.png", PNG), ("trang.html", page)):
        answer = await api.client.post(url, params={"name": name}, content=content)
        assert answer.status_code == 201, answer.text
    files = answer.json()["files"]
    assert [f["sha256"] for f in files] == [hashlib.sha256(c).hexdigest() for c in (PNG, page)]
    picture = await api.client.get(f"{url}/1")
    assert picture.content == PNG
    assert picture.headers["content-type"] == "image/png"
    saved = await api.client.get(f"{url}/2")
    assert saved.content == page
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment;")
    assert saved.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in saved.headers["content-security-policy"]
    assert (await api.client.get(f"{url}/3")).status_code == 404


@pytest.mark.parametrize("name", ["a\nb.png", "a\x00", "\x7f", "ảnh\u202egnp.exe", "a\x85b"])
async def test_names_of_files_hold_nothing_that_nobody_sees(api: Api, name: str) -> None:
    number = await api.opened()
    url = f"/api/v1/incidents/{number}/files"
    answer = await api.client.post(url, params={"name": name}, content=PNG)
    assert (answer.status_code, answer.json()["where"]) == (400, "query name")
    assert [p for p in api.folder.rglob("*") if p.is_file()] == []


async def test_too_large_and_empty_files_leave_nothing_behind(api: Api) -> None:
    number = await api.opened()
    url = f"/api/v1/incidents/{number}/files"
    answer = await api.client.post(url, params={"name": "x"}, content=b"x" * 1001)
    assert answer.status_code == 413
    assert "at most 1,000 bytes" in answer.text
    assert (await api.client.post(url, params={"name": "x"}, content=b"")).status_code == 400
    assert (await api.client.post("/api/v1/incidents/99/files?name=x")).status_code == 404
    assert [p for p in api.folder.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/incidents", {"title": " ", "severity": 2}, 400),
        ("/incidents", {"title": "x", "severity": 9}, 400),
        ("/incidents", {"title": "x", "severity": 2, "subjects": [{"subject": "alarm:99"}]}, 400),
        ("/incidents", {"title": "x", "severity": 2, "subjects": [{"subject": "cat:1"}]}, 400),
        ("/incidents", {"title": "x", "severity": 2, "procedure": "none"}, 404),
        ("/incidents/99/entries", {"kind": "note", "text": "x"}, 404),
        ("/incidents/x/entries", {"kind": "note", "text": "x"}, 404),
        ("/incidents/1/entries", {"kind": "state", "text": "x"}, 400),
        ("/incidents/1/entries", {"kind": "cost", "text": "x"}, 400),
        ("/incidents/1/entries", {"kind": "correction", "text": "x", "refers_to": 7}, 400),
        (
            "/incidents/1/entries",
            {"kind": "note", "text": "x", "happened_at": "2030-01-01T00:00:00Z"},
            400,
        ),
        ("/incidents/1/state", {"state": "open", "reason": "x", "version": 1}, 409),
        ("/incidents/1/state", {"state": "contained", "reason": "", "version": 1}, 400),
        ("/incidents/1/unlink", {"subject": "alarm:1", "reason": "x"}, 404),
        ("/incidents/1/runs", {"procedure": "none"}, 404),
        ("/incidents/1/runs/1/end", {"reason": "x"}, 404),
        ("/incidents/1/runs/1/steps/look", {"action": "finish", "version": 1}, 404),
        ("/procedures", {"text": "id = 1"}, 400),
    ],
)
async def test_bad_input_is_a_problem(
    api: Api, path: str, body: dict[str, Any], status: int
) -> None:
    await api.opened()
    problem = await api.post(path, status, **body)
    assert problem["title"], problem
    assert problem["detail"]
    assert len((await api.get("/incidents"))["items"]) == 1


@pytest.mark.parametrize("query", ["incidents?before", "procedure-proposals?alarm"])
async def test_a_number_that_no_store_holds_is_a_problem(api: Api, query: str) -> None:
    answer = await api.client.get(f"/api/v1/{query}={2**63}")
    assert (answer.status_code, answer.json()["code"]) == (400, "parameter_invalid")


async def test_procedures_are_stored_checked_and_switched_off(api: Api) -> None:
    newer = SMALL.replace("version = 1", "version = 2")
    assert (await api.post("/procedures", text=newer, check_only=True))["version"] == 2
    assert len(await api.get("/procedures")) == 1
    await api.post("/procedures", 201, text=newer)
    assert [p["procedure"]["version"] for p in await api.get("/procedures")] == [2, 1]
    assert (await api.get("/procedures/small/2"))["text"] == newer
    answer = await api.client.patch("/api/v1/procedures/small/2", json={"is_active": False})
    assert answer.status_code == 200
    number = await api.opened(procedure="small")
    assert (await api.get(f"/incidents/{number}"))["runs"][0]["run"]["version"] == 1
    calendar = await api.get("/working-calendar")
    assert calendar["is_working"] is True
    assert calendar["calendar"]["office"]["mark"] == "unverified"


async def test_a_procedure_that_may_be_started_is_proposed(api: Api) -> None:
    text = SMALL.replace("automatic = true", "").replace('"small"', '"other"')
    api.desk.library.add(text, "other.toml", "test", NOW)
    subject = api.desk.alarms.raise_(3)
    number = await api.opened(subjects=[{"subject": subject}])
    room = await api.get(f"/incidents/{number}")
    assert [p["procedure"]["id"] for p in room["proposals"]] == ["other"]
    started = await api.post(f"/incidents/{number}/runs", 201, procedure="other", cause=subject)
    assert started["proposals"] == []
    assert (await api.post(f"/incidents/{number}/runs", 409, procedure="other"))["code"]


async def test_open_steps_for_a_phone(api: Api) -> None:
    number = await api.opened(procedure="small")
    [one] = await api.get("/duty/steps")
    assert (one["incident"], one["run"], one["step"]["id"]) == (number, 1, "look")
    assert one["step"]["fields"][0]["unit"] == "MTR"
    assert one["state"]["due_at"] is not None
    look = f"/incidents/{number}/runs/1/steps/look"
    await api.post(look, action="finish", answers={"depth": 0.5}, version=1)
    steps = [one["step"]["id"] for one in await api.get("/duty/steps")]
    assert steps == ["tell", "close"], "the one with a time limit is the first"
    await api.post(f"/incidents/{number}/runs/1/end", reason="Hết")
    assert await api.get("/duty/steps") == []


async def test_a_draft_starts_nothing_until_a_second_person_approves(api: Api) -> None:
    newer = SMALL.replace("version = 1", "version = 2")
    await api.post("/procedures", 201, text=newer)
    drafted, first = await api.get("/procedures")
    assert (drafted["approved_at"], drafted["is_active"]) == (None, True)
    assert first["approved_at"] is not None
    number = await api.opened()
    runs = f"/incidents/{number}/runs"
    refused = await api.post(runs, 409, procedure="small", version=2)
    assert refused["code"] == "procedure_not_approved"
    room = await api.post(runs, 201, procedure="small")
    assert room["runs"][0]["run"]["version"] == 1

    api.people = 2
    own = await api.post("/procedures/small/2/approve", 409)
    assert own["code"] == "procedure_own_draft"
    api.people = 1  # alone, as on a machine of one's own
    drafted, _ = await api.post("/procedures/small/2/approve")
    assert drafted["approved_at"] is not None
    again = await api.post("/procedures/small/2/approve", 409)
    assert again["code"] == "procedure_approved"
    room = await api.post(f"/incidents/{await api.opened()}/runs", 201, procedure="small")
    assert room["runs"][0]["run"]["version"] == 2


async def test_form_and_file_are_checked(api: Api) -> None:
    good = await api.post("/procedures/check", text=SMALL, started_at="2026-11-27T16:00:00+07:00")
    assert good["finding"] is None
    assert [one["step"] for one in good["clocks"]] == ["look", "close", "tell", "sum"]
    assert good["clocks"][0]["due_at"] == "2026-11-27T09:15:00Z"
    table = good["table"]
    table["step"][0]["limit"] = "soon"
    bad = await api.post("/procedures/check", table=table)
    assert bad["finding"]["words"]["vi"].startswith("Bước “look”, thời hạn: “soon” không phải")
    assert bad["text"].splitlines()[bad["finding"]["line"] - 1] == 'limit = "soon"'
    assert bad["table"]["step"][0]["limit"] == "soon"
    half = await api.post("/procedures/check", table={"id": "x", "step": [{"id": ""}]})
    assert (half["table"], half["clocks"]) == (None, [])
    assert half["finding"]["remedy"]["vi"]
    assert len(await api.get("/procedures")) == 1
