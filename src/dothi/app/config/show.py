"""The settings as text, each value with its origin; secrets stay hidden."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from dothi.app.config.load import Loaded
from dothi.app.config.tree import leaves
from dothi.model.uri import without_login

_SECRET = re.compile(r"(password|secret|token|api_key|credential)s?$")
MASK = "***"


def describe(loaded: Loaded[Any]) -> Iterator[tuple[str, str, str]]:
    """(dotted key, value as TOML-like text, origin) of every setting."""
    for key, value in leaves(loaded.settings):
        shown = mask(msgspec.to_builtins(value), key.rpartition(".")[2])
        yield key, msgspec.json.encode(shown).decode(), origin_of(loaded, key)


def origin_of(loaded: Loaded[Any], key: str) -> str:
    """Where the value, or what it holds, came from."""
    origins = loaded.origins
    return next((origins[k] for k in origins if k == key or k.startswith(f"{key}.")), "default")


def mask(value: Any, name: str = "") -> Any:
    """The value with secrets replaced: by the name of their key, and logins within addresses."""
    if isinstance(value, dict):
        return {key: mask(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item, name) for item in value]
    if isinstance(value, str) and value:
        return MASK if _SECRET.search(name) else without_login(value, MASK)
    return value
