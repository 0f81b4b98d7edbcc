"""What an entity is after rows that are not committed yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.wire.times import parse_date_time
from dothi.model.row import ROW_SCHEMA, Change, Kind, Row
from dothi.ports.entity_query import StoredAttribute, StoredEntity

_AT = {name: index for index, name in enumerate(ROW_SCHEMA.names)}


def evolved(
    stored: StoredEntity | None, rows: Sequence[Row], entity_id: str, now: datetime
) -> StoredEntity | None:
    """The entity as a later element of the same request finds it; None when it is gone.

    Its times are `now`: only the commit gives the true ones.
    """
    attributes = {} if stored is None else {(a.name, a.dataset): a for a in stored.attributes}
    head = ((), (), None) if stored is None else (stored.types, stored.scope, stored.expires_at)
    for row in rows:
        change = row[_AT["change"]]
        key = (row[_AT["attribute"]], row[_AT["dataset"]])
        if change == Change.DELETE_ENTITY:
            return None
        if change == Change.DELETE_ATTRIBUTE:
            attributes.pop(key, None)
        elif change == Change.UPSERT_ENTITY:
            head = _head(row[_AT["body"]])
        else:
            attributes[key] = _attribute(row, now)
    in_order = tuple(attributes[key] for key in sorted(attributes))
    types, scope, expires_at = head
    return StoredEntity(entity_id, types, scope, now, now, expires_at, in_order)


def _head(text: str) -> tuple[tuple[str, ...], tuple[str, ...], datetime | None]:
    body: dict[str, Any] = msgspec.json.decode(text)
    end = body["expires_at"]
    return tuple(body["types"]), tuple(body["scope"]), end and parse_date_time(end)


def _attribute(row: Row, now: datetime) -> StoredAttribute:
    return StoredAttribute(
        row[_AT["attribute"]],
        row[_AT["dataset"]],
        Kind(row[_AT["kind"]]),
        row[_AT["number"]],
        row[_AT["text"]],
        row[_AT["body"]],
        row[_AT["unit"]],
        row[_AT["observed_at"]],
        now,
        now,
    )
