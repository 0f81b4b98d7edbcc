"""An attribute instance between the wire and the store, free of both."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.model.row import Kind


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of an attribute; all names inside are stored names."""

    name: str
    kind: Kind
    value: Any
    """Property and GeoProperty: JSON value; Relationship: URI or array of URIs; LanguageProperty:
    language map; VocabProperty: stored name or array; JsonProperty: any JSON; ListProperty: array;
    ListRelationship: array of URIs. ABSENT in a fragment that leaves the value as it is."""
    dataset: str = ""
    unit: str | None = None
    observed_at: datetime | None = None
    members: dict[str, Any] = field(default_factory=dict)
    """Sub-attributes (in canonical form, see wire/body.py) and plain members."""

    @property
    def is_null(self) -> bool:
        """Whether the request asks to delete it."""
        return bool(self.value == NGSI_NULL) or self.value == {"@none": NGSI_NULL}


class Absent:
    """Type of ABSENT."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class EntityDraft:
    """An entity, or a piece of one, as a request gives it; names are stored names."""

    id: str
    types: tuple[str, ...] = ()
    scope: tuple[str, ...] | None = None
    """None: not mentioned; empty: to be deleted."""
    expires_at: datetime | None = None
    instances: tuple[Instance, ...] = ()
