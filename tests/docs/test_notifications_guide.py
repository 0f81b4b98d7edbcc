"""The examples of the guide "Tell people" are settings, templates and commands that work."""

import re
import shlex
from pathlib import Path

import msgspec
import pytest

from dothi.app.config.settings import Settings
from dothi.notify.gateway.templates import check_templates
from dothi.notify.wording.templates import Template
from support.guide import blocks
from support.program import run_here

PAGE = "notifications.md"


def test_both_languages_show_the_same() -> None:
    assert blocks(PAGE, "vi") == blocks(PAGE, "en")
    assert _tables("vi") == _tables("en")


def _tables(language: str) -> list[str]:
    guide = Path(__file__).parents[2] / "docs" / "guide" / language / PAGE
    return re.findall(r"```toml\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(4))
def test_the_settings_are_settings(number: int) -> None:
    found = msgspec.toml.decode(_tables("en")[number], type=Settings).notices
    for name, gateway in found.gateways.items():
        check_templates(name, gateway)
        body = re.sub(r"\{[a-z]+\}", "x", gateway.body)
        assert msgspec.json.decode(body)["id"] == "x"
        assert re.search(gateway.success, '{"error": 0}')
        assert re.search(gateway.reference, '{"message_id":"a1"}')


def test_the_templates_are_templates() -> None:
    [kind] = msgspec.toml.decode(_tables("en")[4], type=dict[str, Template])
    assert kind == "alarm.raised"


def test_the_command_adds_a_person(tmp_path: Path) -> None:
    [command] = blocks(PAGE, "en")
    words = shlex.split(command)
    assert words[:3] == ["uv", "run", "dothi"]
    data = tmp_path / "data"
    from dothi.app.data_folder import DataFolder
    from dothi.app.stores import open_registers
    from dothi.ports.clock import SystemClock

    folder = DataFolder(data)
    folder.create()
    with open_registers(folder, SystemClock()) as stores:
        added = run_here(*words[3:], "--data-dir", str(data))
        assert added.returncode == 0, added.stderr
        person = stores.people.get("lan")
    assert person is not None
    assert person.contacts == {"email": "lan@example.org", "sms": "+84900000001"}
