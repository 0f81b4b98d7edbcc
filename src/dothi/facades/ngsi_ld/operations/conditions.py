"""What a condition says about itself: how deep it looks, and whether it narrows a query down."""

from collections.abc import Iterable, Iterator

from dothi.model.condition import (
    Absent,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Condition,
    Exists,
    Geo,
    HasType,
    Linked,
    Matches,
    OneOf,
)

SYSTEM_NAMES = frozenset(
    {"id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt"}
)
"""Members that every entity may have; they are no attributes, or none that a user makes."""


def linked_depth(condition: Condition) -> int:
    """How many relationships away from the entity it looks."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return max((linked_depth(part) for part in parts), default=0)
        case Linked():
            return 1 + linked_depth(condition.condition)
    return 0


def weight(condition: Condition) -> int:
    """How many single tests it consists of; each value of a list is one."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return sum(weight(part) for part in parts)
        case Linked():
            return 1 + weight(condition.condition)
        case OneOf():
            return len(condition.values)
    return 1


def attribute_names(condition: Condition) -> Iterator[str]:
    """Stored names of the attributes of the entity itself that it looks at."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from attribute_names(part)
        case Linked():
            yield condition.relationship
        case Geo():
            yield condition.attribute
        case Exists() | Absent() | Compare() | OneOf() | Between() | Matches():
            yield condition.target.attribute


def is_selective(attributes: Iterable[str], condition: Condition | None) -> bool:
    """Whether they name a type, or an attribute that not every entity has (clause 5.7.2.4)."""
    names = {*attributes, *(attribute_names(condition) if condition is not None else ())}
    return bool(names - SYSTEM_NAMES) or _names_type(condition)


def _names_type(condition: Condition | None) -> bool:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return any(_names_type(part) for part in parts)
    return isinstance(condition, HasType)
