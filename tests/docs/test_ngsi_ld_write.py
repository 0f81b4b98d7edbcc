"""The commands of the guide "Write entities over NGSI-LD" run as they stand."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import Program, run_cli

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def _blocks(language: str) -> list[str]:
    text = (GUIDE / language / "ngsi-ld" / "write.md").read_text()
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    with Program(tmp_path / "data") as dothi:
        added = run_cli(
            *("source", "add", "app", "--name", "app", "--kind", "ngsi_ld"),
            *("--data-dir", str(dothi.data_dir)),
        )
        assert added.returncode == 0, added.stderr
        token = re.findall(r"\S{30,}", added.stdout)[-1]
        environment = f"export DOTHI={dothi.url}/ngsi-ld/v1 TOKEN={token}; "
        answers = [
            subprocess.run(
                ["bash", "-c", environment + block], capture_output=True, check=True, text=True
            ).stdout
            for block in _blocks("en")[1:]
        ]
    create, replace, merge, simple, expire, batch, purge = answers
    assert "HTTP/1.1 201" in create
    assert replace == expire == ""
    assert '"value":22,"unitCode":"CEL","observedAt":"2026-11-01T02:00:00Z"' in merge
    assert '"value":{"street":"Nguyễn Huệ","ward":"Sài Gòn"}' in merge
    assert '"languageMap":{"vi":"Phòng 1","en":"First room"}' in merge
    assert "partOf" not in merge
    assert '"temperature":23' in simple
    assert '"address":{"street":"Nguyễn Huệ","ward":"Sài Gòn","floor":2}' in simple
    assert "label" not in simple
    assert '"success":["urn:ngsi-ld:Room:2"]' in batch
    assert batch.count("entityId") == 1
    assert "alarm" not in purge
    assert '"temperature":23' in purge
    assert purge.endswith("404")


def test_both_languages_show_the_same_commands() -> None:
    assert _blocks("vi") == _blocks("en")
