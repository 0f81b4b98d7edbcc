"""The examples of the guide "Bring data in" work as they stand, in both languages."""

import re
import shlex
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from dothi.app.config.settings import Settings
from dothi.cli.entry import dothi
from dothi.intake.files.symbols import symbol_table

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
LANGUAGES = ("vi", "en")


def blocks(language: str, kind: str) -> list[str]:
    page = (GUIDE / language / "import-data.md").read_text(encoding="utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_settings_are_settings(language: str) -> None:
    for block in blocks(language, "toml"):
        settings = msgspec.toml.decode(block, type=Settings)
        assert symbol_table(settings.files.symbols)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_import_says_what_the_guide_says(language: str, tmp_path: Path) -> None:
    (table,) = blocks(language, "csv")
    (command,) = blocks(language, "sh")
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:4] == ["uv", "run", "dothi", "import"]
    path = tmp_path / words[4]
    path.write_text(table, encoding="utf-8")
    options = [*words[5:], "--data-dir", str(tmp_path / "data")]
    dry = CliRunner().invoke(dothi, ["import", str(path), *options])
    assert "line 3, column NO2" in dry.output
    assert "5 read, 4 good, 1 rejected" in dry.output
    options.remove("--dry-run")
    done = CliRunner().invoke(dothi, ["import", str(path), *options])
    assert "4 stored" in done.output
