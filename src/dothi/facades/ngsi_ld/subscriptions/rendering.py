"""The entities of a notification (clauses 5.3.1 and 5.8.6)."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.subscriptions.changes import AttributeChange, EntityChange
from dothi.facades.ngsi_ld.subscriptions.model import Content, Trigger
from dothi.facades.ngsi_ld.subscriptions.naming import projected_names
from dothi.facades.ngsi_ld.wire.answers import context_value
from dothi.facades.ngsi_ld.wire.body import restore
from dothi.facades.ngsi_ld.wire.geometry import is_geometry
from dothi.facades.ngsi_ld.wire.kinds import BY_KIND, NGSI_NULL
from dothi.facades.ngsi_ld.wire.negotiation import GEO_JSON, LD_JSON
from dothi.facades.ngsi_ld.wire.projection import WHOLE, Projection
from dothi.facades.ngsi_ld.wire.representation import Format, Writer, feature, geometry_of
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.row import Kind
from dothi.ports.entity_query import StoredAttribute, StoredEntity

Item = dict[str, Any]


class Rendering:
    """Writes entities as one subscription wants them."""

    def __init__(self, content: Content, context: LdContext, accept: str) -> None:
        self._content = content
        self._context = context
        self._accept = accept
        self.projection = _projection(content)
        self._writer = Writer(context, content.format, content.has_system_attributes)

    def changed(self, change: EntityChange, shown: Iterable[tuple[str, str]]) -> StoredEntity:
        """The entity to be written; `shown` are the deleted instances to be told of."""
        entity, content = change.entity, self._content
        told = [key for key in sorted(shown) if self._is_wanted(key[0])]
        if change.deleted_at is not None:
            markers = self._markers(change, told)
            return replace(entity, attributes=tuple(markers), scope=(), expires_at=None)
        kept = list(entity.attributes)
        if content.shows_changes:
            kept = [self._with_previous(a, change.attributes.get(_key(a))) for a in kept]
        kept += self._markers(change, told)
        return replace(entity, attributes=tuple(sorted(kept, key=_key)))

    def item(self, entity: StoredEntity, change: EntityChange | None = None) -> Item:
        """One element of `data`."""
        content = self._content
        attributes = [
            self._in_language(a)
            for a in entity.attributes
            if self._is_wanted(a.name)
            and (content.datasets is None or a.dataset in content.datasets)
        ]
        found = self._writer.entity(replace(entity, attributes=tuple(attributes)))
        if change is not None and change.deleted_at is not None:
            found = _with_deleted_at(found, format_date_time(change.deleted_at))
        return found

    def projected(self, entity: StoredEntity) -> StoredEntity:
        """The entity with the attributes that are shown: only those lead to linked ones."""
        names = set(self._content.pick)
        kept = [
            a
            for a in entity.attributes
            if self._is_wanted(a.name)
            and (not names or a.name in {name.partition("{")[0] for name in names})
            and a.name not in self._content.omit
        ]
        return replace(entity, attributes=tuple(kept))

    def whole(self, entity: StoredEntity) -> Item:
        """A linked entity."""
        return self._writer.entity(entity)

    def finished(self, item: Item, entity: StoredEntity) -> Item:
        """After linked entities came in: members picked, the form of the media type."""
        is_reduced = self._content.pick or self._content.omit
        return self.in_media(self._picked(item) if is_reduced else item, entity)

    def in_media(self, item: Item, entity: StoredEntity) -> Item:
        """The form of the media type."""
        if self._accept == GEO_JSON:
            return feature(entity.id, item, geometry_of(entity, "location"), None)
        if self._accept == LD_JSON:
            return {"@context": context_value(self._context), **item}
        return item

    def _picked(self, item: Item) -> Item:
        content = self._content
        wanted = {self._wire(name) for name in content.pick}
        unwanted = {self._wire(name) for name in content.omit if "{" not in name}
        return {
            key: value
            for key, value in item.items()
            if (not wanted or key in wanted or key == "deletedAt") and key not in unwanted
        }

    def _wire(self, projected: str) -> str:
        name = projected.partition("{")[0]
        return name if name in {"id", "type", "scope"} else self._context.wire(name)

    def _is_wanted(self, name: str) -> bool:
        return not self._content.attributes or name in self._content.attributes

    def _markers(
        self, change: EntityChange, told: Sequence[tuple[str, str]]
    ) -> list[StoredAttribute]:
        """Stand-ins for deleted instances; several of one attribute with nothing left are one."""
        left = {a.name for a in change.entity.attributes} if change.deleted_at is None else set()
        by_name: dict[str, list[StoredAttribute]] = {}
        for key in told:
            by_name.setdefault(key[0], []).append(self._marker(change, key))
        markers: list[StoredAttribute] = []
        for name, instances in by_name.items():
            if len(instances) > 1 and name not in left and not self._content.shows_changes:
                instances = [replace(instances[0], dataset="")]
            markers += instances
        return markers

    def _marker(self, change: EntityChange, key: tuple[str, str]) -> StoredAttribute:
        old = change.attributes[key].previous
        kind = Kind.PROPERTY if old is None else old.kind
        at = change.entity.modified_at if old is None else old.created_at
        modified_at = at if old is None else old.modified_at
        empty = StoredAttribute(*key, kind, None, None, None, None, None, at, modified_at)
        if self._content.format is Format.SIMPLIFIED:
            return replace(empty, kind=Kind.PROPERTY, text=NGSI_NULL)
        members: dict[str, Any] = {BY_KIND[kind].value_key: NGSI_NULL}
        if kind is Kind.LANGUAGE_PROPERTY and change.deleted_at is None:
            members["languageMap"] = {"@none": NGSI_NULL}
        elif kind is Kind.LIST_RELATIONSHIP:
            members["objectList"] = [NGSI_NULL]
        if self._content.shows_changes and old is not None:
            members |= self._previous(old)
        if self._content.has_system_attributes:
            deleted_at = change.deleted_at or change.entity.modified_at
            members["deletedAt"] = format_date_time(deleted_at)
        return replace(empty, body=msgspec.json.encode(members).decode())

    def _with_previous(
        self, attribute: StoredAttribute, change: AttributeChange | None
    ) -> StoredAttribute:
        old = change.previous if change is not None else None
        if old is None or (change is not None and change.trigger is Trigger.ATTRIBUTE_CREATED):
            return attribute
        return _with_members(attribute, self._previous(old))

    def _previous(self, old: StoredAttribute) -> dict[str, Any]:
        instance = restore(old.name, old.kind, old)
        key = BY_KIND[old.kind].value_key
        value = self._writer.value(instance)
        return {} if value is None else {f"previous{key[0].upper()}{key[1:]}": value}

    def _in_language(self, attribute: StoredAttribute) -> StoredAttribute:
        """A LanguageProperty as a Property with the text in the wanted language (clause 4.15)."""
        if not self._content.language or attribute.kind is not Kind.LANGUAGE_PROPERTY:
            return attribute
        instance = restore(attribute.name, attribute.kind, attribute)
        if not isinstance(instance.value, dict) or NGSI_NULL in instance.value.values():
            return attribute
        tag, text = _chosen(instance.value, self._content.language)
        body = {**instance.members, "value": text, "lang": tag}
        return replace(
            attribute, kind=Kind.PROPERTY, body=msgspec.json.encode(body).decode(), text=None
        )


def _projection(content: Content) -> Projection:
    """pick and omit, whose names are stored ones."""
    picked, omitted = (
        projected_names(names) if names else None for names in (content.pick, content.omit)
    )
    return WHOLE if picked is omitted is None else Projection(picked, omitted or {})


def _chosen(texts: dict[str, Any], wanted: str) -> tuple[str, Any]:
    """The text in the first wanted language that is there, else without language, else any."""
    for part in wanted.split(","):
        tag = part.partition(";")[0].strip()
        for known, text in texts.items():
            if known.lower() == tag.lower() or known.lower().startswith(f"{tag.lower()}-"):
                return known, text
    return next(((t, texts[t]) for t in ("@none", "en") if t in texts), next(iter(texts.items())))


def _with_members(attribute: StoredAttribute, members: dict[str, Any]) -> StoredAttribute:
    body = {} if attribute.body is None else msgspec.json.decode(attribute.body)
    if attribute.kind is Kind.GEO_PROPERTY and is_geometry(body):
        body = {"value": body}
    return replace(attribute, body=msgspec.json.encode(body | members).decode())


def _with_deleted_at(found: Item, deleted_at: str) -> Item:
    """deletedAt stands before the attributes."""
    head = {"id", "type", "createdAt", "modifiedAt"}
    return (
        {key: value for key, value in found.items() if key in head}
        | {"deletedAt": deleted_at}
        | {key: value for key, value in found.items() if key not in head}
    )


def _key(attribute: StoredAttribute) -> tuple[str, str]:
    return attribute.name, attribute.dataset
