"""What the README says to send arrives."""

import json
import re
from pathlib import Path

import httpx
import pytest

from support.program import Program, run_here

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["README.md", "README.vi.md"])
def test_the_curl_example_is_taken(tmp_path: Path, name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.search(r"-d '(\[.*?\])'", text, re.DOTALL)
    assert found is not None
    rows = json.loads(found.group(1))
    with Program(tmp_path / "data") as dothi:
        added = run_here("source", "add", "gauge-1", "--data-dir", str(dothi.data_dir))
        answer = httpx.post(
            f"{dothi.url}/api/v1/observations",
            json=rows,
            headers={"authorization": f"Bearer {added.stdout.strip()}"},
        )
    assert answer.json()["stored"] == len(rows), answer.text


def test_links_of_the_readmes_lead_somewhere() -> None:
    for name in ("README.md", "README.vi.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("http") or (ROOT / target).exists(), f"{name}: {target}"
