"""The whole way: a rule is approved, a device sends over MQTT, the operator has an alarm; a kill
changes nothing about it."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.program import Program, run_cli

SOURCE = "gauge-7"
RULE: dict[str, Any] = {
    "id": "alarm-level-2",
    "name": {"vi": "Mực nước vượt báo động II", "en": "Water above alarm level II"},
    "scope": {"types": ["WaterObserved"]},
    "condition": {
        "kind": "threshold",
        "attribute": "waterLevel",
        "comparison": ">=",
        "limit": 1.5,
        "deadband": 0.05,
    },
    "priority": 2,
    "consequence": {"vi": "Ngập đường ven sông", "en": "Flooding along the river"},
    "response": {"vi": "Kiểm tra cống", "en": "Check the sluice"},
    "time_to_respond_s": 1800,
}


def _publish(program: Program, token: str, level: float) -> None:
    payload = {"type": "WaterObserved", "waterLevel": level}
    subprocess.run(
        [
            *("mosquitto_pub", "-p", str(program.mqtt_port), "-q", "1"),
            *("-u", SOURCE, "-P", token, "-t", f"dothi/v1/{SOURCE}", "-m", json.dumps(payload)),
        ],
        check=True,
        timeout=20,
    )


def _approve(client: httpx.Client) -> None:
    made = client.post("/api/v1/rules", json=RULE)
    assert made.status_code == 201, made.text
    version = made.json()["version"]
    done = client.post(f"/api/v1/rules/{RULE['id']}/versions/{version}/approve")
    assert done.status_code == 200, done.text


def _alarms(client: httpx.Client, wanted: int, **query: str) -> list[dict[str, Any]]:
    """The alarms of the list, as soon as there are so many."""
    began = time.monotonic()
    while True:
        answer = client.get("/api/v1/alarms", params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        if len(items) >= wanted:
            return items
        assert time.monotonic() - began < 15, items
        time.sleep(0.02)


@pytest.mark.needs("mosquitto")
@pytest.mark.thorough
def test_a_message_becomes_an_alarm_that_survives_a_kill(tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    with program:
        added = run_cli("source", "add", SOURCE, "--data-dir", str(program.data_dir))
        token = added.stdout.strip()
        client = program.signed_in()
        _approve(client)
        time.sleep(1.5)  # rules in force are looked at once a second
        _publish(program, token, 1.2)
        _publish(program, token, 1.62)
        began = time.monotonic()
        [alarm] = _alarms(client, 1)
        # The promise is a second; a loaded test machine gets some more.
        assert time.monotonic() - began < 3.0
        assert alarm["title"] == "Mực nước vượt báo động II"
        assert alarm["domain"] == "water"
        assert alarm["state"] == "active_unacknowledged"
        detail = client.get(f"/api/v1/alarms/{alarm['id']}").json()
        assert detail["rule"]["response_en"] == "Check the sluice"
        assert detail["series"][0]["attribute"] == "waterLevel"
        assert detail["explanation"] is not None
        seen = [{"id": alarm["id"], "activations": alarm["activations"]}]
        assert client.post("/api/v1/alarms/acknowledge", json={"alarms": seen}).status_code == 200
        program.kill()
    with program:
        with httpx.Client(base_url=program.url, cookies=client.cookies) as again:
            [known] = _alarms(again, 1)
            assert known["state"] == "active_acknowledged"
            _publish(program, token, 1.1)
            closed = _alarms(again, 1, state="normal")
            assert [one["id"] for one in closed] == [alarm["id"]]
        assert program.stop() == 0
