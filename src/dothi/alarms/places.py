"""What is known of the entities that alarms are about: name, place, areas."""

from collections.abc import Collection, Mapping
from datetime import date
from time import monotonic

from dothi.model.alarm import Place
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.state import EntityQuery, State

_KEPT_S = 60.0
"""A new name or place of an entity is known to its alarms so late at most."""
_MOST_KEPT = 200_000
_LISTED = 1_000


class KnownPlaces:
    """ports.alarms.Places over the current state; one thread at a time."""

    def __init__(self, state: State, areas: Areas, clock: Clock) -> None:
        self._state = state
        self._areas = areas
        self._clock = clock
        self._kept: dict[str, Place] = {}
        self._within: dict[tuple[float, float], tuple[str, ...]] = {}
        self._day: date | None = None
        self._since_s = monotonic()

    def __call__(self, entities: Collection[str]) -> Mapping[str, Place]:
        """See ports.alarms.Places."""
        self._forget_old()
        missing = sorted(set(entities) - self._kept.keys())
        for start in range(0, len(missing), _LISTED):
            self._look_up(tuple(missing[start : start + _LISTED]))
        return {entity: self._kept[entity] for entity in entities if entity in self._kept}

    def _forget_old(self) -> None:
        if monotonic() - self._since_s > _KEPT_S or len(self._kept) > _MOST_KEPT:
            self._kept, self._since_s = {}, monotonic()
        today = self._clock.now().date()
        if today != self._day or len(self._within) > _MOST_KEPT:
            self._within, self._day = {}, today

    def _look_up(self, ids: tuple[str, ...]) -> None:
        found = self._state.entities(EntityQuery(ids=ids, limit=len(ids)))
        for row in found.select(["id", "types", "name", "lon", "lat"]).to_pylist():
            lon, lat = row["lon"], row["lat"]
            self._kept[row["id"]] = Place(
                row["id"],
                next(iter(row["types"] or ()), ""),
                row["name"] or "",
                lon,
                lat,
                () if lon is None or lat is None else self._areas_at(lon, lat),
            )

    def _areas_at(self, lon: float, lat: float) -> tuple[str, ...]:
        # Without the day of the alarm's own time: lists are filtered by the map of today.
        if (lon, lat) not in self._within:
            assert self._day is not None
            found = self._areas.locate(lon, lat, self._day)
            self._within[lon, lat] = tuple(area.id for area in found)
        return self._within[lon, lat]
