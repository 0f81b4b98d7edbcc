"""From JSON in a request to a draft of a temporal evolution (clauses 5.2.20, 4.5.6 to 4.5.8)."""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT, LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.attribute_reading import AttributeReader, Mode
from dothi.facades.ngsi_ld.wire.instance import EntityDraft, Instance
from dothi.facades.ngsi_ld.wire.kinds import BY_VALUE_KEY, NGSI_NULL, names_kind
from dothi.facades.ngsi_ld.wire.names import check_name, check_scope
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.model.row import Kind

_ENTITY_MEMBERS = frozenset({"id", "type", "@id", "@type", "@context", "expiresAt"})


class EvolutionReader(Struct, frozen=True):
    """Reads with one @context. Every error is an NgsiError BadRequestData that names the place."""

    context: LdContext

    def entity(self, document: Any) -> EntityDraft:
        """A whole evolution: id and type are needed."""
        draft = self.fragment(document, "")
        if not draft.id:
            raise bad_request_data("the member id is missing")
        if not draft.types:
            raise bad_request_data("the member type is missing")
        return draft

    def fragment(self, document: Any, entity_id: str) -> EntityDraft:
        """Instances of attributes of the entity `entity_id` (empty: that of the document)."""
        if not isinstance(document, dict):
            raise bad_request_data("a temporal evolution must be a JSON object")
        core = {k: v for k, v in document.items() if self._is_core(k)}
        draft = Reader(self.context).fragment(core, entity_id)
        instances: list[Instance] = []
        for name, raw in document.items():
            if name == "scope":
                instances += _scopes(raw)
            elif name not in core and name not in {"createdAt", "modifiedAt", "deletedAt"}:
                instances += self.attribute(name, raw)
        return EntityDraft(draft.id, draft.types, None, None, instances=tuple(instances))

    def attribute(self, name: str, raw: Any) -> list[Instance]:
        """Instances of one attribute; of one datasetId there may be many."""
        check_name(name, name)
        stored = self.context.stored(name)
        reader = AttributeReader(self.context, Mode.UPDATE)
        if not _is_instances(raw):
            return [_told(reader.instance(stored, raw, name))]
        return [_told(reader.instance(stored, part, f"{name}[{n}]")) for n, part in enumerate(raw)]

    def instance(self, name: str, document: Any) -> Instance:
        """The one instance of a request that modifies one (clause 5.6.14): itself, or as the only
        element of an array under the name of its attribute."""
        raw = document
        if isinstance(raw, dict):
            raw = {key: value for key, value in raw.items() if key != "@context"}
            if len(raw) == 1 and self._is_same(next(iter(raw)), name):
                raw = next(iter(raw.values()))
        if isinstance(raw, list):
            if len(raw) != 1:
                raise bad_request_data(f"{name}: there must be exactly one instance")
            raw = raw[0]
        if not isinstance(raw, dict) or not raw:
            raise bad_request_data(f"{name}: the body must be an instance of the attribute")
        reader = AttributeReader(self.context, Mode.UPDATE)
        return _told(reader.instance(self.context.stored(name), raw, name))

    def _is_core(self, key: str) -> bool:
        plain = self.context.keyword(key) if self.context.has_aliases else key
        return plain in _ENTITY_MEMBERS

    def _is_same(self, key: str, name: str) -> bool:
        is_value = key == "type" or key in BY_VALUE_KEY
        return not is_value and self.context.stored(key) == self.context.stored(name)


def _told(instance: Instance) -> Instance:
    """A deletion in the form in which evolutions tell it (clause 4.5.7)."""
    if instance.kind is Kind.LANGUAGE_PROPERTY and instance.is_null:
        return replace(instance, value={"@none": NGSI_NULL})
    return instance


def _is_instances(raw: Any) -> bool:
    """An array of objects that look like instances; every other array is a value."""
    return isinstance(raw, list) and all(
        isinstance(part, dict) and (names_kind(part) or not BY_VALUE_KEY.keys().isdisjoint(part))
        for part in raw
    )


def _scopes(raw: Any) -> list[Instance]:
    """Scopes as instances: `/a`, an array of such, or Properties with them as values."""
    if not _is_instances(raw) and not isinstance(raw, dict):
        return [_scope(raw)]
    found = []
    for part in raw if isinstance(raw, list) else [raw]:
        instance = AttributeReader(CORE_CONTEXT).instance("scope", part, "scope")
        found.append(_scope(instance.value, instance))
    return found


def _scope(value: Any, instance: Instance | None = None) -> Instance:
    parts = value if isinstance(value, list) else [value]
    scopes = [check_scope(part) for part in parts]
    observed_at = None if instance is None else instance.observed_at
    return Instance("scope", Kind.PROPERTY, scopes, observed_at=observed_at)
