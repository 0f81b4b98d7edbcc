"""Conditions on entities as data: facades make them from their filter languages, stores read them.

Names are stored names (short under the default @context, else IRI). A condition on an attribute
holds when at least one of its instances satisfies it, and never when the attribute is missing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Comparison(StrEnum):
    EQUAL = "=="
    UNEQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="


class Term(str):
    """A stored name: it only meets the values of VocabProperties, which are names too."""

    __slots__ = ()


Scalar = bool | float | str | datetime
"""What a value is compared with; a datetime (aware, UTC) only meets values that are times. A string
meets the value of a VocabProperty when it is an IRI: that is what such a value stands for."""


def meets_terms(wanted: str) -> bool:
    """Whether a string may be equal to the value of a VocabProperty, as that is stored."""
    return isinstance(wanted, Term) or ":" in wanted


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at: an attribute, a sub-attribute of it, or a place inside a compound value.

    `sub` may end in a member that every attribute has: observedAt, createdAt, modifiedAt,
    expiresAt, unitCode, datasetId. `inside` is the way into the value (or the language map); "*" as
    its last step means any member. The attribute names createdAt, modifiedAt and expiresAt mean
    those of the entity.
    """

    attribute: str
    sub: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()


def _note_kinds(test: "Compare | OneOf | Between", *values: Scalar) -> None:
    """Make tests with values of other kinds unequal: Python holds True, 1 and 1.0 for the same, and
    a Term for a string."""
    object.__setattr__(test, "kinds", tuple(map(type, values)))


@dataclass(frozen=True, slots=True)
class Exists:
    target: Target


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing of the entity has the target."""

    target: Target


@dataclass(frozen=True, slots=True)
class Compare:
    target: Target
    comparison: Comparison
    value: Scalar
    kinds: tuple[type, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _note_kinds(self, self.value)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Equal to one of the values; `is_negated`: to none of them."""

    target: Target
    values: tuple[Scalar, ...]
    is_negated: bool = False
    kinds: tuple[type, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _note_kinds(self, *self.values)


@dataclass(frozen=True, slots=True)
class Between:
    """Within low..high, both inclusive; `is_negated`: outside."""

    target: Target
    low: Scalar
    high: Scalar
    is_negated: bool = False
    kinds: tuple[type, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _note_kinds(self, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Matches:
    """Text holds a match of the pattern (RE2 syntax); `is_negated`: holds none."""

    target: Target
    pattern: str
    is_negated: bool = False


class GeoRelation(StrEnum):
    NEAR = "near"
    WITHIN = "within"
    CONTAINS = "contains"
    INTERSECTS = "intersects"
    EQUALS = "equals"
    DISJOINT = "disjoint"
    OVERLAPS = "overlaps"


@dataclass(frozen=True, slots=True)
class Geo:
    """The geometry of a GeoProperty stands in the relation to the given one (WGS 84)."""

    relation: GeoRelation
    geometry: str
    """GeoJSON geometry, longitude first."""
    attribute: str = "location"
    min_distance_m: float | None = None
    """NEAR only: at least this far."""
    max_distance_m: float | None = None
    """NEAR only: at most this far."""


@dataclass(frozen=True, slots=True)
class HasType:
    type: str


@dataclass(frozen=True, slots=True)
class HasId:
    """The id is one of these."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdMatches:
    """The id holds a match of the pattern (RE2 syntax)."""

    pattern: str


@dataclass(frozen=True, slots=True)
class HasScope:
    """One of the scopes is this one; "+" stands for any one level.

    No levels and `has_descendants`: any scope at all.
    """

    levels: tuple[str, ...]
    has_descendants: bool = False
    """Everything below it counts too."""


@dataclass(frozen=True, slots=True)
class Linked:
    """An entity that the relationship leads to satisfies the condition."""

    relationship: str
    types: tuple[str, ...]
    """It has one of these types; empty: any."""
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: "tuple[Condition, ...]"


Condition = (
    Exists
    | Absent
    | Compare
    | OneOf
    | Between
    | Matches
    | Geo
    | HasType
    | HasId
    | IdMatches
    | HasScope
    | Linked
    | AllOf
    | AnyOf
)


def all_of(parts: "list[Condition]") -> "Condition | None":
    """The parts joined by "and"; None when there are none."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def any_of(parts: "list[Condition]") -> "Condition | None":
    """The parts joined by "or"; None when there are none."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))
