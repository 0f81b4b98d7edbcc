"""Reads the settings: defaults, then the file, then the environment, then flags."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from dothi.app.config import tree
from dothi.model.problem import Problem

S = TypeVar("S", bound=msgspec.Struct)

_ENVIRONMENT_PREFIX = "DOTHI_"


class Loaded(Struct, Generic[S], frozen=True):
    """Settings and where each value came from."""

    settings: S
    origins: Mapping[str, str]
    """Dotted key -> file name, `environment NAME` or `flag`; absent: the default."""


def load(
    struct: type[S],
    file: Path | None,
    environ: Mapping[str, str],
    flags: Mapping[str, Any] | None = None,
) -> Loaded[S]:
    """Compose the settings.

    Args:
        file: TOML file, or None: there is none.
        environ: `DOTHI_SECTION__KEY` sets `section.key`.
        flags: dotted key -> value, as typed on the command line; None values are left out.
    Raises:
        Problem: an unknown key or a value that does not fit; says where and how to mend it.
    """
    data: dict[str, Any] = _read(file) if file else {}
    if file:
        tree.check_keys(data, struct, str(file))
    origins = dict.fromkeys(_dotted(data), str(file))
    for name, text in sorted(environ.items()):
        if name.startswith(_ENVIRONMENT_PREFIX) and "__" in name:
            dotted = name.removeprefix(_ENVIRONMENT_PREFIX).lower().replace("__", ".")
            _put(data, dotted, _from_text(text, tree.field_type(struct, dotted), name))
            origins[dotted] = f"environment {name}"
    for dotted, value in (flags or {}).items():
        if value is not None:
            _put(data, dotted, value)
            origins[dotted] = "flag"
    return Loaded(_convert(data, struct, origins, file), origins)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Problem(
            "settings_missing",
            "No settings file",
            f"{file} does not exist",
            where=str(file),
            remedy="create it, or leave --config out",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(
            "settings_malformed",
            "The settings file is not TOML",
            str(error),
            where=str(file),
            remedy="mend the line; https://toml.io shows the syntax",
        ) from error


def _dotted(data: Mapping[str, Any], prefix: str = "") -> list[str]:
    names = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            names += _dotted(value, f"{prefix}{key}.")
        else:
            names.append(f"{prefix}{key}")
    return names


def _put(data: dict[str, Any], dotted: str, value: Any) -> None:
    *sections, key = dotted.split(".")
    for section in sections:
        data = data.setdefault(section, {})
    data[key] = value


def _from_text(text: str, kind: Any, name: str) -> Any:
    """Plain text as the type wants it; lists and tables are written as TOML."""
    try:
        return msgspec.to_builtins(msgspec.convert(text, kind, strict=False))
    except msgspec.ValidationError as error:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            raise Problem(
                "bad_setting",
                "A setting does not fit",
                str(error),
                where=f"environment {name}",
                remedy="plain text for a single value, TOML for a list or a table",
            ) from error


def _convert(
    data: dict[str, Any], struct: type[S], origins: Mapping[str, str], file: Path | None
) -> S:
    try:
        return msgspec.convert(data, struct)
    except msgspec.ValidationError as error:
        found = re.search(r"`\$\.?([^`]*)`$", str(error))
        path = found.group(1) if found else ""
        origin = origins.get(path.partition("[")[0]) or str(file or "settings")
        reason = str(error).partition(" - at ")[0]
        raise Problem(
            "bad_setting",
            "A setting does not fit",
            f"`{path}`: {reason}",
            where=origin,
            remedy="docs/reference/settings.md lists every setting",
        ) from error
