"""ports.inventory on SQLite: index steps where they do, one scan remembered where they do not."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Engine

from dothi.model.row import Kind
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.inventory import Usage
from dothi.storage.relational.entity_query import COUNT_OF_TYPE
from dothi.storage.relational.entity_query_fetch import fetcher
from dothi.storage.relational.entity_query_sql import LIVE_ENTITY
from dothi.storage.relational.entity_query_values import LIVE_ATTRIBUTE
from dothi.storage.relational.shape import SHAPE

_KEEP_S = 10.0
"""A remembered answer is older than the newest kind of a value, or than an expiry, by no more."""
_MAX_KEPT = 256
_STATE = f"SELECT coalesce(max(value), 0) FROM watermark WHERE name = '{SHAPE}'"
_TYPES = f"""
WITH RECURSIVE t (type) AS (
    SELECT min(type) FROM entity_type
    UNION ALL SELECT (SELECT min(s.type) FROM entity_type s WHERE s.type > t.type)
    FROM t WHERE t.type IS NOT NULL)
SELECT type FROM t WHERE type IS NOT NULL AND EXISTS (
    SELECT 1 FROM entity_type s CROSS JOIN entity e ON e.id = s.entity_id
    WHERE s.type = t.type AND {LIVE_ENTITY})
"""
"""Deleted entities have no types; expired ones have them until they are deleted."""
_OF_TYPE = f"""
FROM entity_type s CROSS JOIN entity e ON e.id = s.entity_id AND {LIVE_ENTITY}
CROSS JOIN attribute a ON a.entity_id = e.id AND {LIVE_ATTRIBUTE} WHERE s.type = :type
"""
_ROWS_OF_NAME = " UNION ALL ".join(
    f"SELECT a.entity_id, a.name, a.kind FROM attribute a WHERE a.name = :attribute "
    f"AND {column} AND {LIVE_ATTRIBUTE}"
    for column in (
        "a.number IS NOT NULL",
        "a.number IS NULL AND a.text IS NOT NULL",
        "a.number IS NULL AND a.text IS NULL AND a.body IS NOT NULL",
    )
)
"""One of three partial indexes has each row that holds a value."""
_OF_NAME = f"""
FROM ({_ROWS_OF_NAME}) a CROSS JOIN entity e ON e.id = a.entity_id AND {LIVE_ENTITY}
"""
_JOIN_TYPES = " CROSS JOIN json_each(e.types) s"
_EVERY = f"""
FROM entity_type s CROSS JOIN entity e ON e.id = s.entity_id AND {LIVE_ENTITY}
CROSS JOIN attribute a ON a.entity_id = e.id AND {LIVE_ATTRIBUTE}
"""
_GROUPED = "SELECT {}, a.name, a.kind, count(*) {} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"


class SqliteInventory:
    """Any thread; connections come from the engine's pool."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()
        self._kept: OrderedDict[tuple[str, str], tuple[int, float, Sequence[Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def types(self) -> list[str]:
        """See ports.inventory.Inventory."""
        return [row[0] for row in self._rows(_TYPES)]

    def count(self, type_: str) -> int:
        """See ports.inventory.Inventory."""
        return int(self._rows(COUNT_OF_TYPE, type=type_)[0][0])

    def usage(self, type_: str = "", attribute: str = "") -> list[Usage]:
        """See ports.inventory.Inventory."""
        if attribute:
            sql = _GROUPED.format("s.value", _OF_NAME + _JOIN_TYPES)
        else:
            sql = _GROUPED.format("s.type", _OF_TYPE if type_ else _EVERY)
        rows = self._remembered(sql, type_ or attribute, {"type": type_, "attribute": attribute})
        return [
            Usage(key[0], key[1], tuple(Kind(r[2]) for r in group), sum(r[3] for r in group))
            for key, found in groupby(rows, key=lambda row: (row[0], row[1]))
            if (group := list(found))
        ]

    def instances(self, attribute: str) -> int:
        """See ports.inventory.Inventory."""
        rows = self._remembered(f"SELECT count(*) {_OF_NAME}", attribute, {"attribute": attribute})
        return int(rows[0][0])

    def _remembered(self, sql: str, key: str, parameters: dict[str, object]) -> Sequence[Any]:
        """Rows of a question that reads many entities, as long as the shape stays as it is."""
        state = int(self._rows(_STATE)[0][0])
        with self._lock:
            known = self._kept.get((sql, key))
        if known is not None and known[0] == state and known[1] > time.monotonic():
            return known[2]
        rows = self._rows(sql, **parameters)
        with self._lock:
            self._kept[sql, key] = (state, time.monotonic() + _KEEP_S, rows)
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return rows

    def _rows(self, sql: str, **parameters: object) -> Sequence[Any]:
        now_us = int(self._clock.now().timestamp() * 1_000_000)
        with fetcher(self._engine) as source_of_rows:
            return source_of_rows.rows(sql, {"now": now_us, **parameters})
