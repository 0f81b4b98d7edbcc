"""From JSON in a request to attribute instances: normalized and concise forms, every rule checked.

Every error is an NgsiError BadRequestData that names the place.
"""

from datetime import datetime
from enum import Enum, auto
from typing import Any

from msgspec import Struct

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.body import canonical
from dothi.facades.ngsi_ld.wire.geometry import is_geometry
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.kinds import (
    BY_KIND,
    BY_NAME,
    BY_VALUE_KEY,
    LANGUAGE,
    NAMING_MEMBERS,
    NGSI_NULL,
    NO_ATTRIBUTES,
    OUTPUT_MEMBERS,
    PLAIN_MEMBERS,
    PROOF,
    RESERVED_NAMES,
    SEALED_MEMBERS,
    SYSTEM_MEMBERS,
    UNITLESS,
    VALUE_KEYS,
    Shape,
    is_deletion,
    names_kind,
)
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.facades.ngsi_ld.wire.plans import plain_time, plan_of
from dothi.facades.ngsi_ld.wire.times import format_date_time, is_plain, parse_utc
from dothi.facades.ngsi_ld.wire.values import check_value
from dothi.model.row import PLACE_NAMES, Kind

_NO_DATASET = "@none"
_TAKEN = SYSTEM_MEMBERS | {"type", "datasetId", "unitCode", "observedAt"}
"""Members of an attribute that are read for themselves, or passed over."""
_STRICT_NAMES = PLACE_NAMES | {PROOF}
"""Attributes whose values are not as free as those of others."""
_OTHERS = {key: VALUE_KEYS - {key} for key in VALUE_KEYS}
_ALONE = {key: _TAKEN | {key} for key in VALUE_KEYS}
"""By the member that carries the value: with these alone there are no further members."""


class Mode(Enum):
    """What a request does with an attribute: it decides where an NGSI-LD Null may stand."""

    WHOLE = auto()
    """Creates or replaces it: nowhere (clause 5.5.4)."""
    UPDATE = auto()
    """Replaces it, or deletes it by a Null as its value (clause 5.6.2)."""
    PARTIAL = auto()
    """Replaces members, or deletes them by a Null (clause 5.5.8)."""
    MERGE = auto()
    """Merges members to any depth; Nulls also inside objects (clause 5.5.12)."""


# Looking a member of an enum up costs more than all else that is done with it.
_PROPERTY = Kind.PROPERTY
_GEO_PROPERTY = Kind.GEO_PROPERTY
_WHOLE = Mode.WHOLE
_MERGE = Mode.MERGE
_LANGUAGE_PROPERTY = Kind.LANGUAGE_PROPERTY
_VOCAB_PROPERTY = Kind.VOCAB_PROPERTY


