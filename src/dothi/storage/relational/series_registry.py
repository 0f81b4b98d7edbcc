"""Numbers for names: sources, units, entities and series, resolved per distinct name.

The writer is the only one that makes rows in these tables, so it may cache and hand out ids.
After a rollback everything cached is forgotten.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dothi.storage.relational.columns import ints, texts
from dothi.storage.relational.hot_connection import HotConnection

Ints = npt.NDArray[np.int64]
SeriesName = tuple[int, str, str]
"""entity id, attribute, dataset."""

NEVER = np.iinfo(np.int64).min
SCOPE = "scope"
"""Attribute under which the history of the scope of an entity is kept."""
UNKNOWN = -1
NOBODY = 0
"""Stands for the owner of a series that has none; no source has this id."""
_CACHE_LIMIT = 2_000_000


class Numbering:
    """Ids of one small table (source, unit) whose rows all fit in memory."""

    def __init__(self, connection: HotConnection, table: str, column: str) -> None:
        self._connection = connection
        self._select = f"SELECT id, {column} AS name FROM {table}"
        self.known: dict[str, int] = {}

    def refresh(self) -> None:
        rows = self._connection.query(self._select)
        self.known = dict(zip(rows["name"].to_pylist(), rows["id"].to_pylist(), strict=True))


class Registry:
    """Entity and attribute ids with what the writer must know of each series."""

    def __init__(self, connection: HotConnection) -> None:
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        """Drop the cache, and read the next free ids from the tables."""
        self.entities: dict[str, int] = {}
        """uri -> id of entities that are not deleted."""
        self.series: dict[SeriesName, int] = {}
        """Series that are not deleted."""
        self.newest = np.full(1024, NEVER)
        """By attribute id: highest observed_us ever stored (NEVER: none)."""
        self.owner = np.full(1024, NOBODY)
        """By attribute id: id of the source that the series belongs to (NOBODY: none)."""
        self.revision = np.full(1024, UNKNOWN)
        """By attribute id: highest revision of the value of the time `newest` (or UNKNOWN)."""
        self.is_reshaped = False
        """Whether this commit changed which entities have which types and attributes."""
        self.next_entity = self._connection.number("SELECT max(id) FROM entity") + 1
        self.begin()
        self.next_attribute = self._connection.number("SELECT max(id) FROM attribute") + 1
        self.fresh: dict[int, SeriesName] = {}
        """Series that have an id and no row yet, by rising id: their first value makes it."""

    def begin(self) -> None:
        """A commit begins."""
        if len(self.series) > _CACHE_LIMIT:
            self.series.clear()
            self.entities.clear()
        self.absent: set[str] = set()
        """Entities that were looked for in this commit and have no row."""
        self.first_new_entity = self.next_entity
        """Entities from this id on were made in this run of rows and have no series yet, but for
        that of their scope."""

    @property
    def first_fresh(self) -> int:
        """Series from this id on have no row yet."""
        return next(iter(self.fresh), self.next_attribute)

    def forget_entities(self, uris: Iterable[str], ids: Ints) -> None:
        """These entities are gone; only their own series are looked at, however many there are."""
        for uri in uris:
            self.entities.pop(uri, None)
        rows = self._connection.ask(
            "SELECT entity_id, name, dataset FROM attribute WHERE entity_id = ?",
            pa.table({"id": ids}),
        )
        for key in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            self.series.pop(key, None)

    def forget_owner(self, source: int) -> None:
        """The series of this source belong to nobody now."""
        self.owner[self.owner == source] = NOBODY

    def look_up_entities(self, uris: Sequence[str]) -> dict[str, tuple[int, bool]]:
        """uri -> (id, is live) of those that exist, from the cache or the table."""
        found = {u: (self.entities[u], True) for u in uris if u in self.entities}
        missing = [u for u in uris if u not in found and u not in self.absent]
        if not missing:
            return found
        rows = self._connection.ask(
            "SELECT id, uri, deleted_us IS NULL AS live FROM entity WHERE uri = ?",
            pa.table({"uri": texts(missing)}),
        )
        for id_, uri, live in zip(*(c.to_pylist() for c in rows.columns), strict=True):
            found[uri] = (id_, bool(live))
            if live:
                self.entities[uri] = id_
        self.absent.update(u for u in missing if u not in found)
        return found

    def look_up_series(self, names: Sequence[SeriesName]) -> dict[SeriesName, tuple[int, bool]]:
        """Series -> (attribute id, is live) of those that exist; fills `newest`, `owner`."""
        entities, attributes, datasets = zip(*names, strict=True)
        rows = self._connection.ask(
            "SELECT id, entity_id, name, dataset, newest_us, "
            f"coalesce(newest_revision, {UNKNOWN}), "
            "owner_id, deleted_us IS NULL AS live FROM attribute "
            "WHERE entity_id = ? AND name = ? AND dataset = ?",
            pa.table({"e": ints(entities), "n": texts(attributes), "d": texts(datasets)}),
        )
        found: dict[SeriesName, tuple[int, bool]] = {}
        for id_, entity, name, dataset, newest, revision, owner, live in zip(
            *(c.to_pylist() for c in rows.columns), strict=True
        ):
            found[(entity, name, dataset)] = (id_, bool(live))
            self.grow(id_)
            self.newest[id_] = NEVER if newest is None else newest
            self.owner[id_] = NOBODY if owner is None else owner
            self.revision[id_] = revision
            if live:
                self.series[(entity, name, dataset)] = id_
        return found

    def note_later(self, series: Ints, observed: Ints) -> None:
        """Rows with these times are to be stored."""
        np.maximum.at(self.newest, series, observed)

    def note(self, series: Ints, observed: Ints, revision: Ints) -> None:
        """Rows were stored. Those of one key stand in order of arrival: the last one has the
        highest revision."""
        is_newest = observed == self.newest[series]
        self.revision[series[is_newest]] = revision[is_newest]

    def grow(self, highest: int) -> None:
        """Make room in the arrays for ids up to `highest`."""
        if highest >= len(self.newest):
            size = max(highest + 1, 2 * len(self.newest))
            self.newest = _grown(self.newest, size, NEVER)
            self.owner = _grown(self.owner, size, NOBODY)
            self.revision = _grown(self.revision, size, UNKNOWN)


def _grown(values: Ints, size: int, filler: int) -> Ints:
    grown = np.full(size, filler)
    grown[: len(values)] = values
    return grown
