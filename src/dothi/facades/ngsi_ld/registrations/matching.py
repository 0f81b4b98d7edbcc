"""Which registrations a request, a query or a subscription is about (clause 5.12)."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.facades.ngsi_ld.registrations.data import EntityInfo, Information, Registration
from dothi.model.condition import AllOf, AnyOf, Condition, HasType


class Wanted(Struct, frozen=True):
    """One specification of entities; what is empty does not restrict."""

    ids: tuple[str, ...] = ()
    id_pattern: str = ""
    types: Condition | None = None
    """A type selection (HasType, AllOf, AnyOf)."""


ANYTHING = Wanted()


def matching_information(
    registration: Registration, wanted: Sequence[Wanted], names: frozenset[str]
) -> list[Information]:
    """The elements of `information` that match; `names`: attributes asked for, empty: all."""
    return [
        part
        for part in registration.information
        if _has_names(part, names) and any(matching_entities(part, one) for one in wanted)
    ]


def matching_entities(part: Information, wanted: Wanted) -> list[EntityInfo]:
    """The groups of entities that match; ANY_ENTITY when the element names none."""
    if not part.entities:
        return [ANY_ENTITY]
    return [entity for entity in part.entities if _matches(entity, wanted)]


ANY_ENTITY = EntityInfo()


def _has_names(part: Information, names: frozenset[str]) -> bool:
    return not names or not part.names or not names.isdisjoint(part.names)


def _matches(entity: EntityInfo, wanted: Wanted) -> bool:
    if wanted.types is not None and entity.types and not may_have(entity.types, wanted.types):
        return False
    if not wanted.ids and not wanted.id_pattern:
        return True
    if entity.id:
        return entity.id in wanted.ids or (
            bool(wanted.id_pattern) and not wanted.ids and finds(wanted.id_pattern, entity.id)
        )
    if entity.id_pattern:
        return not wanted.ids or any(finds(entity.id_pattern, uri) for uri in wanted.ids)
    return True


def may_have(types: Iterable[str], selection: Condition) -> bool:
    """Whether entities of one of these types may satisfy a type selection.

    An entity may have more types than the registered one, so "and" needs only one of its parts.
    """
    match selection:
        case HasType(name):
            return name in types
        case AllOf(parts) | AnyOf(parts):
            return any(may_have(types, part) for part in parts)
    raise TypeError(f"{selection!r} is no type selection")


@lru_cache(maxsize=4096)
def finds(pattern: str, text: str) -> bool:
    """Whether the pattern (RE2, linear time) is found in the text; a wrong pattern never is."""
    try:
        return bool(pc.match_substring_regex(pa.array([text]), pattern=pattern)[0].as_py())
    except pa.ArrowInvalid:
        return False


def ids_within(entity: EntityInfo, ids: Iterable[str]) -> Iterator[str]:
    """Those of the ids that the group of entities holds."""
    for uri in ids:
        if entity.id:
            if uri == entity.id:
                yield uri
        elif not entity.id_pattern or finds(entity.id_pattern, uri):
            yield uri


def selected_types(selection: Condition | None) -> tuple[str, ...]:
    """The types of a plain list such as `A,B`; empty when the selection is anything else."""
    match selection:
        case HasType(name):
            return (name,)
        case AnyOf(parts):
            names = [part.type for part in parts if isinstance(part, HasType)]
            return tuple(names) if len(names) == len(parts) else ()
    return ()