class AttributeReader(Struct, frozen=True):
    """Reads with one @context."""

    context: LdContext
    mode: Mode = Mode.WHOLE

    def stored_name(self, name: str, where: str) -> str:
        """Stored name of an attribute; core terms of members are refused (clause 4.5.1)."""
        known = self.context.checked(name)
        if known is not None:
            return known
        check_name(name, where)
        stored = self.context.stored(name)
        if stored in NO_ATTRIBUTES:
            raise bad_request_data(f"{where}: {name!r} is a core term, no name of an attribute")
        self.context.keep_checked(name, stored)
        return stored

    def attribute(self, name: str, raw: Any) -> list[Instance]:
        """All instances of one attribute, names as in the request."""
        stored = self.stored_name(name, name)
        if type(raw) is not list or not is_multiple(raw):
            return [self.instance(stored, raw, name)]
        found = [self.instance(stored, part, f"{name}[{i}]") for i, part in enumerate(raw)]
        if len({instance.dataset for instance in found}) < len(found):
            raise bad_request_data(f"{name}: two instances have the same datasetId")
        return found

    def instance(self, stored: str, raw: Any, where: str) -> Instance:
        """One instance; `where` names it in errors."""
        plain = self._plain(stored, raw, where) if type(raw) is dict else None
        if plain is not None:
            return plain
        if not isinstance(raw, dict):
            return Instance(stored, _PROPERTY, self.value(stored, _PROPERTY, raw, where))
        if not names_kind(raw) and is_bare_geometry(raw):
            return Instance(stored, _GEO_PROPERTY, self.value(stored, _GEO_PROPERTY, raw, where))
        raw = plain_members(raw, self.context)
        shape = told_shape(raw, where)
        if shape is None:
            if is_compound_value(raw):
                value = self.value(stored, _PROPERTY, raw, where)
                return Instance(stored, _PROPERTY, value)
            raise bad_request_data(
                f"{where}: needs a type, or one of {', '.join(BY_VALUE_KEY)} to tell it by"
            )
        if shape.value_key not in raw:
            raise bad_request_data(f"{where}: a {shape.name} needs the member {shape.value_key}")
        place = f"{where}.{shape.value_key}"
        observed_at = self.observed_at(raw, where)
        members = self.members(raw, stored, shape, where)
        if observed_at is not None and not is_plain(raw["observedAt"]):
            members["observedAt"] = raw["observedAt"]
        return Instance(
            stored,
            shape.kind,
            self.value(stored, shape.kind, raw[shape.value_key], place),
            dataset_of(raw, where),
            self.unit(raw, shape.kind, where),
            observed_at,
            members,
        )

    def _plain(self, stored: str, raw: dict[str, Any], where: str) -> Instance | None:
        """The same by a plan; None: there is none, or not for such values."""
        plan = plan_of(raw)
        if plan is None or self.context.has_aliases:
            return None
        observed_at = plain_time(raw["observedAt"]) if plan.has_time else None
        unit = raw["unitCode"] if plan.has_unit else None
        if plan.has_time and observed_at is None:
            return None
        if plan.has_unit and (type(unit) is not str or not unit or unit == NGSI_NULL):
            return None
        value, kind = raw[plan.value_key], plan.kind
        sort = type(value)
        if sort is dict and plan.is_guessed:
            return None
        is_scalar = sort is float or sort is int or (sort is str and value != NGSI_NULL)
        if kind is not _PROPERTY or not is_scalar or stored in _STRICT_NAMES:
            value = self.value(stored, kind, value, f"{where}.{plan.value_key}")
        return Instance(stored, kind, value, "", unit, observed_at)

    def value(self, stored: str, kind: Kind, raw: Any, where: str) -> Any:
        """The value checked; NGSI_NULL when it asks to delete the attribute."""
        if is_deletion(kind, raw):
            if self.mode is _WHOLE:
                raise bad_request_data(f"{where}: {NGSI_NULL} deletes, there is nothing to delete")
            return NGSI_NULL
        if stored in PLACE_NAMES and kind is not _GEO_PROPERTY:
            raise bad_request_data(f"{where}: {stored} is a GeoProperty; send a GeoJSON geometry")
        if stored == PROOF and not isinstance(raw, dict):
            raise bad_request_data(f"{where}: the value of {PROOF} is the object with the proof")
        return check_value(kind, raw, where, self.context, merges=self.mode is _MERGE)

    def unit(self, raw: dict[str, Any], kind: Kind | None, where: str) -> str | None:
        """unitCode; NGSI_NULL where a partial update or a merge deletes it."""
        if "unitCode" not in raw:
            return None
        unit = raw["unitCode"]
        if kind in UNITLESS:
            raise bad_request_data(f"{where}: a {BY_KIND[kind].name} has no unitCode")
        if not isinstance(unit, str) or not unit:
            raise bad_request_data(f"{where}.unitCode must be a string such as CEL")
        return None if self._is_dropped(unit, f"{where}.unitCode") else unit

    def observed_at(self, raw: dict[str, Any], where: str) -> datetime | None:
        if "observedAt" not in raw or self._is_dropped(raw["observedAt"], f"{where}.observedAt"):
            return None
        return read_time(raw["observedAt"], f"{where}.observedAt")

    def members(
        self, raw: dict[str, Any], stored: str, shape: Shape | None, where: str
    ) -> dict[str, Any]:
        """Sub-attributes and plain members, under stored names."""
        value_key = "value" if shape is None else shape.value_key
        members: dict[str, Any] = {}
        if raw.keys() <= _ALONE[value_key]:
            return members
        for name, value in raw.items():
            if name in _TAKEN or name == value_key:
                continue
            place = f"{where}.{name}"
            if name in OUTPUT_MEMBERS or name in VALUE_KEYS:
                raise bad_request_data(f"{place} cannot be written")
            if name not in PLAIN_MEMBERS:
                found = self.sub_attribute(name, value, place)
            elif name in SEALED_MEMBERS and stored != PROOF:
                raise bad_request_data(f"{place}: only {PROOF} has such a member")
            else:
                kind = None if shape is None else shape.kind
                found = self.plain_member(name, value, kind, place)
            if found is not None:
                members[name if name in PLAIN_MEMBERS else self.context.stored(name)] = found
        return members

    def sub_attribute(self, name: str, raw: Any, where: str) -> Any:
        """A sub-attribute in canonical form, an array of several; None: it is not there."""
        stored = self.stored_name(name, where)
        if not is_multiple(raw):
            found = self.instance(stored, raw, where)
            return None if found.is_null else canonical(found)
        parts = [self.instance(stored, part, f"{where}[{i}]") for i, part in enumerate(raw)]
        if len({part.dataset for part in parts}) < len(parts):
            raise bad_request_data(f"{where}: two instances have the same datasetId")
        return [canonical(part) for part in parts if not part.is_null] or None

    def plain_member(self, name: str, raw: Any, kind: Kind | None, where: str) -> Any:
        """A member that is no sub-attribute; None where it is to be left out."""
        if self._is_dropped(raw, where):
            return None
        if name == "expiresAt":
            return format_date_time(read_time(raw, where))
        if name == "entityIdSealed":
            check_uri(raw, where)
            return raw
        if name == LANGUAGE:
            return language_tag(raw, kind, where)
        if kind is _LANGUAGE_PROPERTY and name == "valueType" and raw != "langString":
            raise bad_request_data(f"{where}: the valueType of a LanguageProperty is langString")
        if name in NAMING_MEMBERS:
            return check_value(_VOCAB_PROPERTY, raw, where, self.context)
        return raw

    def _is_dropped(self, raw: Any, where: str) -> bool:
        """Whether a member that is no attribute is given as NGSI-LD Null."""
        if not isinstance(raw, str) or raw != NGSI_NULL:
            return False
        if self.mode is _WHOLE:
            raise bad_request_data(f"{where}: {NGSI_NULL} deletes, there is nothing to delete")
        return True


