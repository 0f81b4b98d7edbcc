"""Nothing leaves a drill: with a channel for each way out configured, alarms raised and a warning
released, no receiver gets one byte; from an ordinary run each of them does."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.outside import SECRETS, Outside, outside
from support.program import Program

pytestmark = pytest.mark.thorough

ENTITY = "urn:ngsi-ld:Gauge:outside"
RULE: dict[str, Any] = {
    "id": "outside-level",
    "name": {"vi": "Mực nước cao", "en": "High water"},
    "scope": {"types": ["Gauge"]},
    "condition": {"kind": "threshold", "attribute": "level", "comparison": ">=", "limit": 1.5},
    "priority": 1,  # told on every channel at once
    "consequence": {"vi": "Ngập", "en": "Flooding"},
    "response": {"vi": "Kiểm tra", "en": "Check"},
    "time_to_respond_s": 600,
}
SCENARIO = f"""
id = "outside"
title_vi = "Thử hàng rào"
title_en = "Try the fence"
origin = "simulated"
origin_note_vi = "mô phỏng"
origin_note_en = "simulated"
duration_s = 3600

[[stations]]
source = "drill-gauge"
name = "Trạm thử"
entity = "{ENTITY}"
type = "Gauge"
attribute = "level"
every_s = 30
points = [[0, 1.2], [60, 1.2], [90, 1.8], [3600, 1.8]]
"""
WARNING = {
    "event": "tide",
    "status": "Exercise",
    "risk_level": 2,
    "severity": "Moderate",
    "vi": {"headline": "Thử", "description": "Diễn tập.", "instruction": "Kê cao đồ đạc."},
    "shapes": [{"name_vi": "Bến", "centre": [106.65, 10.98], "radius_km": 1.0}],
}
WAYS = frozenset({"email", "sms", "zalo", "webhook", "web_push", "mqtt"})


@contextmanager
def person(hub: Program, admin: httpx.Client, who: str) -> Iterator[httpx.Client]:
    """A client with the session of somebody."""
    path = admin.post(f"/api/v1/people/{who}/link").json()["path"]
    with httpx.Client(base_url=hub.url, headers={"origin": hub.url}) as client:
        signed = client.post("/login", data={"token": path.partition("token=")[2]})
        assert signed.status_code == 303, signed.text
        yield client


def until(is_so: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """What is answered as soon as it is something."""
    deadline = time.monotonic() + timeout_s
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return found


def done(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def prepare(admin: httpx.Client, hub: Program, world: Outside) -> None:
    """A rule in force, somebody on duty who can be reached on every channel, a second person."""
    made = done(admin.post("/api/v1/rules", json=RULE))
    done(admin.post(f"/api/v1/rules/{RULE['id']}/versions/{made['version']}/approve"))
    lan = {"id": "lan", "name": "Lan", "positions": ["operator", "duty_officer"]}
    done(admin.post("/api/v1/people", json={**lan, "contacts": world.contacts()}))
    minh = {"id": "minh", "name": "Minh", "positions": ["leader"]}
    done(admin.post("/api/v1/people", json={**minh, "contacts": {"sms": "+84900000002"}}))
    for who, position in (("lan", "operator"), ("minh", "leader")):
        with person(hub, admin, who) as client:
            done(client.post("/api/v1/shifts/take", json={"position": position}))
            if who == "lan":
                done(client.post("/api/v1/notices/push", json=world.push()))


def subscribe(admin: httpx.Client, world: Outside) -> None:
    """To every level of the gauge."""
    endpoint = {"uri": f"http://127.0.0.1:{world.doors['subscription'].port}/notify"}
    body = {
        "type": "Subscription",
        "entities": [{"type": "Gauge"}],
        "notification": {"endpoint": endpoint},
    }
    done(admin.post("/ngsi-ld/v1/subscriptions", json=body))


def release_a_warning(hub: Program, admin: httpx.Client, alarm: int) -> None:
    """Written by one person, released by another."""
    with person(hub, admin, "lan") as lan, person(hub, admin, "minh") as minh:
        end = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        body = {"subject": f"alarm:{alarm}", "content": {**WARNING, "expires_at": end}}
        begun = done(lan.post("/api/v1/warnings", json=body))
        one = f"/api/v1/warnings/{begun['row']['id']}"
        seen = {"version": begun["messages"][-1]["version"]}
        sent = done(lan.post(f"{one}/submit", json=seen))
        seen = {"version": sent["messages"][-1]["version"]}
        released = done(minh.post(f"{one}/release", json=seen))
        assert released["messages"][-1]["state"] == "released"


def the_alarm(client: httpx.Client) -> int:
    items = until(lambda: done(client.get("/api/v1/alarms"))["items"])
    return int(next(one["id"] for one in items if one["title"] == "Mực nước cao"))


def deliveries(client: httpx.Client, kind: str, ways: frozenset[str] = WAYS) -> dict[str, str]:
    """Channel -> state, of the notices of a kind; empty while a channel has none."""
    items = done(client.get("/api/v1/notices", params={"kind": kind}))["items"]
    found = {one["channel"]: one["state"] for notice in items for one in notice["deliveries"]}
    return found if found.keys() >= ways and "waiting" not in found.values() else {}


def tell_everybody(hub: Program, cookies: httpx.Cookies, world: Outside) -> None:
    """The control: what an ordinary run of the same province sends."""
    with httpx.Client(base_url=hub.url, cookies=cookies, headers={"origin": hub.url}) as admin:
        level = {"id": ENTITY, "type": "Gauge", "level": {"type": "Property", "value": 1.8}}
        time.sleep(1.5)  # rules in force are looked at once a second
        done(admin.post("/ngsi-ld/v1/entities", json=level))
        release_a_warning(hub, admin, the_alarm(admin))
        states = until(lambda: deliveries(admin, "alarm.raised"))
        assert set(states.values()) <= {"accepted", "delivered"}, states
        until(lambda: all(size for _, size in world.traffic.values()))
    understood = {name: len(door.letters) for name, door in world.doors.items() if name != "mqtt"}
    assert all(understood.values()), understood
    (pushed,) = world.doors["cap_push"].letters
    assert pushed.body.startswith(b"<?xml")
    shown = json.loads(world.browser.decrypt(world.doors["web_push"].letters[0].body))
    assert "Mực nước cao" in shown["title"]


def train(drill: Program, world: Outside) -> int:
    """The same in the drill; gives how often something was refused."""
    with closing(drill.signed_in()) as trainer:
        assert done(trainer.get("/ngsi-ld/v1/subscriptions")) == []
        subscribe(trainer, world)
        release_a_warning(drill, trainer, the_alarm(trainer))
        # Browsers of the province's people stay behind, and none can be registered here.
        raised = until(lambda: deliveries(trainer, "alarm.raised", WAYS - {"web_push"}))
        assert set(raised.values()) == {"captured"}
        assert "web_push" not in raised
        with person(drill, trainer, "lan") as lan:
            refusal = lan.post("/api/v1/notices/push", json=world.push())
        assert refusal.json()["code"] == "web_push_off"
        asked = until(lambda: deliveries(trainer, "warning.approval", frozenset({"sms"})))
        assert set(asked.values()) <= {"captured", "reserve"}
        # What the settings do not hold back, the fence does.
        refused = until(lambda: done(trainer.get("/api/v1/drill"))["refused"])
        receivers = until(lambda: done(trainer.get("/api/v1/warnings/receivers")))
        assert [one["name"] for one in receivers] == ["tv"]
        until(lambda: done(trainer.get("/api/v1/warnings/receivers"))[0]["taken"])
        assert "<entry>" not in httpx.get(f"{drill.url}/cap/feed.atom").text
    return int(refused)


def test_nothing_leaves_a_drill_and_everything_leaves_an_ordinary_run(tmp_path: Path) -> None:
    province, hub_folder, folder = (tmp_path / name for name in ("province", "hub", "drill"))
    scenario, config = tmp_path / "outside.toml", tmp_path / "dothi.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    with outside() as world:
        config.write_text(world.toml(), encoding="utf-8")
        with_config = ("--config", str(config))
        with Program(province, *with_config, environ=SECRETS) as hub:
            with closing(hub.signed_in()) as admin:
                prepare(admin, hub, world)
                subscribe(admin, world)
            assert hub.stop() == 0
        shutil.copytree(province, hub_folder)
        with Program(hub_folder, *with_config, environ=SECRETS) as hub:
            tell_everybody(hub, admin.cookies, world)
            assert hub.stop() == 0

        before = world.traffic
        arguments = ("--copy-of", str(province), "--speed", "60", *with_config)
        command = f"drill run {scenario}"
        with Program(folder, *arguments, command=command, environ=SECRETS) as drill:
            refused = train(drill, world)
            assert drill.stop() == 0
        assert world.traffic == before
    report = json.loads((folder / "drill" / "report.json").read_text())
    port = world.doors["subscription"].port
    assert len(report["refused"]) >= refused
    assert set(report["refused"]) == {f"a connection to 127.0.0.1:{port}"}
