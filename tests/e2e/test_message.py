"""A message of a real MQTT client, from the door to everything that shows it, through a kill."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from support.program import Program, run_cli

SOURCE = "gauge-1"
ENTITY = f"urn:ngsi-ld:WaterObserved:{SOURCE}"


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


def _watch(program: Program, client: httpx.Client) -> ClientConnection:
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    socket = connect(
        program.url.replace("http", "ws") + "/api/v1/live",
        additional_headers={"cookie": cookie, "origin": program.url},
    )
    socket.send("{}")
    return socket


def _level_in(message: dict[str, Any]) -> float | None:
    """The water level that a snapshot or delta tells."""
    values = [value for entity, value in message.get("values", []) if entity == ENTITY]
    for view in message.get("entities", []):
        values += view["values"] if view["id"] == ENTITY else []
    levels = [v["number"] for v in values if v["attribute"] == "waterLevel"]
    return levels[-1] if levels else None


def _wait_for(socket: ClientConnection, level: float) -> float:
    """Seconds until the viewer hears of the level."""
    began = time.monotonic()
    while _level_in(json.loads(socket.recv(timeout=10))) != level:
        assert time.monotonic() - began < 10
    return time.monotonic() - began


@pytest.mark.needs("mosquitto")
def test_a_message_reaches_map_trend_metrics_and_receipts_and_survives_a_kill(
    tmp_path: Path,
) -> None:
    program = Program(tmp_path / "data")
    with program:
        added = run_cli("source", "add", SOURCE, "--data-dir", str(program.data_dir))
        token = added.stdout.strip()
        client = program.signed_in()
        with _watch(program, client) as socket:
            assert json.loads(socket.recv(timeout=10))["kind"] == "snapshot"
            _publish(program, token, 1.42)
            # The promise is a second; a loaded test machine gets some more.
            assert _wait_for(socket, 1.42) < 3.0
        _check_everywhere(client)
        program.kill()
    with program:
        with httpx.Client(base_url=program.url, cookies=client.cookies) as again:
            _check_everywhere(again)
            with _watch(program, again) as socket:
                assert _level_in(json.loads(socket.recv(timeout=10))) == 1.42
        assert program.stop() == 0


def _check_everywhere(client: httpx.Client) -> None:
    series = client.get("/api/v1/series", params={"key": f"{ENTITY}|waterLevel"}).json()
    assert series["series"][0]["v"] == [1.42]
    metrics = client.get("/metrics").text
    for what in ("received", "stored"):
        assert f'dothi_source_{what}_total{{source="{SOURCE}"}} 1' in metrics
    receipts = client.get(f"/api/v1/sources/{SOURCE}/receipts").json()["minutes"]
    assert [(r["received"], r["stored"], r["rejected"], r["duplicate"]) for r in receipts] == [
        (1, 1, 0, 0)
    ]


@pytest.mark.thorough
def test_a_web_socket_of_another_site_or_of_nobody_is_refused(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as program:
        client = program.signed_in()
        url = program.url.replace("http", "ws") + "/api/v1/live"
        cookie = f"dothi_session={client.cookies['dothi_session']}"
        for headers, status in (
            ({"origin": program.url}, 401),
            ({"origin": "http://evil.example", "cookie": cookie}, 403),
        ):
            with pytest.raises(Exception, match=f"HTTP {status}"):
                connect(url, additional_headers=headers)
