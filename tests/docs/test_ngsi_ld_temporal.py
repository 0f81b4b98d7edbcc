"""The commands of the guide "Temporal evolutions over NGSI-LD" run as they stand."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import Program, run_cli

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def _blocks(language: str) -> list[str]:
    text = (GUIDE / language / "ngsi-ld" / "temporal.md").read_text()
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
    record, read, find, aggregate, correct, delete = answers
    assert "HTTP/1.1 201" in record
    assert '"values":[[1.9,"1999-11-02T00:00:00Z"],[3.1,"1999-11-03T00:00:00Z"]]' in read
    assert find.startswith('[{"id":"urn:ngsi-ld:Gauge:old-1"}]')
    assert '"values":[[2.4,"1999-11-04T00:00:00Z"]]' in find
    assert '"max":[[3.1,"1999-11-01T00:00:00Z","1999-12-01T00:00:00Z"]]' in aggregate
    assert '"totalCount":[[4,' in aggregate
    assert '"value":2.5' in correct and '"observedAt":"1999-11-04T00:00:00Z"' in correct
    assert delete == "404"


def test_both_languages_show_the_same_commands() -> None:
    assert _blocks("vi") == _blocks("en")
