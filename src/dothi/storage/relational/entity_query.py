"""ports.entity_query on SQLite: searches that start from the narrowest index, entities by id."""

import threading
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Engine

from dothi.model.condition import HasType
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.entity_query import EntitySearch, Expiring, Form, Found, Keys, StoredEntity
from dothi.storage.relational.entity_expiry import find_expiring
from dothi.storage.relational.entity_query_builds import Builds, guessed_sql, read_guessed
from dothi.storage.relational.entity_query_fetch import fetcher
from dothi.storage.relational.entity_query_habits import Habits
from dothi.storage.relational.entity_query_load import load_entities, load_keys
from dothi.storage.relational.entity_query_order import find_ordered
from dothi.storage.relational.entity_query_pages import FAR, Mark, Waypoints
from dothi.storage.relational.entity_query_plan import Plan, Source
from dothi.storage.relational.shape import SHAPE

_STRIDE = 1_000
"""Places this far apart are remembered on the way to a far page."""
_STATE = f"""
SELECT (SELECT value FROM watermark WHERE name = '{SHAPE}'),
    (SELECT max(expires_us) FROM entity WHERE expires_us <= :now),
    (SELECT max(seq) FROM log), (SELECT value FROM watermark WHERE name = 'sealed')
"""
COUNT_OF_TYPE = """
SELECT (SELECT count(*) FROM entity_type WHERE type = :type) - (
    SELECT count(*) FROM entity e INDEXED BY ix_entity_expiring
    WHERE e.expires_us <= :now AND EXISTS (
        SELECT 1 FROM entity_type s WHERE s.type = :type AND s.entity_id = e.id))
"""
"""Deleted entities have no types; expired ones have them until they are deleted."""


