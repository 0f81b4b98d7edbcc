"""In which order entities come, as data."""

from enum import StrEnum

from msgspec import Struct

from dothi.model.condition import Target


class Strength(StrEnum):
    """Which differences between texts count (Unicode Collation Algorithm, levels)."""

    LETTERS = "level1"
    ACCENTS = "level2"
    CASE = "level3"
    IDENTICAL = "identic"


class Collation(Struct, frozen=True):
    """How texts are ordered as people expect; the default is language-neutral."""

    language: str = "und"
    strength: Strength = Strength.CASE
    puts_upper_first: bool = False


class OrderTerm(Struct, frozen=True):
    """One key of an order; entities without it come last."""

    target: Target
    """The attribute names id, type and scope mean those of the entity."""
    is_descending: bool = False
    distance_from: str = ""
    """GeoJSON geometry: order by the distance from it in metres; empty: by value."""


class Order(Struct, frozen=True):
    """Keys, the first one first; what they leave equal keeps the order of first storing."""

    terms: tuple[OrderTerm, ...]
    collation: Collation | None = None
    """None: texts are ordered by code points."""
