"""A recorded day, out of a file and then out of the hub's own history, raises the same alarm in a
drill."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from dothi.model.zone import ZONE
from support.program import Program, run_cli

pytestmark = pytest.mark.thorough

ENTITY = "urn:ngsi-ld:WaterObserved:wl-thu-dau-mot"
MAPPING = f"""
source = "tdm"
source_name = "Thủ Dầu Một"
time_column = "at"
zone = "Asia/Ho_Chi_Minh"
entity = "{ENTITY}"
entity_type = "WaterObserved"
[columns.level]
attribute = "level"
unit = "MTR"
"""
DAY = datetime(2026, 11, 20, tzinfo=ZONE)


def wait_for_alarm(client: httpx.Client) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for one in client.get("/api/v1/alarms").json()["items"]:
            if one["rule"] == "water-level-i":
                return dict(one)
        time.sleep(0.2)
    raise AssertionError("no alarm")


def check(drill: Program) -> None:
    """The alarm is about the recorded evening, dated now, its value labelled as a replay."""
    client = drill.signed_in()
    alarm = wait_for_alarm(client)
    raised_at = datetime.fromisoformat(alarm["raised_at"])
    assert abs(datetime.now(UTC) - raised_at) < timedelta(minutes=2)
    shown = client.get("/api/v1/drill").json()
    assert shown["origin"] == "replayed"
    assert "20/11/2026" in shown["title_vi"]
    sources = client.get("/api/v1/sources").json()
    [source] = [one for one in sources if one["id"].startswith("replay-")]
    assert source["origin"] == "replayed"
    assert "20/11/2026" in source["origin_note_vi"]
    assert drill.stop() == 0
    report = json.loads((drill.data_dir / "drill" / "report.json").read_text())
    assert (report["origin"], report["refused"]) == ("replayed", [])


def test_a_recorded_evening(tmp_path: Path) -> None:
    table, mapping = tmp_path / "levels.csv", tmp_path / "map.toml"
    # From 17:00 on the level rises by 1 cm a minute, past level I (1.40 m).
    times = [DAY + timedelta(hours=17, minutes=n) for n in range(120)]
    rows = [f"{at:%Y-%m-%d %H:%M},{1.2 + n / 100:.2f}" for n, at in enumerate(times)]
    table.write_text("\n".join(["at,level", *rows]) + "\n", encoding="utf-8")
    mapping.write_text(MAPPING, encoding="utf-8")
    arguments = ("--recorded", str(table), "--map", str(mapping), "--speed", "60")
    hours = ("--between", "17:00-19:00")
    with Program(tmp_path / "file", *arguments, *hours, command="drill run") as drill:
        check(drill)

    hub = tmp_path / "hub"
    done = run_cli("import", str(table), "--map", str(mapping), "--data-dir", str(hub))
    assert done.returncode == 0, done.stderr
    arguments = ("--from-data-dir", str(hub), "--day", "2026-11-20", "--speed", "60")
    with Program(tmp_path / "history", *arguments, *hours, command="drill run") as drill:
        check(drill)


def test_half_of_an_order_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "levels.csv"
    table.write_text("at,level\n", encoding="utf-8")
    for arguments, said in (
        ((), "name a scenario"),
        (("--recorded", str(table)), "--map"),
        (("--from-data-dir", str(tmp_path)), "--day"),
        (("--day", "2026-11-20"), "--from-data-dir"),
    ):
        folder = tmp_path / "drill"
        done = run_cli("drill", "run", "--data-dir", str(folder), *arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert not folder.exists()
