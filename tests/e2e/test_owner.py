"""A device cannot forge the series of another, at any of its doors; a replaced one is released."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pyarrow as pa
import pytest

from support.program import Program, run_cli, run_here

STATION = "urn:ngsi-ld:WaterObserved:phu-an"
REASON = "series_of_another_source"


def token_of(dothi: Program, source: str, *options: str) -> str:
    added = run_here("source", "add", source, "--data-dir", str(dothi.data_dir), *options)
    assert added.returncode == 0, added.stderr
    return added.stdout.strip()


def post(dothi: Program, token: str, number: float, minute: int, **more: object) -> httpx.Response:
    row = {
        "entity": STATION,
        "attribute": "level",
        "value": number,
        "observedAt": f"2026-01-01T00:{minute:02}:00Z",
    }
    return httpx.post(
        f"{dothi.url}/api/v1/observations",
        json=[row | more],
        headers={"authorization": f"Bearer {token}"},
    )


def publish(dothi: Program, source: str, token: str, payload: dict[str, Any]) -> None:
    async def send() -> None:
        async with aiomqtt.Client(
            "127.0.0.1", dothi.mqtt_port, username=source, password=token
        ) as client:
            # QoS 1: answered when its fate is durable.
            await client.publish(f"dothi/v1/{STATION}", json.dumps(payload), qos=1)

    asyncio.run(send())


def shown(client: httpx.Client) -> tuple[float, str]:
    """The number on the map, and whose it is."""
    values = client.get(f"/api/v1/entities/{STATION}").json()["values"]
    [level] = [v for v in values if v["attribute"] == "level" and v["dataset"] == ""]
    return level["number"], level["source"]


@pytest.mark.thorough
def test_a_device_cannot_write_the_series_of_another(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as dothi:
        client = dothi.signed_in()
        owner, thief = token_of(dothi, "wl-phu-an"), token_of(dothi, "thief")
        assert post(dothi, owner, 1.42, 0).json()["stored"] == 1

        forged = post(dothi, thief, 9.9, 1)
        assert forged.status_code == 422
        answer = forged.json()
        assert (answer["received"], answer["stored"], answer["rejected"]) == (1, 0, 1)
        [told] = answer["rejects"]
        assert (told["row"], told["reason"], told["count"]) == (0, REASON, 1)
        assert "'wl-phu-an'" in told["detail"]
        publish(dothi, "thief", thief, {"level": 9.9, "observedAt": "2026-01-01T00:02:00Z"})
        assert shown(client) == (1.42, "wl-phu-an")
        history = client.get(
            "/api/v1/series", params={"key": f"{STATION}|level", "start": "2026-01-01T00:00:00Z"}
        )
        assert history.json()["series"][0]["v"] == [1.42]

        [minute] = client.get("/api/v1/sources/thief/receipts").json()["minutes"][-1:]
        assert minute["received"] == minute["rejected"] + minute["stored"] + minute["duplicate"]
        rejects = client.get("/api/v1/sources/thief/rejects").json()
        assert rejects["reasons"] == {REASON: 2}
        totals = {s["id"]: s for s in client.get("/api/v1/sources").json()}
        assert (totals["thief"]["received"], totals["thief"]["rejected"]) == (2, 2)

        publish(dothi, "wl-phu-an", owner, {"level": 1.5, "observedAt": "2026-01-01T00:03:00Z"})
        assert shown(client) == (1.5, "wl-phu-an")
        assert dothi.stop() == 0


@pytest.mark.thorough
def test_a_device_cannot_delete_either(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as dothi:
        client = dothi.signed_in()
        owner, thief = token_of(dothi, "wl-phu-an"), token_of(dothi, "thief")
        post(dothi, owner, 1.42, 0)
        bearer = {"authorization": f"Bearer {thief}"}
        for change in (2, 3, 4, 5):
            refused = post(dothi, thief, 9.9, 1, change=change)
            assert refused.status_code == 422
            assert refused.json()["rejects"][0]["reason"] == "row_invalid"
        table = pa.table({"entity": [STATION], "attribute": [""], "text": [""], "change": [3]})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        arrow = {"content-type": "application/vnd.apache.arrow.stream"}
        refused = httpx.post(
            f"{dothi.url}/api/v1/observations",
            content=sink.getvalue().to_pybytes(),
            headers=bearer | arrow,
        )
        assert refused.json()["code"] == "arrow_columns"
        for path in (f"entities/{STATION}", f"entities/{STATION}/attrs/level"):
            refused = httpx.delete(f"{dothi.url}/ngsi-ld/v1/{path}", headers=bearer)
            assert refused.status_code == 403
        for path in ("batches", "sources/wl-phu-an/release"):
            refused = httpx.post(f"{dothi.url}/api/v1/{path}", headers=bearer)
            assert refused.status_code == 403
        publish(dothi, "thief", thief, {"change": 3, "quality": 1})
        assert shown(client) == (1.42, "wl-phu-an")


@pytest.mark.thorough
def test_a_device_that_is_replaced_is_released(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as dothi:
        client = dothi.signed_in()
        where = ("--data-dir", str(dothi.data_dir))
        old, new = token_of(dothi, "old"), token_of(dothi, "new")
        gateway = token_of(dothi, "gw", "--may-write-others")
        assert post(dothi, old, 1.0, 0).status_code == 200
        assert post(dothi, new, 2.0, 1).status_code == 422
        assert post(dothi, gateway, 3.0, 2).status_code == 200
        released = run_cli("source", "release", "old", *where)
        assert released.stdout == "1 series released\n", released.stderr
        assert post(dothi, new, 4.0, 3).status_code == 200
        assert post(dothi, old, 5.0, 4).status_code == 422
        assert shown(client) == (4.0, "new")
        dothi.stop()
        lines = [json.loads(line) for line in dothi.log().splitlines()]
        [audit] = [line for line in lines if line["message"] == "series released"]
        assert (audit["source"], audit["series"], audit["by"]) == ("old", 1, "administrator")


@pytest.mark.thorough
def test_history_is_brought_in_before_and_after_the_device_comes(tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    with Program(tmp_path / "data") as dothi:

        def bring_in(line: str) -> str:
            table.write_text(f"time,level\n{line}\n")
            return run_cli(
                *("import", str(table), "--source", "archive", "--entity", STATION),
                *("--time-column", "time", "--column", "level=level"),
                *("--data-dir", str(dothi.data_dir)),
            ).stdout

        assert "1 stored" in bring_in("2025-01-01T00:00Z,0.5")
        device, thief = token_of(dothi, "wl-phu-an"), token_of(dothi, "thief")
        assert post(dothi, device, 1.0, 0).status_code == 200
        assert post(dothi, thief, 2.0, 1).status_code == 422
        assert "1 stored" in bring_in("2025-01-01T01:00Z,0.6")
        assert post(dothi, device, 3.0, 2).status_code == 200
        assert shown(dothi.signed_in()) == (3.0, "wl-phu-an")