def language_tag(raw: Any, kind: Kind | None, where: str) -> str:
    """The language of the text of a Property, as it is told by clause 4.15."""
    if kind is _LANGUAGE_PROPERTY:
        raise bad_request_data(f"{where}: the languageMap tells the languages")
    if not isinstance(raw, str) or not raw:
        raise bad_request_data(f"{where} must be a language tag such as vi")
    return raw


def told_shape(raw: dict[str, Any], where: str) -> Shape | None:
    """The kind by `type`, or by the member that carries the value; None when neither is there."""
    named = raw.get("type")
    if type(named) is str and named in BY_NAME:
        shape = BY_NAME[named]
        if not _OTHERS[shape.value_key].isdisjoint(raw):
            strange = min(_OTHERS[shape.value_key] & raw.keys())
            raise bad_request_data(f"{where}: a {named} has no member {strange}")
        return shape
    carriers = [BY_VALUE_KEY[key] for key in raw if key in VALUE_KEYS]
    if named is None:
        if len(carriers) > 1:
            keys = ", ".join(carrier.value_key for carrier in carriers)
            raise bad_request_data(f"{where}: {keys} belong to different kinds of attributes")
        if carriers and carriers[0].kind is _PROPERTY and is_geometry(raw["value"]):
            return BY_NAME["GeoProperty"]
        return carriers[0] if carriers else None
    raise bad_request_data(
        f"{where}.type: {named!r} is no kind of attribute; use one of {', '.join(BY_NAME)}"
    )


def plain_members(raw: dict[str, Any], context: LdContext) -> dict[str, Any]:
    """@id, @type and aliases of them become id and type (clause 4.4)."""
    if not context.has_aliases and "@type" not in raw and "@id" not in raw:
        return raw
    found: dict[str, Any] = {}
    for key, value in raw.items():
        plain = context.keyword(key) if context.has_aliases else key
        plain = {"@id": "id", "@type": "type"}.get(plain, plain)
        if plain in found:
            raise bad_request_data(f"{key!r} says {plain!r} a second time")
        found[plain] = value
    return found


def is_multiple(raw: Any) -> bool:
    """Whether it is an array of instances, not an array as a value."""
    if not isinstance(raw, list) or not raw:
        return False
    return all(
        isinstance(part, dict) and (names_kind(part) or not VALUE_KEYS.isdisjoint(part))
        for part in raw
    )


def is_bare_geometry(raw: dict[str, Any]) -> bool:
    """Whether it is the concise form of a GeoProperty (clause 4.7.3)."""
    return is_geometry(raw) or ("coordinates" in raw and not names_kind(raw) and "value" not in raw)


def is_compound_value(raw: dict[str, Any]) -> bool:
    """Whether an object without type is a value, not an attribute that lacks its value."""
    return RESERVED_NAMES.isdisjoint(raw) and not any(
        isinstance(member, dict) and names_kind(member) for member in raw.values()
    )


def dataset_of(raw: dict[str, Any], where: str) -> str:
    """datasetId; empty for the default instance (clause 4.5.5)."""
    found = raw.get("datasetId", _NO_DATASET)
    if found == _NO_DATASET:
        return ""
    check_uri(found, f"{where}.datasetId")
    return str(found)


def read_time(raw: Any, where: str) -> datetime:
    try:
        return parse_utc(raw)
    except ValueError as error:
        raise bad_request_data(f"{where}: {error}") from error
