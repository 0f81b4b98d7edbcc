"""The reference pages say what the code does."""

from pathlib import Path

import httpx

from dothi.access.permission import Permission
from dothi.cli.command import Command
from support.program import Program
from support.reference import check_page, commands_page, every_command, routes_page, settings_page

ROOT = Path(__file__).parents[2]


def test_the_settings_page_is_what_the_code_says() -> None:
    check_page("settings.md", settings_page())


def test_the_commands_page_is_what_the_code_says() -> None:
    check_page("cli.md", commands_page())


def test_every_command_names_its_permission_and_says_what_it_does() -> None:
    for name, command in every_command():
        assert isinstance(command, Command), f"{name}: use cls=needs(Permission....)"
        assert isinstance(command.permission, Permission), name
        assert command.help, name


def test_the_routes_page_is_what_the_program_mounts(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as dothi:
        document = httpx.get(f"{dothi.url}/api/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], f"{method} {path} has no summary"
            assert operation["x-permission"] in set(Permission), f"{method} {path}"
    check_page("routes.md", routes_page(document))


def test_the_readmes_hold_the_two_commands() -> None:
    for name in ("README.md", "README.vi.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "pip install uv && uv run dothi up" in text
        assert "pip install uv && uv run pytest" in text
