"""The commands of the guide "NGSI-LD" run as they stand, in both languages, against the program."""

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from support.program import Program, run_here

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def _blocks(language: str) -> list[str]:
    text = (GUIDE / language / "ngsi-ld.md").read_text()
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@pytest.mark.thorough
def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    with Program(tmp_path / "data") as dothi:
        for language, source in (("en", "app-en"), ("vi", "app-vi")):
            added = run_here(
                *("source", "add", source, "--name", source, "--kind", "ngsi_ld"),
                *("--data-dir", str(dothi.data_dir)),
            )
            assert added.returncode == 0, added.stderr
            token = re.findall(r"\S{30,}", added.stdout)[-1]
            environment = f"export DOTHI={dothi.url}/ngsi-ld/v1 TOKEN={token}; "
            answers = [
                subprocess.run(
                    ["bash", "-c", environment + block], capture_output=True, check=True, text=True
                ).stdout
                for block in _blocks(language)[1:]
            ]
            create, read, ask, change, many, history, delete = answers
            assert "HTTP/1.1 201" in create
            assert read.count('"id":"urn:ngsi-ld:AirQualityObserved:ward-1"') == 4
            assert ask.count("urn:ngsi-ld:AirQualityObserved:ward-1") == 4
            assert "ngsild-results-count: 1" in ask.lower()
            assert '"FeatureCollection"' in ask
            assert change == ""
            assert many == '["urn:ngsi-ld:Building:1","urn:ngsi-ld:Building:2"]'
            assert '[[35.5,"2026-11-01T01:00:00Z"],[41,"2026-11-01T02:00:00Z"]]' in history
            assert '"avg":[[35.5,"2026-11-01T01:00:00Z","2026-11-01T02:00:00Z"],[41,' in history
            assert delete == ""
            for gone in ("AirQualityObserved:ward-1", "Building:1"):
                url = f"{dothi.url}/ngsi-ld/v1/entities/urn:ngsi-ld:{gone}"
                assert httpx.delete(url, headers={"authorization": f"Bearer {token}"}).is_success


def test_both_languages_show_the_same_commands() -> None:
    vi, en = _blocks("vi"), _blocks("en")
    assert vi[1:] == en[1:]
