"""Entities and attributes that have an end, by the indexes on it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dothi.ports.entity_query import Expiring
from dothi.storage.relational.entity_query_fetch import Fetching
from dothi.storage.relational.schema import EXPIRES_AT, HAS_EXPIRY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENTITIES = """
SELECT uri, expires_us FROM entity
WHERE expires_us IS NOT NULL AND expires_us <= :until AND deleted_us IS NULL
ORDER BY expires_us LIMIT :limit + 0
"""
# The inner query names no other table, so that its terms are those of the index.
_ATTRIBUTES = f"""
SELECT e.uri, a.name, a.dataset, a.ends_at FROM (
    SELECT entity_id, name, dataset, {EXPIRES_AT} AS ends_at FROM attribute
    WHERE {HAS_EXPIRY} AND {EXPIRES_AT} < :until ORDER BY {EXPIRES_AT} LIMIT :limit + 0
) a CROSS JOIN entity e ON e.id = a.entity_id WHERE e.deleted_us IS NULL
"""


def find_expiring(fetch: Fetching, until: datetime, limit: int) -> list[Expiring]:
    """See ports.entity_query.Entities.expiring."""
    until_us = int((until - _EPOCH) / timedelta(microseconds=1))
    rows = fetch.rows(_ENTITIES, {"until": until_us, "limit": limit})
    found = [Expiring(uri, "", "", _EPOCH + timedelta(microseconds=us)) for uri, us in rows]
    # As text "05.9Z" comes before "05Z": ask up to the next second, then look closely.
    next_second = until.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    text = next_second.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = fetch.rows(_ATTRIBUTES, {"until": text, "limit": limit})
    found += [one for one in _attributes(rows) if one.expires_at <= until]
    return sorted(found, key=lambda one: one.expires_at)[:limit]


def _attributes(rows: Sequence[Any]) -> Iterator[Expiring]:
    for uri, name, dataset, text in rows:
        try:
            at = datetime.fromisoformat(text)
        except (TypeError, ValueError):
            continue  # a member of that name that is no time never ends
        yield Expiring(uri, name, dataset, at if at.tzinfo else at.replace(tzinfo=UTC))
