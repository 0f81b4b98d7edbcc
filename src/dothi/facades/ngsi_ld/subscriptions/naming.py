"""Where names stand in the document of a subscription, and how they are put into another form."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from dothi.facades.ngsi_ld.wire.projection import Names

Rename = Callable[[str], str]
"""context.stored on the way in, context.wire on the way out."""

_TOKEN = re.compile(r"[^\s()\[\]{},;|]+")
_PROJECTION = re.compile(r"[{}]|[^\s{},|]+")
_KEPT = frozenset({"id", "type", "scope", "*"})
_LISTS = ("attributes", "pick", "omit")


def rename_tokens(text: str, rename: Rename) -> str:
    """Every name of a type selection, a projection or a list; id, type, scope and * stay."""
    return _TOKEN.sub(lambda m: m[0] if m[0] in _KEPT else rename(m[0]), text)


def is_single_name(text: str) -> bool:
    """Whether a type selection is one name, without operators."""
    return text not in _KEPT and bool(_TOKEN.fullmatch(text))


def projected_names(terms: Iterable[str]) -> Names:
    """What checked elements of pick or omit name, with what they name below."""
    levels: list[dict[str, Names | None]] = [{}]
    last = ""
    for part in _PROJECTION.findall(",".join(terms)):
        if part == "{":
            below: dict[str, Names | None] = {}
            levels[-1][last] = below
            levels.append(below)
        elif part == "}":
            levels.pop()
        else:
            levels[-1].setdefault(part, None)
            last = part
    return levels[0]


def with_names(document: dict[str, Any], rename: Rename) -> dict[str, Any]:
    """A copy of a checked document whose names are in the other form."""
    found = dict(document)
    if "entities" in found:
        found["entities"] = [
            {**one, "type": rename_tokens(one["type"], rename)} for one in found["entities"]
        ]
    if "watchedAttributes" in found:
        found["watchedAttributes"] = [rename(name) for name in found["watchedAttributes"]]
    for member in ("expandValues", "jsonKeys"):
        if member in found:
            found[member] = rename_tokens(found[member], rename)
    if "geoproperty" in found.get("geoQ", {}):
        found["geoQ"] = {**found["geoQ"], "geoproperty": rename(found["geoQ"]["geoproperty"])}
    if "notification" in found:
        notification = dict(found["notification"])
        for member in _LISTS:
            if member in notification:
                notification[member] = [rename_tokens(n, rename) for n in notification[member]]
        found["notification"] = notification
    return found
