"""An attribute instance between the wire and the store, free of both."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dothi.facades.ngsi_ld.wire.kinds import BY_KIND, NGSI_NULL
from dothi.model.row import Kind


@dataclass(slots=True)
class Instance:
    """One instance of an attribute; all names inside are stored names.

    Nobody changes one. It is not frozen because that makes each three times as expensive, and every
    attribute that is read or written becomes one.
    """

    name: str
    kind: Kind
    value: Any
    """Property and GeoProperty: JSON value; Relationship: URI or array of URIs; LanguageProperty:
    language map; VocabProperty: stored name or array; JsonProperty: any JSON; ListProperty: array;
    ListRelationship: array of URIs. NGSI_NULL: the instance is to be deleted."""
    dataset: str = ""
    unit: str | None = None
    observed_at: datetime | None = None
    members: dict[str, Any] = field(default_factory=dict)
    """Sub-attributes (in canonical form, see wire/body.py) and plain members."""

    @property
    def is_null(self) -> bool:
        """Whether the request asks to delete it."""
        return isinstance(self.value, str) and self.value == NGSI_NULL


@dataclass(frozen=True, slots=True)
class Patch:
    """Changes of one attribute instance; NGSI_NULL stands for what is to be deleted."""

    name: str
    dataset: str
    kind: Kind | None
    """None: the request does not tell it, the kind stays."""
    members: dict[str, Any]
    """In canonical form (wire/body.py) without datasetId: the value under its own key, unitCode,
    observedAt, sub-attributes. What is not mentioned stays."""

    @property
    def is_null(self) -> bool:
        """Whether the request asks to delete the whole instance."""
        key = "value" if self.kind is None else BY_KIND[self.kind].value_key
        value = self.members.get(key)
        return isinstance(value, str) and value == NGSI_NULL


@dataclass(frozen=True, slots=True)
class EntityDraft:
    """An entity, or a piece of one, as a request gives it; names are stored names."""

    id: str
    types: tuple[str, ...] = ()
    scope: tuple[str, ...] | None = None
    """None: not mentioned; empty: to be deleted."""
    expires_at: datetime | None = None
    drops_expiry: bool = False
    """The request deletes the time of expiry."""
    instances: tuple[Instance, ...] = ()
    patches: tuple[Patch, ...] = ()
    """Instead of `instances` in a merge."""
