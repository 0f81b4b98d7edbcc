"""kill -9 of the whole program while every door is written to: acknowledged means stored, once.

DOTHI_FAULT_ROUNDS sets the number of kills (default 2; the release figure is 200, see
bench/results).
"""

import os
import random
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.faults.doors import Door, FileDoor, HttpDoor, MqttDoor, NgsiDoor, entity
from tests.support.program import Program, run_cli

ROUNDS = int(os.environ.get("DOTHI_FAULT_ROUNDS", "2"))
FILE_ENTITY = "urn:ngsi-ld:WaterQualityObserved:BD_KCN_NUO001"


def history(client: httpx.Client, door: Door) -> list[tuple[int, int]]:
    """(time in seconds, number) of every row ever stored of the door's series, corrections too."""
    key = f"{FILE_ENTITY}|cod" if door.name == "file" else f"{entity(door.name)}|n"
    answer = client.get("/api/v1/series/revisions", params={"key": key, "limit": "1000000"})
    assert answer.status_code == 200, answer.text
    return [
        (t // 1000, round(v))
        for series in answer.json()["series"]
        for t, v in zip(series["t"], series["v"], strict=True)
    ]


def check(client: httpx.Client, door: Door) -> None:
    rows = history(client, door)
    assert len(rows) == len(set(rows)), f"{door.name}: stored twice"
    lost = door.acknowledged - {number for _, number in rows}
    assert not lost, f"{door.name}: {len(lost)} lost, first {sorted(lost)[:5]}"


def check_receipts(client: httpx.Client) -> None:
    for source in client.get("/api/v1/sources").json():
        parts = source["stored"] + source["rejected"] + source["duplicate"]
        assert source["received"] == parts, source


def one_life(dothi: Program, doors: list[Door], life_s: float) -> None:
    """Start, let every door send, kill."""
    with dothi:
        for door in doors:
            door.stopping.clear()
        senders = [
            threading.Thread(target=door.run, args=(dothi.url, dothi.mqtt_port)) for door in doors
        ]
        for sender in senders:
            sender.start()
        time.sleep(life_s)
        dothi.kill()
        for door in doors:
            door.stopping.set()
        for sender in senders:
            sender.join(20)
            assert not sender.is_alive()


@pytest.mark.thorough
def test_acknowledged_means_stored_once_at_every_door(tmp_path: Path) -> None:
    data, drop = tmp_path / "data", tmp_path / "drop"
    drop.mkdir()
    environ = {
        "DOTHI_ACCESS__MODE": "open",
        "DOTHI_FILES__FOLDER": str(drop),
        "DOTHI_FILES__POLL_S": "0.2",
        "DOTHI_FILES__STABLE_S": "0",
        "DOTHI_LAKE__HOT_WINDOW_S": "1",
        "DOTHI_LAKE__SEAL_EVERY_S": "0.3",
        "DOTHI_LAKE__UPKEEP_EVERY_S": "1",
        "DOTHI_LOG__REQUESTS": "false",
    }
    dothi = Program(data, environ=environ)
    with dothi:
        added = run_cli("source", "add", "door-mqtt", "--data-dir", str(data))
        assert added.returncode == 0, added.stderr
    doors: list[Door] = [HttpDoor(), NgsiDoor(), MqttDoor(added.stdout.strip()), FileDoor(drop)]
    rng = random.Random(11)
    for _ in range(ROUNDS):
        one_life(dothi, doors, rng.uniform(0.3, 2.5))
    with dothi, httpx.Client(base_url=dothi.url, timeout=60) as client:
        expected = len(doors[-1].acknowledged)
        deadline = time.monotonic() + 60
        while len(history(client, doors[-1])) < expected and time.monotonic() < deadline:
            time.sleep(0.3)
        for door in doors:
            assert door.acknowledged or ROUNDS < 2, f"{door.name} never got an answer"
            check(client, door)
        check_receipts(client)
