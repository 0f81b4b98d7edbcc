"""Which rules hold at which entity."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from dothi.model.rule import Scope


class EntityFacts(Struct, frozen=True):
    """What decides whether a rule holds at an entity."""

    types: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    """Ids of the areas that hold its location today."""


class Facts(Protocol):
    """Any thread; blocking."""

    def look_up(self, entities: Sequence[str], *, with_areas: bool) -> list[EntityFacts]:
        """In the order of `entities`; without facts for those that are not known."""
        ...


class NoFacts:
    """Knows nothing: types come with the rows, areas are empty."""

    def look_up(self, entities: Sequence[str], *, with_areas: bool) -> list[EntityFacts]:
        return [EntityFacts()] * len(entities)


def holds(scope: Scope, entity: str, facts: EntityFacts) -> bool:
    """Whether a rule of this scope looks at the entity."""
    return (
        (not scope.ids or entity in scope.ids)
        and (not scope.types or not set(scope.types).isdisjoint(facts.types))
        and (not scope.areas or not set(scope.areas).isdisjoint(facts.areas))
    )


Key = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


class ScopeIndex:
    """Finds the scopes that hold at an entity without trying all of them."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self._at: dict[Key, int] = {}
        self._by: dict[tuple[str, str], list[int]] = {}
        self._open: list[int] = []
        self.uses_areas = False

    def add(self, scope: Scope) -> int:
        """Number of the scope; the same for equal ones, whatever their sources."""
        key = (scope.types, scope.ids, scope.areas)
        if key in self._at:
            return self._at[key]
        number = self._at[key] = len(self.scopes)
        self.scopes.append(scope)
        self.uses_areas |= bool(scope.areas)
        for kind, values in (("id", scope.ids), ("area", scope.areas), ("type", scope.types)):
            if values:
                for value in values:
                    self._by.setdefault((kind, value), []).append(number)
                return number
        self._open.append(number)
        return number

    def find(self, entity: str, facts: EntityFacts) -> list[int]:
        """Scopes that hold at the entity, rising."""
        keys = [("id", entity)]
        keys += [("area", area) for area in facts.areas]
        keys += [("type", name) for name in facts.types]
        found = {n for key in keys for n in self._by.get(key, ())}
        holding = [n for n in found if holds(self.scopes[n], entity, facts)]
        return sorted(holding + self._open)
