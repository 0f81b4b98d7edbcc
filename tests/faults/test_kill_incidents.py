"""Power cuts in the middle of an incident: what was acknowledged is there, overdue steps are told
once each, evidence is whole."""

import hashlib
import threading
import time
from pathlib import Path

import httpx
import pytest

from support.program import Program

PROCEDURE = """
id = "quick"
version = 1
title = { vi = "Nhanh", en = "Quick" }
purpose = { vi = "Thử", en = "Test" }
first = "now"

[[step]]
id = "now"
title = { vi = "Ngay", en = "Now" }
text = { vi = "Ngay", en = "Now" }
role = "operator"
limit = "2 s"

[[step.escalate]]
to = ["duty_officer"]
"""


def written_until_killed(dothi: Program, client: httpx.Client, url: str) -> list[str]:
    """Texts of the notes that were acknowledged before the power went."""
    acknowledged: list[str] = []
    cut = threading.Timer(1.0, dothi.kill)
    cut.start()
    for n in range(100_000):
        try:
            answer = client.post(f"{url}/entries", json={"kind": "note", "text": f"note {n}"})
        except httpx.HTTPError:
            break
        assert answer.status_code == 200, answer.text
        acknowledged.append(f"note {n}")
    cut.join()
    return acknowledged


@pytest.mark.thorough
def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    folder = tmp_path / "procedures"
    folder.mkdir()
    (folder / "quick.toml").write_text(PROCEDURE, encoding="utf-8")
    environ = {"DOTHI_INCIDENTS__PROCEDURES_FOLDER": str(folder)}
    content = b"\x89PNG\r\n\x1a\n" + b"x" * 300_000
    with Program(tmp_path / "data", environ=environ) as dothi:
        client = dothi.signed_in()
        opening = {"title": "Ngập", "severity": 2, "procedure": "quick"}
        number = client.post("/api/v1/incidents", json=opening).json()["incident"]["id"]
        url = f"/api/v1/incidents/{number}"
        assert client.post(f"{url}/files?name=a.png", content=content).status_code == 201
        acknowledged = written_until_killed(dothi, client, url)
        assert acknowledged
        time.sleep(2)  # the limit of the step runs out while nothing runs

        for _ in range(2):
            dothi.start()
            again = httpx.Client(base_url=dothi.url, cookies=client.cookies)
            room = again.get(url).json()
            numbers = [entry["number"] for entry in room["entries"]]
            assert numbers == list(range(1, len(numbers) + 1))
            texts = [entry["text"] for entry in room["entries"] if entry["kind"] == "note"]
            assert texts[: len(acknowledged)] == acknowledged
            stored = again.get(f"{url}/files/1").content
            assert hashlib.sha256(stored).hexdigest() == room["files"][0]["sha256"]
            overdue = until_overdue(again, url)
            assert len(overdue) == 1
            notices = again.get("/api/v1/notices", params={"kind": "step.overdue"}).json()
            assert len(notices["items"]) == 1
            dothi.kill()


def until_overdue(client: httpx.Client, url: str) -> list[dict[str, object]]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        entries = client.get(url).json()["entries"]
        found = [e for e in entries if e["details"].get("event") == "overdue"]
        if found:
            return found
        time.sleep(0.2)
    return []
