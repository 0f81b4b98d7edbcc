"""Fragments of merges and partial updates: members one by one, and the simplified form.

What a bare value means depends on the kind of the attribute that is there (clause 5.6.17), so the
reader knows the kinds of the stored entity.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.attribute_reading import (
    AttributeReader,
    Mode,
    dataset_of,
    is_bare_geometry,
    is_multiple,
    plain_members,
    told_shape,
)
from dothi.facades.ngsi_ld.wire.geometry import is_geometry
from dothi.facades.ngsi_ld.wire.instance import EntityDraft, Patch
from dothi.facades.ngsi_ld.wire.kinds import (
    BY_KIND,
    BY_VALUE_KEY,
    NGSI_NULL,
    OUTPUT_MEMBERS,
    PLAIN_MEMBERS,
    SYSTEM_MEMBERS,
    VALUE_KEYS,
    Shape,
    is_deletion,
)
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.reading import (
    ENTITY_MEMBERS,
    Reader,
    entity_members,
    is_system_time,
)
from dothi.model.row import Kind

_NEVER_DELETED = VALUE_KEYS | {"type", "datasetId"}
"""A Null there is read with the value, or wrong (clause 5.5.8)."""
_KEPT_NAMES = PLAIN_MEMBERS | {"unitCode", "observedAt"}
_KNOWN_MEMBERS = _KEPT_NAMES | _NEVER_DELETED | OUTPUT_MEMBERS | SYSTEM_MEMBERS

Kinds = Mapping[tuple[str, str], Kind]
"""Kind by stored name and datasetId."""

_GEO_PROPERTY = Kind.GEO_PROPERTY
_PROPERTY = Kind.PROPERTY
_JSON_PROPERTY = Kind.JSON_PROPERTY
_LANGUAGE_PROPERTY = Kind.LANGUAGE_PROPERTY
_PARTIAL = Mode.PARTIAL
_UPDATE = Mode.UPDATE


class PatchReader(Struct, frozen=True):
    """Reads changes with one @context. Errors are NgsiError BadRequestData naming the place."""

    context: LdContext
    mode: Mode
    """PARTIAL or MERGE."""
    kinds: Kinds = field(default_factory=dict)
    lang: str = ""
    """Language of strings for a LanguageProperty."""
    is_simplified: bool = False

    def fragment(self, document: Any, entity_id: str) -> EntityDraft:
        """The changes of an entity; with an empty `entity_id` the id is that of the document."""
        found = entity_members(document, self.context)
        patches: list[Patch] = []
        for name, value in found.items():
            if name not in ENTITY_MEMBERS and not is_system_time(name, value):
                patches += self._attribute(name, value)
        head = Reader(self.context, self.mode).head(found, entity_id)
        return EntityDraft(
            head.id, head.types, head.scope, head.expires_at, head.drops_expiry, (), tuple(patches)
        )

    def patch(self, stored: str, raw: Any, where: str) -> Patch:
        """The changes of one instance."""
        if not isinstance(raw, dict):
            return self._bare(stored, "", raw, where)
        if is_bare_geometry(raw):
            return self._of_value(stored, "", _GEO_PROPERTY, raw, where)
        raw = plain_members(raw, self.context)
        shape = told_shape(raw, where)
        is_typed = "type" in raw
        reader = AttributeReader(self.context, self.mode)
        members = self._members(raw, stored, shape, where)
        if is_typed and shape is not None:
            members["type"] = shape.name
        if shape is not None and shape.value_key in raw:
            value = self._worded(shape.kind, raw[shape.value_key])
            place = f"{where}.{shape.value_key}"
            members[shape.value_key] = reader.value(stored, shape.kind, value, place)
        is_open = not is_typed and (shape is None or shape.value_key == "value")
        kind = None if is_open or shape is None else shape.kind
        return Patch(stored, dataset_of(raw, where), kind, members)

    def _attribute(self, name: str, raw: Any) -> list[Patch]:
        stored = AttributeReader(self.context, self.mode).stored_name(name, name)
        if self.is_simplified:
            return self._simplified(stored, raw, name)
        if not is_multiple(raw):
            return [self.patch(stored, raw, name)]
        found = [self.patch(stored, part, f"{name}[{i}]") for i, part in enumerate(raw)]
        if len({patch.dataset for patch in found}) < len(found):
            raise bad_request_data(f"{name}: two instances have the same datasetId")
        return found

    def _simplified(self, stored: str, raw: Any, where: str) -> list[Patch]:
        """Clause 4.5.4: the value alone; several as {"dataset": {datasetId: value}}."""
        if not (isinstance(raw, dict) and raw.keys() == {"dataset"}):
            return [self._bare(stored, "", raw, where)]
        parts = raw["dataset"]
        if not isinstance(parts, dict):
            raise bad_request_data(f"{where}.dataset must be an object of datasetId and value")
        found = []
        for dataset, part in parts.items():
            if dataset != "@none":
                check_uri(dataset, f"{where}.dataset")
            found.append(
                self._bare(
                    stored, dataset.removeprefix("@none"), part, f"{where}.dataset.{dataset}"
                )
            )
        return found

    def _bare(self, stored: str, dataset: str, raw: Any, where: str) -> Patch:
        """A value alone: of the kind that the attribute has, else that it looks like."""
        kind = self.kinds.get((stored, dataset))
        if isinstance(raw, str) and raw == NGSI_NULL:
            return self._of_value(stored, dataset, kind or _PROPERTY, raw, where)
        if kind is None:
            kind = _looks_like(raw)
        key = BY_KIND[kind].value_key
        if key != "value" and isinstance(raw, dict) and raw.keys() == {key}:
            raw = raw[key]
        elif kind is _JSON_PROPERTY:
            raise bad_request_data(f'{where}: a JsonProperty is written as {{"json": ...}}')
        return self._of_value(stored, dataset, kind, self._worded(kind, raw), where)

    def _of_value(self, stored: str, dataset: str, kind: Kind, raw: Any, where: str) -> Patch:
        shape = BY_KIND[kind]
        value = AttributeReader(self.context, self.mode).value(stored, kind, raw, where)
        return Patch(stored, dataset, kind, {"type": shape.name, shape.value_key: value})

    def _worded(self, kind: Kind, raw: Any) -> Any:
        """A string for a LanguageProperty is in the language of the request (6.5.3.4)."""
        is_text = isinstance(raw, str | list) and not is_deletion(kind, raw)
        return {self.lang: raw} if kind is _LANGUAGE_PROPERTY and is_text and self.lang else raw

    def _members(
        self, raw: dict[str, Any], stored: str, shape: Shape | None, where: str
    ) -> dict[str, Any]:
        """Everything but the value, in canonical form; NGSI_NULL where it is to be deleted."""
        reader = AttributeReader(self.context, self.mode)
        kind = None if shape is None else shape.kind
        rest = {}
        members: dict[str, Any] = {}
        for name, value in raw.items():
            if isinstance(value, str) and value == NGSI_NULL and name not in _NEVER_DELETED:
                is_kept = name in _KEPT_NAMES
                members[name if is_kept else reader.stored_name(name, f"{where}.{name}")] = value
            elif name not in _KNOWN_MEMBERS:
                members[self.context.stored(name)] = self._sub(name, value, f"{where}.{name}")
            else:
                rest[name] = value
        members |= reader.members(rest, stored, shape, where)
        unit, observed_at = reader.unit(rest, kind, where), reader.observed_at(rest, where)
        if unit is not None:
            members["unitCode"] = unit
        if observed_at is not None:
            members["observedAt"] = rest["observedAt"]
        return members

    def _sub(self, name: str, raw: Any, where: str) -> Any:
        """A sub-attribute, or an array of several; NGSI_NULL: it is to be deleted."""
        stored = AttributeReader(self.context, self.mode).stored_name(name, where)
        if self.mode is _PARTIAL:
            found = AttributeReader(self.context, _UPDATE).sub_attribute(name, raw, where)
            return NGSI_NULL if found is None else found
        inner = PatchReader(self.context, self.mode, lang=self.lang)
        if is_multiple(raw):
            return [_as_member(inner.patch(stored, part, where)) for part in raw]
        patch = inner.patch(stored, raw, where)
        return NGSI_NULL if patch.is_null and not patch.dataset else _as_member(patch)


def _as_member(patch: Patch) -> dict[str, Any]:
    return patch.members | ({"datasetId": patch.dataset} if patch.dataset else {})


def _looks_like(raw: Any) -> Kind:
    """Kind of a new attribute in the simplified form."""
    if isinstance(raw, dict):
        if is_geometry(raw):
            return _GEO_PROPERTY
        if len(raw) == 1:
            [key] = raw
            shape = BY_VALUE_KEY.get(key)
            if shape is not None and key not in {"value", "object"}:
                return shape.kind
    return _PROPERTY
