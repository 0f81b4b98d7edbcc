"""Writes the reference pages of settings and commands from the code itself."""

import ast
import inspect
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from dothi.app.config.settings import Settings
from dothi.cli.entry import COMMANDS, dothi

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def check_page(name: str, expected: str) -> None:
    """Compare a page with the code; DOTHI_WRITE_DOCS=1 writes it instead."""
    path = REFERENCE / name
    if os.environ.get("DOTHI_WRITE_DOCS"):
        path.write_text(expected, encoding="utf-8")
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    remedy = "run: DOTHI_WRITE_DOCS=1 uv run pytest tests/docs"
    assert found == expected, f"docs/reference/{name} is not what the code says; {remedy}"


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "One file, `dothi.toml`, in the data directory (or `--config FILE`). Every setting has a",
        "default. An unknown key is an error that names the nearest one. The environment overrides",
        "the file: `DOTHI_SECTION__KEY` (lists and tables written as TOML), and options of the",
        "command line override both. `dothi config show` prints each value with its origin.",
        "Secrets never stand in the file: settings that end in `_file` name a file (mode 0600)",
        "that holds the secret alone.",
        "",
        "This page is written by `DOTHI_WRITE_DOCS=1 uv run pytest tests/docs`; a test compares it",
        "with the code.",
    ]
    for field in msgspec.structs.fields(Settings):
        lines += _section(field.name, field.type)
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    lines = [
        "# Commands",
        "",
        "This page is written by `DOTHI_WRITE_DOCS=1 uv run pytest tests/docs`; a test compares it",
        "with the code. `dothi --debug COMMAND` shows the traceback of an error. Exit codes:",
        "0 done, 1 a problem that the message explains, 2 wrong usage, 70 a fault of dothi.",
    ]
    context = click.Context(dothi, info_name="dothi")
    for name in COMMANDS:
        command = dothi.get_command(context, name)
        assert command is not None
        lines += _command(command, f"dothi {name}")
    return "\n".join(lines) + "\n"


def routes_page(document: dict[str, Any]) -> str:
    """From the OpenAPI document of a running program."""
    lines = [
        "# Routes",
        "",
        "Every HTTP route and WebSocket of `dothi up`, and the permission it needs;",
        "`/api/openapi.json` (OpenAPI 3.1) has their parameters, bodies and answers. This page is",
        "written by `DOTHI_WRITE_DOCS=1 uv run pytest tests/docs`; a test compares it with the",
        "program.",
        "",
        "| method | path | permission | what it does |",
        "|---|---|---|---|",
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            verb = "WS" if operation.get("x-websocket") else method.upper()
            permission, summary = operation["x-permission"], operation["summary"]
            lines.append(f"| {verb} | `{path}` | {permission} | {summary} |")
    return "\n".join(lines) + "\n"


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Name and command, groups opened."""
    context = click.Context(dothi)
    for name in COMMANDS:
        command = dothi.get_command(context, name)
        assert command is not None
        yield from _opened(f"dothi {name}", command)


def _opened(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for sub_name, sub in command.commands.items():
            yield from _opened(f"{name} {sub_name}", sub)
    else:
        yield name, command


def _command(command: click.Command, name: str) -> list[str]:
    if isinstance(command, click.Group):
        lines = []
        for sub_name, sub in command.commands.items():
            lines += _command(sub, f"{name} {sub_name}")
        return lines
    words = [f"`{name}"]
    words += [p.make_metavar(click.Context(command)) for p in command.params if _is_argument(p)]
    lines = ["", f"## {' '.join(words)}`", "", inspect.cleandoc(command.help or "")]
    lines += [f"Needs the permission `{command.permission}`.", ""]  # type: ignore[attr-defined]
    lines += ["| option | meaning |", "|---|---|"]
    # As the group sets it: click keeps the help option of the first context that asks.
    names = ["-h", "--help"]
    context = click.Context(command, info_name=name, help_option_names=names)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            option, meaning = (text.replace("|", "\\|") for text in record)
            lines.append(f"| `{option}` | {' '.join(meaning.split())} |")
    return lines


def _is_argument(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


def _section(path: str, struct: Any, mark: str = "##") -> list[str]:
    meaning = " ".join(inspect.cleandoc(struct.__doc__ or "").split())
    lines = [
        "",
        f"{mark} [{path}]",
        "",
        meaning,
        "",
        "| key | default | meaning |",
        "|---|---|---|",
    ]
    below: list[str] = []
    documented = documentation(struct)
    if tag := struct.__struct_config__.tag:
        lines.append(f'| `{struct.__struct_config__.tag_field}` | `"{tag}"` | This kind. |')
    for field in msgspec.structs.fields(struct):
        if _is_struct(field.type):
            below += _section(f"{path}.{field.name}", field.type, "###")
            continue
        for kind in (k for k in _within(field.type) if _is_struct(k)):
            many = "*" if "dict" in str(field.type) else ""
            below += _section(f"{path}.{field.name}" + (f".{many}" if many else ""), kind, "###")
        meaning = documented.get(field.name, "")
        assert meaning, f"{struct.__module__}.{struct.__name__}.{field.name} has no documentation"
        lines.append(f"| `{field.name}` | {shown_default(field)} | {meaning} |")
    if lines[-1] == "|---|---|---|":
        lines = lines[:-3]
    return lines + below


def shown_default(field: Any) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        return "required"
    if value is None:
        return "none"
    text = msgspec.json.encode(value).decode()
    return f"`{text}`" if len(text) <= 60 else "see below"


def documentation(struct: Any) -> dict[str, str]:
    """Field -> its documentation, own or inherited."""
    found = {}
    for owner in reversed(struct.__mro__):
        if _is_struct(owner) and owner is not msgspec.Struct:
            found.update(_documentation_in(owner))
    return found


def _documentation_in(struct: Any) -> dict[str, str]:
    """Field -> the text that follows it as a string, or the comment above it."""
    source = textwrap.dedent(inspect.getsource(struct))
    lines = source.splitlines()
    body = ast.parse(source).body[0].body  # type: ignore[attr-defined]
    found = {}
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign):
            continue
        text = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            text = str(following.value.value)
        else:
            above = node.lineno - 2
            while lines[above].strip().startswith("#"):
                text = f"{lines[above].strip().lstrip('#').strip()} {text}"
                above -= 1
        found[node.target.id] = " ".join(text.split()).replace("|", "\\|")  # type: ignore[union-attr]
    return found


def _within(kind: Any) -> Iterator[Any]:
    for inner in get_args(kind):
        yield inner
        yield from _within(inner)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
