"""One entity out of the parts that several brokers hold of it (clauses 4.5.5 and 4.3.6)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from dothi.facades.ngsi_ld.distributed.remote_entity import UNKNOWN_AT
from dothi.facades.ngsi_ld.registrations.data import Mode
from dothi.ports.entity_query import StoredAttribute, StoredEntity

_Key = tuple[str, str]


def merged(
    local: StoredEntity | None, remote: Sequence[tuple[Mode, StoredEntity]], now: datetime
) -> StoredEntity | None:
    """The entity, or None when nobody holds it.

    What a proxied source gives wins over what lies here; among equals the newest does; an
    auxiliary source only adds attributes that nobody else has.
    """
    parts = [
        entity for mode, entity in remote if mode is not Mode.AUXILIARY and _lives(entity, now)
    ]
    helpers = [entity for mode, entity in remote if mode is Mode.AUXILIARY and _lives(entity, now)]
    proxied = [entity for mode, entity in remote if mode.is_proxied and _lives(entity, now)]
    everyone = ([local] if local is not None else []) + parts
    if not everyone and not helpers:
        return None
    rows: dict[_Key, StoredAttribute] = {}
    held = {row.name for entity in proxied for row in entity.attributes}
    for entity in everyone:
        for row in entity.attributes:
            if entity is local and row.name in held:
                continue
            _take(rows, row)
    present = {name for name, _ in rows}
    for entity in helpers:
        for row in entity.attributes:
            if row.name not in present:
                _take(rows, row)
    return _assembled(everyone + helpers, everyone or helpers, rows.values(), now)


def _take(rows: dict[_Key, StoredAttribute], row: StoredAttribute) -> None:
    key = (row.name, row.dataset)
    other = rows.get(key)
    if other is None or _is_newer(row, other):
        rows[key] = row


def _is_newer(row: StoredAttribute, other: StoredAttribute) -> bool:
    """By observedAt where there is one, else by modifiedAt (clause 4.5.5.3)."""
    if row.observed_at is not None or other.observed_at is not None:
        first, second = row.observed_at or UNKNOWN_AT, other.observed_at or UNKNOWN_AT
        if first != second:
            return first > second
    return row.modified_at > other.modified_at


def _lives(entity: StoredEntity, now: datetime) -> bool:
    return entity.expires_at is None or entity.expires_at > now


def _assembled(
    entities: Sequence[StoredEntity],
    owners: Sequence[StoredEntity],
    rows: Iterable[StoredAttribute],
    now: datetime,
) -> StoredEntity:
    """`owners` say what the entity itself is; `entities` add their types."""
    created = [e.created_at for e in owners if e.created_at != UNKNOWN_AT]
    modified = [e.modified_at for e in entities if e.modified_at != UNKNOWN_AT]
    expiries = [e.expires_at for e in owners if e.expires_at is not None]
    return StoredEntity(
        owners[0].id,
        tuple(dict.fromkeys(name for e in entities for name in e.types)),
        tuple(dict.fromkeys(scope for e in owners for scope in e.scope)),
        min(created, default=now),
        max(modified, default=now),
        max(expiries) if len(expiries) == len(owners) and expiries else None,
        tuple(_dated(row, now) for row in sorted(rows, key=lambda r: (r.name, r.dataset))),
    )


def _dated(row: StoredAttribute, now: datetime) -> StoredAttribute:
    """Times that the source did not tell are those of its answer."""
    if UNKNOWN_AT not in {row.created_at, row.modified_at}:
        return row
    return StoredAttribute(
        row.name,
        row.dataset,
        row.kind,
        row.number,
        row.text,
        row.body,
        row.unit,
        row.observed_at,
        now if row.created_at == UNKNOWN_AT else row.created_at,
        now if row.modified_at == UNKNOWN_AT else row.modified_at,
    )
