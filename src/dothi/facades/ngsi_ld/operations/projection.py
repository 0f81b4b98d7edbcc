"""Which members of an evolution are shown (clauses 4.21, 4.5.5): attrs, pick, omit, datasetId."""

from typing import Any

from msgspec import Struct

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.operations.evolution import SCOPE, Wanted
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.facades.ngsi_ld.wire.parameters import Parameters

PROJECTION_PARAMETERS = frozenset({"attrs", "pick", "omit", "datasetId"})
_CORE = frozenset({"id", "type", SCOPE})
_NOT_ATTRIBUTES = frozenset({"id", "type", "@context", SCOPE})
_SYSTEM = frozenset({"createdAt", "modifiedAt", "deletedAt", "expiresAt", "observedAt"})


class Projection(Struct, frozen=True):
    """Names are stored names."""

    attributes: tuple[str, ...] = ()
    """Of `attrs`: at least one must be there."""
    picked: frozenset[str] = frozenset()
    omitted: frozenset[str] = frozenset()
    datasets: tuple[str, ...] = ()

    @property
    def is_restricted(self) -> bool:
        return bool(self.attributes or self.picked or self.omitted)

    @property
    def explicit(self) -> tuple[str, ...]:
        """Attributes that are asked for by name."""
        return self.attributes or tuple(sorted(self.picked - _NOT_ATTRIBUTES))

    def wanted(self) -> Wanted:
        """The series that have to be fetched."""
        names = self.explicit
        if names and SCOPE in self.picked:
            names = (*names, SCOPE)
        return Wanted(names, self.datasets)

    def shows(self, name: str) -> bool:
        """Whether the member is part of the answer."""
        if self.picked:
            return name in self.picked
        if self.attributes and name not in _NOT_ATTRIBUTES:
            return name in self.attributes
        return name not in self.omitted and not (self.attributes and name == SCOPE)

    def reduced(self, entity: dict[str, Any], context: LdContext) -> dict[str, Any]:
        """The JSON object of an entity without what is not shown."""
        if not self.picked and not self.omitted:
            return entity
        return {
            key: value
            for key, value in entity.items()
            if self.shows(key if key in _NOT_ATTRIBUTES | _SYSTEM else context.stored(key))
        }


def read_projection(parameters: Parameters, context: LdContext) -> Projection:
    """Raises NgsiError BadRequestData."""
    attributes = _names(parameters, "attrs", context)
    picked = frozenset(_members(parameters, "pick", context))
    omitted = frozenset(_members(parameters, "omit", context))
    if attributes and (picked or omitted):
        raise bad_request_data("attrs goes with neither pick nor omit; use pick instead of attrs")
    if picked & omitted:
        raise bad_request_data(f"{min(picked & omitted)} stands both in pick and in omit")
    datasets = parameters.names("datasetId")
    for dataset in datasets:
        if dataset != "@none":
            check_uri(dataset, "parameter datasetId")
    return Projection(
        attributes, picked, omitted, tuple("" if d == "@none" else d for d in datasets)
    )


def is_system(name: str) -> bool:
    """Whether the name is one that every entity has."""
    return name in _SYSTEM or name in _CORE


def _names(parameters: Parameters, name: str, context: LdContext) -> tuple[str, ...]:
    names = parameters.names(name)
    for one in names:
        check_name(one, f"parameter {name}")
    return tuple(context.stored(one) for one in names)


def _members(parameters: Parameters, name: str, context: LdContext) -> tuple[str, ...]:
    text = parameters.text(name)
    if "{" in text or "}" in text:
        raise bad_request_data(f"parameter {name}: linked entities have no place in an evolution")
    members = parameters.names(name)
    for one in members:
        check_name(one, f"parameter {name}")
    return tuple(
        one if one in _NOT_ATTRIBUTES | _SYSTEM else context.stored(one) for one in members
    )
