"""The commands of the guide "subscriptions" run as they stand, against the program."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import Program, run_here

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def _blocks(language: str) -> list[str]:
    text = (GUIDE / language / "ngsi-ld" / "subscriptions.md").read_text()
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@pytest.mark.thorough
def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    (tmp_path / "allow.toml").write_text('[ngsi_ld.notify]\nallow = ["127.0.0.0/8"]\n')
    arguments = ("--config", str(tmp_path / "allow.toml"))
    with Program(tmp_path / "data", *arguments) as dothi:
        added = run_here(
            *("source", "add", "app", "--name", "app", "--kind", "ngsi_ld"),
            *("--data-dir", str(dothi.data_dir)),
        )
        assert added.returncode == 0, added.stderr
        token = re.findall(r"\S{30,}", added.stdout)[-1]
        environment = f"export DOTHI={dothi.url}/ngsi-ld/v1 TOKEN={token}\n"
        end = "\necho $! > receiver.pid"
        receiver, *others = _blocks("en")
        subprocess.run(["bash", "-c", receiver + end], cwd=tmp_path, check=True)
        try:
            made, told, seen, often, changed = (
                subprocess.run(
                    *(["bash", "-c", environment + block],),
                    cwd=tmp_path,
                    capture_output=True,
                    check=True,
                    text=True,
                ).stdout
                for block in others
            )
        finally:
            pid = (tmp_path / "receiver.pid").read_text().strip()
            subprocess.run(["kill", pid], check=False)
        assert "HTTP/1.1 201" in made
        (line,) = told.splitlines()
        assert line.startswith("secret {")
        assert '"waterLevel":1.8' in line
        assert '"timesSent":1' in seen
        assert '"status":"ok"' in seen
        assert "ngsild-results-count: 1" in seen.lower()
        assert '"waterLevel":{"value":1.9,"previousValue":1.8}' in often
        every_second = "urn:ngsi-ld:Subscription:levels-every-second"
        assert 2 <= sum(every_second in line for line in often.splitlines()) <= 5
        assert changed == ""


def test_both_languages_show_the_same_commands() -> None:
    assert _blocks("vi") == _blocks("en")
