"""What the map can show."""

from msgspec import Struct


class Title(Struct, frozen=True):
    """A name in both languages."""

    vi: str
    en: str


class Layer(Struct, frozen=True, kw_only=True):
    """Entities of some types, coloured by one attribute."""

    id: str
    title: Title
    types: list[str]
    attribute: str
    domain: str
    """air, water, rain, weather, ..."""
    unit: str
