"""Facts about entities from the current state and the areas of today."""

from collections.abc import Sequence
from datetime import UTC

from dothi.model.rule import Rule
from dothi.model.zone import ZONE
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.state import EntityQuery, State
from dothi.rules.past import attributes_of
from dothi.rules.scope import EntityFacts, holds

MOST_ENTITIES = 100_000
"""Of one back-test."""


class StateFacts:
    """`rules.scope.Facts`."""

    def __init__(self, state: State, areas: Areas, clock: Clock) -> None:
        self._state, self._areas, self._clock = state, areas, clock

    def look_up(self, entities: Sequence[str], *, with_areas: bool) -> list[EntityFacts]:
        """See rules.scope.Facts."""
        found: dict[str, EntityFacts] = {}
        for start in range(0, len(entities), 1000):
            ids = tuple(entities[start : start + 1000])
            found.update(self._some(ids, with_areas=with_areas))
        return [found.get(entity, EntityFacts()) for entity in entities]

    def area_shape(self, area: str) -> str | None:
        """GeoJSON geometry of an area."""
        found = self._areas.get(area)
        return None if found is None else found.geometry

    def in_scope(self, rule: Rule) -> list[str]:
        """Entities that a rule looks at, by the current state; sorted."""
        scope = rule.scope
        names = tuple(dict.fromkeys(name for name, _ in attributes_of(rule.condition)))
        query = EntityQuery(ids=scope.ids, types=scope.types, attributes=names, limit=MOST_ENTITIES)
        entities: list[str] = self._state.entities(query)["id"].to_pylist()
        if not scope.areas:
            return entities
        facts = self.look_up(entities, with_areas=True)
        return [e for e, one in zip(entities, facts, strict=True) if holds(scope, e, one)]

    def _some(self, ids: tuple[str, ...], *, with_areas: bool) -> dict[str, EntityFacts]:
        rows = self._state.entities(EntityQuery(ids=ids, limit=len(ids))).to_pylist()
        day = self._clock.now().astimezone(UTC).astimezone(ZONE).date()
        found = {}
        for row in rows:
            areas: tuple[str, ...] = ()
            if with_areas and row["lon"] is not None:
                inside = self._areas.locate(row["lon"], row["lat"], day)
                areas = tuple(area.id for area in inside)
            found[row["id"]] = EntityFacts(tuple(row["types"]), areas)
        return found
