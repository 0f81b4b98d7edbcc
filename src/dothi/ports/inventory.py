"""What there is: types of entities, and the attributes that their entities have."""

from typing import Protocol

from msgspec import Struct

from dothi.model.row import Kind


class Usage(Struct, frozen=True):
    """An attribute on the entities of one type."""

    type: str
    attribute: str
    kinds: tuple[Kind, ...]
    """In which kinds it occurs."""
    instances: int
    """How many instances there are."""


class Inventory(Protocol):
    """Any thread; blocking. Names are stored names; deleted and expired entities do not count."""

    def types(self) -> list[str]:
        """Types that some entity has, sorted."""
        ...

    def count(self, type_: str) -> int:
        """How many entities have the type."""
        ...

    def usage(self, type_: str = "", attribute: str = "") -> list[Usage]:
        """Every attribute of every type, or of one type, or one attribute; sorted by both."""
        ...

    def instances(self, attribute: str) -> int:
        """How many instances of the attribute there are, each one counted once."""
        ...
