"""The values that an attribute row holds at a place: columns first, then JSON of the body.

The body's layout is described in docs/reference/ngsi-ld.md. The SQL of a store that answers the
same questions must agree; tests/contract/test_matching.py compares them.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from dothi.model.condition import Target, Term
from dothi.model.row import Kind
from dothi.ports.entity_query import StoredAttribute

TIME_MEMBERS = frozenset({"observedAt", "createdAt", "modifiedAt"})
"""Members that have a column of their own, with a time."""
TEXT_MEMBERS = frozenset({"unitCode", "datasetId"})
"""Members that have a column of their own, with a text."""
PLAIN_MEMBERS = TIME_MEMBERS | TEXT_MEMBERS | {"expiresAt"}
"""Members without an inside: their name leads to the value itself."""
RELATIONSHIP_KEYS = ("object", "objectList")
VALUE_KEYS = ("value", *RELATIONSHIP_KEYS, "vocab", "valueList")
INSIDE_KEYS = ("value", "languageMap", "json")
RELATIONSHIPS = frozenset({Kind.RELATIONSHIP, Kind.LIST_RELATIONSHIP})
_MISSING = object()


@lru_cache(maxsize=512)
def decoded_body(body: str) -> Any:
    """The JSON of a body; shared, so nobody may change it."""
    return msgspec.json.decode(body)


def own_member(target: Target) -> str:
    """The member with a column of its own that the target names; empty when it names none."""
    if target.inside or len(target.sub) != 1:
        return ""
    return target.sub[0] if target.sub[0] in TIME_MEMBERS | TEXT_MEMBERS else ""


def scalars(row: StoredAttribute, target: Target, *, is_ordered: bool = False) -> Iterator[Any]:
    """Every scalar at the target, names of a VocabProperty as Terms; elements of an array one by
    one.

    `is_ordered`: without what relationships lead to, which has no order.
    """
    if not target.sub and not target.inside and (row.number, row.text) != (None, None):
        # A value in a column is the whole value.
        if not (is_ordered and row.kind in RELATIONSHIPS):
            text = _termed(row.text) if row.kind is Kind.VOCAB_PROPERTY else row.text
            yield from (x for x in (row.number, text) if x is not None)
        return
    for found, is_deep in places(row, target, is_ordered=is_ordered):
        if is_deep:
            yield from atoms(found)
        elif not isinstance(found, dict):
            yield from (x for x in _elements(found) if not isinstance(x, dict | list))


def places(
    row: StoredAttribute, target: Target, *, is_ordered: bool = False
) -> Iterator[tuple[Any, bool]]:
    """JSON values of the body at the target; True: every atom below it counts."""
    if row.body is None:
        return
    at: Any = decoded_body(row.body)
    for name in target.sub:
        at = at.get(name, _MISSING) if isinstance(at, dict) else _MISSING
    if not isinstance(at, dict):
        if at is not _MISSING and target.sub and target.sub[-1] in PLAIN_MEMBERS:
            yield at, False
        return
    if target.inside:
        yield from _inside(at, target.inside)
        return
    keys = VALUE_KEYS if not is_ordered else ("value", "vocab", "valueList")
    for key in keys:
        if key in at:
            yield (_termed(at[key]) if key == "vocab" else at[key]), False
    value = at.get("value")
    if isinstance(value, dict) and "@value" in value:
        yield value["@value"], False
    if "languageMap" in at:
        yield at["languageMap"], True


def _inside(at: dict[str, Any], inside: tuple[str, ...]) -> Iterator[tuple[Any, bool]]:
    is_deep = inside[-1] == "*"
    for key in INSIDE_KEYS:
        found = at.get(key, _MISSING)
        for step in inside[:-1] if is_deep else inside:
            found = found.get(step, _MISSING) if isinstance(found, dict) else _MISSING
        if found is not _MISSING:
            yield found, is_deep


def _termed(value: Any) -> Any:
    if isinstance(value, list):
        return [_termed(part) for part in value]
    return Term(value) if isinstance(value, str) else value


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def atoms(value: Any) -> Iterator[Any]:
    """Scalars at any depth; null is none."""
    if isinstance(value, dict):
        for part in value.values():
            yield from atoms(part)
    elif isinstance(value, list):
        for part in value:
            yield from atoms(part)
    elif value is not None:
        yield value
