"""How deep JSON may be nested, whichever door it comes through."""

from typing import Any

import msgspec

MAX_DEPTH = 100
"""Arrays and objects within each other: of a document, and of the value of an observation."""


def is_too_deep(document: Any) -> bool:
    """Of what a JSON decoder made, which holds no other arrays and objects than list and dict."""
    level = [document] if type(document) in _NESTS else []
    for _ in range(MAX_DEPTH):
        level = [child for part in level for child in _children(part)]
        if not level:
            return False
    return True


def is_text_too_deep(text: str | bytes) -> bool:
    """Of JSON; what is none is not nested at all."""
    try:
        return is_too_deep(msgspec.json.decode(text))
    except RecursionError:
        return True
    except msgspec.DecodeError:
        return False


_NESTS = (dict, list)


def _children(part: dict[str, Any] | list[Any]) -> list[Any]:
    parts = part.values() if type(part) is dict else part
    return [child for child in parts if type(child) is dict or type(child) is list]
