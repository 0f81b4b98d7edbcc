"""Which members of an entity are shown (clause 4.21)."""

from collections.abc import Mapping
from typing import Union

from msgspec import Struct, field

Names = Mapping[str, Union["Names", None]]
"""Stored name -> the names below it, for linked entities; None: the whole member."""


class Projection(Struct, frozen=True):
    """Names are stored names, or id, type and scope."""

    picked: Names | None = None
    """None: everything."""
    omitted: Names = field(default_factory=dict)

    def keeps(self, name: str) -> bool:
        if self.picked is not None and name not in self.picked:
            return False
        # `omit=a{b}` takes b from the entity that a leads to, and leaves a itself.
        return name not in self.omitted or self.omitted[name] is not None

    def below(self, name: str) -> "Projection":
        """The projection of the entities that the relationship leads to."""
        if self is WHOLE:
            return WHOLE
        picked = None if self.picked is None else self.picked.get(name)
        omitted: Mapping[str, Names | None] = self.omitted.get(name) or {}
        return Projection(picked, omitted) if picked is not None or omitted else WHOLE

    def attributes(self) -> tuple[str, ...]:
        """Names that may be kept, to load no others; empty: all."""
        if self.picked is None:
            return ()
        # Nothing picked but id, type and scope: a name that no attribute has loads none.
        return tuple(self.picked)


WHOLE = Projection()
