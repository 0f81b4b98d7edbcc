"""An attribute instance between the wire and the store, free of both."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from dothi.facades.ngsi_ld.wire.kinds import BY_KIND, NGSI_NULL
from dothi.model.row import Kind


class Instance(msgspec.Struct, frozen=True):
    """One instance of an attribute; all names inside are stored names."""

    name: str
    kind: Kind
    value: Any
    """Property and GeoProperty: JSON value; Relationship: URI or array of URIs; LanguageProperty:
    language map; VocabProperty: stored name or array; JsonProperty: any JSON; ListProperty: array;
    ListRelationship: array of URIs. NGSI_NULL: the instance is to be deleted."""
    dataset: str = ""
    unit: str | None = None
    observed_at: datetime | None = None
    members: dict[str, Any] = {}
    """Sub-attributes (in canonical form, see wire/body.py) and plain members; under `observedAt`
    its text where that is written otherwise than `format_date_time` does (clause 4.6.4)."""

    @property
    def is_null(self) -> bool:
        """Whether the request asks to delete it."""
        return isinstance(self.value, str) and self.value == NGSI_NULL


class Patch(Struct, frozen=True):
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


class EntityDraft(Struct, frozen=True):
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
