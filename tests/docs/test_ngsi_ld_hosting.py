"""The commands of the guide "@contexts, tenants and snapshots" run as they stand."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import Program, run_cli

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def _blocks(language: str) -> list[str]:
    text = (GUIDE / language / "ngsi-ld" / "hosting.md").read_text()
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    with Program(tmp_path / "data") as dothi:
        added = run_cli(
            *("source", "add", "app", "--name", "App", "--kind", "ngsi_ld"),
            *("--data-dir", str(dothi.data_dir)),
        )
        token = re.findall(r"\S{30,}", added.stdout)[-1]
        environment = f"export DOTHI={dothi.url}/ngsi-ld/v1 TOKEN={token}; "
        answers = [
            subprocess.run(
                ["bash", "-c", environment + block],
                capture_output=True,
                check=True,
                text=True,
                timeout=30,
            ).stdout
            for block in _blocks("en")
        ]
        host, use, tenant, take, inside, purge = answers
        assert "HTTP/1.1 201" in host
        assert "location: /ngsi-ld/v1/jsonldContexts/" in host
        assert use.startswith("201\n")
        assert '"type":"Pump","flow":12' in use
        assert '"kind":"Hosted"' in use
        assert '"numberOfHits":2' in use
        assert tenant == '201\n[{"id":"urn:ngsi-ld:Room:1","type":"Room","temperature":21}][]'
        assert "HTTP/1.1 201" in take
        assert '"snapshotStatus":"success"' in take
        assert '"temperature":30' in inside
        assert '"temperature":21' in inside
        assert "HTTP/1.1 204" in purge


def test_both_languages_show_the_same_commands() -> None:
    assert _blocks("vi") == _blocks("en")
