"""From JSON in a request to drafts: normalized, concise and mixed forms, every rule checked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.body import canonical
from dothi.facades.ngsi_ld.wire.geometry import is_geometry
from dothi.facades.ngsi_ld.wire.instance import ABSENT, EntityDraft, Instance
from dothi.facades.ngsi_ld.wire.kinds import (
    BY_NAME,
    BY_VALUE_KEY,
    NGSI_NULL,
    PLAIN_MEMBERS,
    SYSTEM_MEMBERS,
    Shape,
    names_kind,
)
from dothi.facades.ngsi_ld.wire.names import check_name, check_scope, check_uri
from dothi.facades.ngsi_ld.wire.times import parse_date_time
from dothi.facades.ngsi_ld.wire.values import check_value
from dothi.model.row import Kind

_ENTITY_MEMBERS = frozenset({"id", "type", "scope", "expiresAt", "@context"})
_NO_DATASET = "@none"
_KEPT_NAMES = PLAIN_MEMBERS | {"unitCode", "observedAt"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads with one @context. Every error is an NgsiError BadRequestData that names the place."""

    context: LdContext
    allows_null: bool = False
    """Whether "urn:ngsi-ld:null" may stand for a deletion."""
    is_partial: bool = False
    """Whether an attribute may come without its value (partial update)."""

    def entity(self, document: Any) -> EntityDraft:
        """A whole entity: id and type are needed."""
        draft = self.fragment(document, "")
        if not draft.id:
            raise bad_request_data("the member id is missing")
        if not draft.types:
            raise bad_request_data("the member type is missing")
        return draft

    def fragment(self, document: Any, entity_id: str) -> EntityDraft:
        """Some attributes of the entity `entity_id`; id and type may be missing.

        With an empty `entity_id` the id is that of the document.
        """
        if not isinstance(document, dict):
            raise bad_request_data("an entity must be a JSON object")
        found = self._plain_keys(document)
        own_id = found.get("id")
        if own_id is not None:
            check_uri(own_id, "id")
            if entity_id and own_id != entity_id:
                raise bad_request_data(f"id is {own_id!r}, but the path names {entity_id!r}")
        instances: list[Instance] = []
        for name, value in found.items():
            if name not in _ENTITY_MEMBERS and name not in SYSTEM_MEMBERS:
                instances += self.attribute(name, value)
        return EntityDraft(
            entity_id or own_id or "",
            self._types(found["type"]) if "type" in found else (),
            self._scope(found["scope"]) if "scope" in found else None,
            _time(found["expiresAt"], "expiresAt") if "expiresAt" in found else None,
            tuple(instances),
        )

    def attribute(self, name: str, raw: Any) -> list[Instance]:
        """All instances of one attribute, names as in the request."""
        check_name(name, name)
        stored = self.context.stored(name)
        if not _is_multiple(raw):
            return [self.instance(stored, raw, name)]
        found = [self.instance(stored, part, f"{name}[{i}]") for i, part in enumerate(raw)]
        if len({instance.dataset for instance in found}) < len(found):
            raise bad_request_data(f"{name}: two instances have the same datasetId")
        return found

    def instance(self, stored: str, raw: Any, where: str) -> Instance:
        """One instance; `where` names it in errors."""
        if not isinstance(raw, dict):
            return self._bare(stored, raw, where)
        if is_geometry(raw) or _is_geometry_like(raw):
            return Instance(stored, Kind.GEO_PROPERTY, self._value(Kind.GEO_PROPERTY, raw, where))
        shape = self._shape(raw, where)
        value: Any = ABSENT
        if shape.value_key in raw:
            value = self._value(shape.kind, raw[shape.value_key], f"{where}.{shape.value_key}")
        elif not self.is_partial:
            raise bad_request_data(f"{where}: a {shape.name} needs the member {shape.value_key}")
        return Instance(
            stored,
            shape.kind,
            value,
            _dataset(raw.get("datasetId", _NO_DATASET), where),
            self._unit(raw, where),
            self._observed_at(raw, where),
            self._members(raw, shape, where),
        )

    def _plain_keys(self, document: dict[str, Any]) -> dict[str, Any]:
        """@id, @type and aliases of them become id and type."""
        found: dict[str, Any] = {}
        for key, value in document.items():
            plain = self.context.keyword(key) if self.context.has_aliases else key
            plain = {"@id": "id", "@type": "type"}.get(plain, plain)
            if plain in found:
                raise bad_request_data(f"{key!r} says {plain!r} a second time")
            found[plain] = value
        return found

    def _bare(self, stored: str, raw: Any, where: str) -> Instance:
        """The concise form of a Property without other members: the value alone."""
        if raw is None:
            raise bad_request_data(f"{where}: null is no value")
        return Instance(stored, Kind.PROPERTY, self._value(Kind.PROPERTY, raw, where))

    def _shape(self, raw: dict[str, Any], where: str) -> Shape:
        """Kind by `type`, or by the member that carries the value."""
        named = raw.get("type")
        carriers = [shape for key, shape in BY_VALUE_KEY.items() if key in raw]
        if named is None:
            if len(carriers) != 1:
                if self.is_partial and not carriers:
                    return BY_NAME["Property"]
                raise bad_request_data(
                    f"{where}: needs a type, or one of {', '.join(BY_VALUE_KEY)} to tell it by"
                )
            if carriers[0].kind is Kind.PROPERTY and is_geometry(raw["value"]):
                return BY_NAME["GeoProperty"]
            return carriers[0]
        if not isinstance(named, str) or named not in BY_NAME:
            raise bad_request_data(
                f"{where}.type: {named!r} is no kind of attribute; use one of {', '.join(BY_NAME)}"
            )
        shape = BY_NAME[named]
        for carrier in carriers:
            if carrier.value_key != shape.value_key:
                raise bad_request_data(f"{where}: a {named} has no member {carrier.value_key}")
        return shape

    def _value(self, kind: Kind, raw: Any, where: str) -> Any:
        if raw == NGSI_NULL or raw == {"@none": NGSI_NULL}:
            if not self.allows_null:
                raise bad_request_data(f"{where}: {NGSI_NULL} deletes, there is nothing to delete")
            return NGSI_NULL
        return check_value(kind, raw, where, self.context)

    def _members(self, raw: dict[str, Any], shape: Shape, where: str) -> dict[str, Any]:
        taken = {"type", shape.value_key, "datasetId", "unitCode", "observedAt"}
        members: dict[str, Any] = {}
        for name, value in raw.items():
            if name in SYSTEM_MEMBERS or (name in taken and not self._is_deletion(name, value)):
                continue
            if self._is_deletion(name, value):
                members[name if name in _KEPT_NAMES else self.context.stored(name)] = NGSI_NULL
            elif name in PLAIN_MEMBERS:
                members[name] = self._plain_member(name, value, f"{where}.{name}")
            else:
                members[self.context.stored(name)] = self._sub_attribute(name, value, where)
        return members

    def _is_deletion(self, name: str, value: Any) -> bool:
        """Whether a partial update asks to delete this member (its value is deleted elsewhere)."""
        can_go = self.is_partial and name != "type" and name not in BY_VALUE_KEY
        return can_go and self.allows_null and bool(value == NGSI_NULL)

    def _plain_member(self, name: str, value: Any, where: str) -> Any:
        if name not in {"objectType", "valueType"}:
            return check_value(Kind.JSON_PROPERTY, value, where, self.context)
        return check_value(Kind.VOCAB_PROPERTY, value, where, self.context)

    def _sub_attribute(self, name: str, raw: Any, where: str) -> Any:
        check_name(name, f"{where}.{name}")
        stored = self.context.stored(name)
        whole = Reader(self.context)
        if not _is_multiple(raw):
            return canonical(whole.instance(stored, raw, f"{where}.{name}"))
        return [
            canonical(whole.instance(stored, part, f"{where}.{name}[{i}]"))
            for i, part in enumerate(raw)
        ]

    def _types(self, raw: Any) -> tuple[str, ...]:
        names = raw if isinstance(raw, list) else [raw]
        if not names:
            raise bad_request_data("type: an entity needs a type")
        for name in names:
            check_name(name, "type")
        return tuple(dict.fromkeys(self.context.stored(name) for name in names))

    def _scope(self, raw: Any) -> tuple[str, ...]:
        if raw == NGSI_NULL and self.allows_null:
            return ()
        parts = raw if isinstance(raw, list) else [raw]
        return tuple(dict.fromkeys(check_scope(part) for part in parts))

    def _unit(self, raw: dict[str, Any], where: str) -> str | None:
        unit = raw.get("unitCode")
        if self._is_deletion("unitCode", unit):
            return None
        if "unitCode" in raw and (not isinstance(unit, str) or not unit):
            raise bad_request_data(f"{where}.unitCode must be a string such as CEL")
        return unit

    def _observed_at(self, raw: dict[str, Any], where: str) -> datetime | None:
        if "observedAt" not in raw or self._is_deletion("observedAt", raw["observedAt"]):
            return None
        return _time(raw["observedAt"], f"{where}.observedAt")


def _is_multiple(raw: Any) -> bool:
    if not isinstance(raw, list) or not raw:
        return False
    return all(
        isinstance(part, dict) and (names_kind(part) or not BY_VALUE_KEY.keys().isdisjoint(part))
        for part in raw
    )


def _is_geometry_like(raw: dict[str, Any]) -> bool:
    return "coordinates" in raw and not names_kind(raw) and "value" not in raw


def _dataset(raw: Any, where: str) -> str:
    if raw == _NO_DATASET:
        return ""
    check_uri(raw, f"{where}.datasetId")
    return str(raw)


def _time(raw: Any, where: str) -> datetime:
    try:
        return parse_date_time(raw)
    except ValueError as error:
        raise bad_request_data(f"{where}: {error}") from error
