"""The commands of the guide "Ask for entities" run as they stand against the program."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import Program, run_cli

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def _blocks(language: str) -> list[str]:
    text = (GUIDE / language / "ngsi-ld" / "query.md").read_text()
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
            for block in _blocks("en")
        ]
    create, filters, order, by_map, shown, body, there = answers
    one, other = '{"id":"urn:ngsi-ld:Gauge:1"}', '{"id":"urn:ngsi-ld:Gauge:2"}'
    assert create == "201\n"
    assert filters == f"[{one},{other}][{one}][{one}][{one}]"
    assert "ngsild-results-count: 2" in order.lower()
    assert 'offset=1>;rel="next"' in order
    assert order.endswith('[{"id":"urn:ngsi-ld:Gauge:2","level":3.4}]')
    assert by_map == f"[{other}]"
    assert shown == '{"inDistrict":{"name":"Thủ Dầu Một"},"label":"Gauge 1"}'
    assert body == '[{"id":"urn:ngsi-ld:Gauge:1","level":1.2}]'
    assert '"entityCount":2' in there
    assert '"attributeCount":2' in there


def test_both_languages_show_the_same_commands() -> None:
    assert _blocks("vi") == _blocks("en")
