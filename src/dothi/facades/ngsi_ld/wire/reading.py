"""From JSON in a request to entity drafts (clauses 4.5.1 and 5.5.4)."""

from typing import Any

from msgspec import Struct

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.attribute_reading import (
    AttributeReader,
    Mode,
    plain_members,
    read_time,
)
from dothi.facades.ngsi_ld.wire.instance import EntityDraft, Instance
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.names import check_name, check_scope, check_uri

ENTITY_MEMBERS = frozenset({"id", "type", "scope", "expiresAt", "@context"})
_WHOLE = Mode.WHOLE
_TIMES = frozenset({"createdAt", "modifiedAt", "deletedAt"})


class Reader(Struct, frozen=True):
    """Reads with one @context. Every error is an NgsiError BadRequestData that names the place."""

    context: LdContext
    mode: Mode = Mode.WHOLE

    def entity(self, document: Any) -> EntityDraft:
        """A whole entity: id and type are needed."""
        return whole(self.fragment(document, ""))

    def fragment(self, document: Any, entity_id: str) -> EntityDraft:
        """Some attributes of the entity `entity_id`; id and type may be missing.

        With an empty `entity_id` the id is that of the document.
        """
        found = entity_members(document, self.context)
        attributes = AttributeReader(self.context, self.mode)
        instances: list[Instance] = []
        for name, value in found.items():
            if name in ENTITY_MEMBERS or (name in _TIMES and is_system_time(name, value)):
                continue
            instances += attributes.attribute(name, value)
        return self.head(found, entity_id, tuple(instances))

    def head(
        self, found: dict[str, Any], entity_id: str, instances: tuple[Instance, ...] = ()
    ) -> EntityDraft:
        """id, types, scope and expiry of the members of an entity."""
        own_id = found.get("id")
        if own_id is not None:
            check_uri(own_id, "id")
            if entity_id and own_id != entity_id:
                raise bad_request_data(f"id is {own_id!r}, but the path names {entity_id!r}")
        expiry = found.get("expiresAt")
        drops_expiry = self._deletes(expiry)
        has_expiry = "expiresAt" in found and not drops_expiry
        return EntityDraft(
            entity_id or own_id or "",
            self._types(found["type"]) if "type" in found else (),
            self._scope(found["scope"]) if "scope" in found else None,
            read_time(expiry, "expiresAt") if has_expiry else None,
            drops_expiry,
            instances,
        )

    def _types(self, raw: Any) -> tuple[str, ...]:
        names = raw if isinstance(raw, list) else [raw]
        if not names:
            raise bad_request_data("type: an entity needs a type")
        for name in names:
            check_name(name, "type")
            if self.context.keyword(name).startswith("@"):
                raise bad_request_data(f"type: {name!r} is a keyword, no type of entities")
        return tuple(dict.fromkeys(self.context.stored(name) for name in names))

    def _scope(self, raw: Any) -> tuple[str, ...]:
        if self._deletes(raw):
            return ()
        parts = raw if isinstance(raw, list) else [raw]
        return tuple(dict.fromkeys(check_scope(part) for part in parts))

    def _deletes(self, raw: Any) -> bool:
        return self.mode is not _WHOLE and isinstance(raw, str) and raw == NGSI_NULL


def entity_members(document: Any, context: LdContext) -> dict[str, Any]:
    """The members of an entity with plain keys."""
    if not isinstance(document, dict):
        raise bad_request_data("an entity must be a JSON object")
    return plain_members(document, context)


def is_system_time(name: str, value: Any) -> bool:
    """Whether it is a member that the broker makes; it is passed over (clause 5.2.4)."""
    return name in _TIMES and not isinstance(value, dict)


def whole(draft: EntityDraft) -> EntityDraft:
    """The draft when it has an id and a type. Raises BadRequestData."""
    if not draft.id:
        raise bad_request_data("the member id is missing")
    if not draft.types:
        raise bad_request_data("the member type is missing")
    return draft
