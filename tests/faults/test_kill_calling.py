"""kill -9 while alarms open incidents by themselves: each alarm has one whole incident in the end.

DOTHI_FAULT_ROUNDS sets the number of kills (default 2, or 5 where everything runs).
"""

import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.program import Program
from thorough import IS_THOROUGH

pytestmark = pytest.mark.thorough

ROUNDS = int(os.environ.get("DOTHI_FAULT_ROUNDS") or (5 if IS_THOROUGH else 2))
GAUGES = 30
"""New alarms in each round."""
RULE: dict[str, Any] = {
    "id": "level",
    "name": {"vi": "Mực nước cao", "en": "High water"},
    "scope": {"types": ["Gauge"]},
    "condition": {"kind": "threshold", "attribute": "level", "comparison": ">=", "limit": 1.5},
    "priority": 2,
    "consequence": {"vi": "Ngập", "en": "Flooding"},
    "response": {"vi": "Kiểm tra", "en": "Check"},
    "time_to_respond_s": 600,
}
PROCEDURE = """
id = "itself"
version = 1
title = { vi = "Tự mở", en = "By itself" }
purpose = { vi = "Thử", en = "Test" }
first = "look"

[[start]]
rule = "level"
automatic = true

[[step]]
id = "look"
title = { vi = "Xem", en = "Look" }
text = { vi = "Xem", en = "Look" }
role = "operator"
limit = "1 h"
"""


def raise_alarms(client: httpx.Client, number: int) -> None:
    """One value above the limit at each of some new gauges."""
    entities = [
        {
            "id": f"urn:ngsi-ld:Gauge:{number}-{n}",
            "type": "Gauge",
            "level": {"type": "Property", "value": 1.8},
        }
        for n in range(GAUGES)
    ]
    answer = client.post("/ngsi-ld/v1/entityOperations/create", json=entities)
    assert answer.status_code < 300, answer.text


def rooms(client: httpx.Client, wanted: int) -> list[dict[str, Any]]:
    """Every incident, as soon as there are so many and no more come."""
    deadline = time.monotonic() + 60
    heads: list[dict[str, Any]] = []
    while len(heads) < wanted and time.monotonic() < deadline:
        time.sleep(0.3)
        heads = client.get("/api/v1/incidents", params={"limit": 500}).json()["items"]
    time.sleep(1.5)
    heads = client.get("/api/v1/incidents", params={"limit": 500}).json()["items"]
    return [client.get(f"/api/v1/incidents/{one['incident']['id']}").json() for one in heads]


def test_each_alarm_opens_one_incident(tmp_path: Path) -> None:
    folder = tmp_path / "procedures"
    folder.mkdir()
    (folder / "itself.toml").write_text(PROCEDURE, encoding="utf-8")
    rng = random.Random(5)
    environ = {"DOTHI_INCIDENTS__PROCEDURES_FOLDER": str(folder)}
    with Program(tmp_path / "data", environ=environ) as hub:
        signed = hub.signed_in()
        assert signed.post("/api/v1/rules", json=RULE).status_code == 201
        assert signed.post("/api/v1/rules/level/versions/1/approve").status_code == 200
        time.sleep(1.5)  # rules in force are looked at once a second
        for number in range(ROUNDS):
            with httpx.Client(base_url=hub.url, cookies=signed.cookies) as client:
                client.headers["origin"] = hub.url
                raise_alarms(client, number)
            time.sleep(rng.uniform(0.0, 1.5))
            hub.kill()
            hub.start()
        with httpx.Client(base_url=hub.url, cookies=signed.cookies) as client:
            found = rooms(client, ROUNDS * GAUGES)
        hub.kill()
    linked = Counter(link["subject"] for room in found for link in room["links"])
    assert len(linked) == ROUNDS * GAUGES
    assert set(linked.values()) == {1}
    for room in found:
        [run] = room["runs"]
        assert run["run"]["cause"] == room["links"][0]["subject"]
        assert [step["state"] for step in run["run"]["steps"]] == ["open"]