class SqliteEntities:
    """Any thread; connections come from the engine's pool."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()
        self._waypoints = Waypoints()
        self._walking = threading.Lock()
        self._habits = Habits()
        self._builds = Builds(self._habits)

    def find(self, search: EntitySearch) -> list[str]:
        """See ports.entity_query.Entities."""
        with fetcher(self._engine) as source_of_rows:
            plan = Plan(source_of_rows, self._now_us(), self._habits)
            if search.order is not None:
                return find_ordered(plan, search, search.order)
            [page] = self._builds.pages([search], source_of_rows, plan.now_us)
            if page is not None:
                return page
            where = plan.where(search)
            guess = plan.guess(search) if search.offset < FAR else None
            if guess is not None:
                sql = guessed_sql(plan, guess, where, search.limit, search.offset)
                [page] = read_guessed(source_of_rows, sql, [plan.compiler.parameters])
            if page is not None:
                return page
            return self._page(search, plan, plan.source(search), where)

    def glance(self, searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        """See ports.entity_query.Entities."""
        with fetcher(self._engine) as source_of_rows:
            return self._builds.pages(searches, source_of_rows, self._now_us())

    def count(self, search: EntitySearch) -> int:
        """See ports.entity_query.Entities."""
        with fetcher(self._engine) as source_of_rows:
            if search == EntitySearch(condition=search.condition, limit=search.limit) and (
                isinstance(search.condition, HasType)
            ):
                parameters = {"type": search.condition.type, "now": self._now_us()}
                return int(source_of_rows.rows(COUNT_OF_TYPE, parameters, is_short=True)[0][0])
            plan = Plan(source_of_rows, self._now_us())
            where = plan.where(search)
            sql = f"SELECT count(*) FROM {plan.source(search).sql} WHERE {where}"
            return int(plan.fetch.rows(sql, plan.compiler.parameters, is_short=True)[0][0])

    def peek_found(self, search: EntitySearch, *, counts: bool) -> Found | None:
        """See ports.entity_query.Entities."""
        return None

    def peek(self, ids: Sequence[str]) -> list[StoredEntity] | None:
        """See ports.entity_query.Entities."""
        return None if ids else []

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """See ports.entity_query.Entities."""
        if not ids:
            return []
        with fetcher(self._engine) as source_of_rows:
            return load_entities(source_of_rows, self._now_us(), ids, names)

    def keys(self, ids: Sequence[str]) -> dict[str, Keys]:
        """See ports.entity_query.Entities."""
        with fetcher(self._engine) as source_of_rows:
            return load_keys(source_of_rows, self._now_us(), ids)

    def peek_written(self, ids: Sequence[str], form: Form) -> list[bytes] | None:
        """See ports.entity_query.Entities."""
        return None if ids else []

    def written(self, ids: Sequence[str], form: Form) -> list[bytes]:
        """See ports.entity_query.Entities."""
        return [form.write(entity) for entity in self.load(ids)]

    def expiring(self, until: datetime, limit: int) -> list[Expiring]:
        """See ports.entity_query.Entities."""
        with fetcher(self._engine) as source_of_rows:
            return find_expiring(source_of_rows, until, limit)

    def _page(self, search: EntitySearch, plan: Plan, source: Source, where: str) -> list[str]:
        matching = f"FROM {source.sql} WHERE {where}"
        column, bind = source.id_column, plan.compiler.bind
        order_by = f" ORDER BY {source.order_by}" if source.order_by else ""
        skipped, after = 0, 0
        state = key = None
        if search.offset >= FAR and not search.ids:
            key = replace(search, offset=0, limit=None)
            seen = plan.fetch.rows(_STATE, plan.compiler.parameters, is_short=True)[0]
            # Other searches than those for values do not mind new values.
            state = tuple(seen if search.looks_at_values else seen[:2])
            skipped, after = self._waypoints.nearest(key, state, search.offset)
            if search.offset - skipped >= 2 * _STRIDE:
                # Whoever comes meanwhile waits for the places rather than to look for them too.
                with self._walking:
                    skipped, after = self._waypoints.nearest(key, state, search.offset)
                    if search.offset - skipped >= 2 * _STRIDE:
                        walk = plan.walk(search) or (source, where)
                        marks = _marks(plan, walk, after, search.offset - skipped)
                        marks = [(skipped + n, id_) for n, id_ in marks]
                        self._waypoints.remember(key, state, marks)
                        skipped, after = marks[-1] if marks else (skipped, after)
        page = plan.compiler.page(search.limit, search.offset - skipped)
        sql = f"SELECT e.uri, {column} {matching} AND {column} > {bind(after)}{order_by} {page}"
        rows = plan.fetch.rows(sql, plan.compiler.parameters, is_short=True)
        if rows and key is not None:
            end = (search.offset + len(rows), int(rows[-1][1]))
            self._waypoints.remember(key, state, [end])
        return [row[0] for row in rows]

    def _now_us(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)


def _marks(plan: Plan, walk: tuple[Source, str], after: int, count: int) -> list[Mark]:
    """Every so many matches: how many there are up to here, and the id of the last one."""
    source, where = walk
    column, bind = source.id_column, plan.compiler.bind
    matching = f"SELECT {column} AS id FROM {source.sql} WHERE {where} AND {column} >"
    if source.order_by:
        # Strides rather than numbers of the rows, which cost ten times as much as to pass a row.
        stride = f"{matching} m.id ORDER BY {source.order_by} LIMIT 1 OFFSET {_STRIDE - 1}"
        sql = (
            f"WITH RECURSIVE m (n, id) AS (SELECT 0, {bind(after)} UNION ALL "
            f"SELECT m.n + {_STRIDE}, ({stride}) FROM m "
            f"WHERE m.id IS NOT NULL AND m.n + {_STRIDE} <= {bind(count)}) "
            "SELECT n, id FROM m WHERE n > 0 AND id IS NOT NULL"
        )
    else:
        sql = (
            f"SELECT n, id FROM (SELECT id, row_number() OVER () AS n FROM ("
            f"{matching} {bind(after)} {plan.compiler.page(count, 0)})) "
            f"WHERE n % {_STRIDE} = 0"
        )
    return [
        (int(n), int(id_))
        for n, id_ in plan.fetch.rows(sql, plan.compiler.parameters, is_short=True)
    ]
