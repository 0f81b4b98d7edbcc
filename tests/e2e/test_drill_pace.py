"""At ten times the clock the limit that the screen shows and the one that the report judges by are
the same, and the report says who did it."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.program import Program

pytestmark = pytest.mark.thorough

SPEED = 10
ENTITY = "urn:ngsi-ld:WaterObserved:wl-thu-dau-mot"
SCENARIO = f"""
id = "pace"
title_vi = "Thử nhịp"
title_en = "Try the pace"
origin = "simulated"
origin_note_vi = "mô phỏng"
origin_note_en = "simulated"
duration_s = 3600

[[stations]]
source = "drill-gauge"
name = "Trạm thử"
entity = "{ENTITY}"
type = "WaterObserved"
attribute = "level"
unit = "MTR"
every_s = 20
points = [[0, 1.0], [20, 3.0], [3600, 3.0]]

[[expectations]]
id = "confirmed"
title_vi = "Xác minh"
title_en = "Confirm"
kind = "step"
procedure = "flood-evening"
step = "confirm"

[[expectations]]
id = "seen"
title_vi = "Xác nhận"
title_en = "Acknowledge"
kind = "acknowledge"
rule = "water-level-iii"
within_s = 3600
"""


def done(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


def until(is_so: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return found


def the_alarm(client: httpx.Client) -> dict[str, Any] | None:
    items = done(client.get("/api/v1/alarms"))["items"]
    return next((one for one in items if one["rule"] == "water-level-iii"), None)


def signed_in(drill: Program, admin: httpx.Client, who: str) -> httpx.Client:
    path = done(admin.post(f"/api/v1/people/{who}/link"))["path"]
    client = httpx.Client(base_url=drill.url, headers={"origin": drill.url})
    assert client.post("/login", data={"token": path.partition("token=")[2]}).status_code == 303
    return client


def work(lan: httpx.Client) -> float:
    """Acknowledge, open the incident, do the first step; gives the limit shown, in seconds."""
    alarm = until(lambda: the_alarm(lan))
    seen = {"alarms": [{"id": alarm["id"], "activations": alarm["activations"]}]}
    done(lan.post("/api/v1/alarms/acknowledge", json=seen))
    body = {"title": "Ngập", "severity": 2, "procedure": "flood-evening"}
    subjects = [{"subject": f"alarm:{alarm['id']}"}]
    room = done(lan.post("/api/v1/incidents", json={**body, "subjects": subjects}))
    (step,) = room["runs"][0]["run"]["steps"]
    due, began = (datetime.fromisoformat(step[key]) for key in ("due_at", "opened_at"))
    path = f"/api/v1/incidents/{room['incident']['id']}/runs/1/steps/confirm"
    answers = {"is_real": "flooding"}
    done(lan.post(path, json={"action": "finish", "version": 1, "answers": answers}))
    return (due - began).total_seconds()


def test_the_screen_and_the_score_have_one_limit(tmp_path: Path) -> None:
    scenario, folder = tmp_path / "pace.toml", tmp_path / "drill"
    scenario.write_text(SCENARIO, encoding="utf-8")
    with Program(folder, "--speed", str(SPEED), command=f"drill run {scenario}") as drill:
        with closing(drill.signed_in()) as admin:
            lan = {"id": "lan", "name": "Lan (diễn tập)", "positions": ["duty_officer"]}
            done(admin.post("/api/v1/people", json=lan))
            with closing(signed_in(drill, admin, "lan")) as client:
                shown_s = work(client)
        assert drill.stop() == 0
    report = json.loads((folder / "drill" / "report.json").read_text())
    rows = {row["id"]: row for row in report["rows"]}
    assert shown_s == 900 / SPEED
    assert rows["confirmed"]["allowed_s"] == 900
    assert {name: row["verdict"] for name, row in rows.items()} == dict.fromkeys(rows, "kept")
    assert {row["by"] for row in rows.values()} == {"Lan (diễn tập)"}
    assert "Lan (diễn tập)" in (folder / "drill" / "report.html").read_text("utf-8")
