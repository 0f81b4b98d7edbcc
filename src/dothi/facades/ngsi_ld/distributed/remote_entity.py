"""Entities that other brokers give, in the form in which the store gives ours."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.wire.attribute_reading import Mode
from dothi.facades.ngsi_ld.wire.body import columns
from dothi.facades.ngsi_ld.wire.instance import EntityDraft, Instance
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.facades.ngsi_ld.wire.times import parse_date_time
from dothi.model.row import Kind
from dothi.ports.entity_query import StoredAttribute, StoredEntity

UNKNOWN_AT = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a time that a source did not tell; older than anything."""
_Key = tuple[str, str]
_Times = tuple[datetime, datetime]


def remote_entity(
    document: dict[str, Any], context: LdContext, names: frozenset[str]
) -> StoredEntity:
    """The entity of a normalized document; `names`: only these attributes, empty: all.

    Raises:
        NgsiError: the document is no NGSI-LD entity.
    """
    return _entity(document, Reader(context).entity(_plain(document)), context, names)


def notified_entity(
    document: dict[str, Any], context: LdContext
) -> tuple[StoredEntity, dict[_Key, Kind]]:
    """The same of a notification, and the attributes that it tells as deleted (clause 4.5.0).

    Raises:
        NgsiError: the document is no NGSI-LD entity.
    """
    draft = Reader(context, Mode.UPDATE).entity(_plain(document))
    left = tuple(one for one in draft.instances if not one.is_null)
    gone = {(one.name, one.dataset): one.kind for one in draft.instances if one.is_null}
    return _entity(document, replace(draft, instances=left), context, frozenset()), gone


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "@context"}


def _entity(
    document: dict[str, Any], draft: EntityDraft, context: LdContext, names: frozenset[str]
) -> StoredEntity:
    own = (told_time(document, "createdAt"), told_time(document, "modifiedAt"))
    times = dict(_attribute_times(_plain(document), context, own))
    rows = [
        _row(instance, times.get((instance.name, instance.dataset), own))
        for instance in draft.instances
        if not names or instance.name in names
    ]
    return StoredEntity(
        draft.id,
        draft.types,
        draft.scope or (),
        own[0],
        own[1],
        draft.expires_at,
        tuple(sorted(rows, key=lambda row: (row.name, row.dataset))),
    )


def _row(instance: Instance, times: _Times) -> StoredAttribute:
    held = columns(instance)
    return StoredAttribute(
        instance.name,
        instance.dataset,
        instance.kind,
        held.number,
        held.text,
        held.body,
        held.unit,
        instance.observed_at,
        times[0],
        times[1],
    )


def _attribute_times(
    document: dict[str, Any], context: LdContext, own: _Times
) -> Iterator[tuple[_Key, _Times]]:
    """createdAt and modifiedAt of each instance, where they are told."""
    for name, value in document.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and ("modifiedAt" in part or "createdAt" in part):
                dataset = part.get("datasetId", "")
                key = (context.stored(name), "" if dataset == "@none" else dataset)
                created, modified = told_time(part, "createdAt"), told_time(part, "modifiedAt")
                yield key, (created or own[0], modified or own[1])


def told_time(part: dict[str, Any], name: str) -> datetime:
    """A time that the broker makes; UNKNOWN_AT when it is not told."""
    try:
        return parse_date_time(part.get(name))
    except ValueError:
        return UNKNOWN_AT
