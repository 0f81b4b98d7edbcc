"""The commands of the guide "Join other brokers" run as they stand, against two programs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import Program

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
OPEN = {"DOTHI_ACCESS__MODE": "open"}


def _blocks(language: str) -> list[str]:
    text = (GUIDE / language / "ngsi-ld" / "context-sources.md").read_text()
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@pytest.mark.thorough
def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    with (
        Program(tmp_path / "a", environ=OPEN) as ours,
        Program(tmp_path / "b", environ=OPEN) as other,
    ):
        environment = (
            f"export DOTHI={ours.url}/ngsi-ld/v1 OTHER={other.url}/ngsi-ld/v1; set -o pipefail; "
        )
        register, ask, write, see, watch, remove = [
            subprocess.run(
                ["bash", "-c", environment + block], capture_output=True, check=True, text=True
            ).stdout
            for block in _blocks("en")[1:]
        ]
    assert "HTTP/1.1 201" in register
    assert '"speed":42' in ask
    # Here there is no such entity: a part of the write failed, the other broker did it.
    assert "HTTP/1.1 207" in write
    assert '"speed":35' in write
    assert see.count('"status":"ok"') == 2, "found by its type, and by its operator"
    assert "\n[]" in see or "][]" in see, "of the water office there is none"
    assert '"type":"ContextSourceIdentity"' in see
    assert '"contextSourceAlias":"dothi-' in see
    assert "HTTP/1.1 201" in watch
    assert remove == ""


def test_both_languages_show_the_same_commands() -> None:
    assert _blocks("vi") == _blocks("en")
