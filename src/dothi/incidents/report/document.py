"""A report as plain blocks, which HTML and Typst set alike."""

from collections.abc import Sequence

from msgspec import Struct


class Heading(Struct, frozen=True):
    text: str


class Paragraph(Struct, frozen=True):
    text: str
    is_mark: bool = False
    """Set off: says what the reader must not overlook (example data, entered by hand)."""


class Facts(Struct, frozen=True):
    """Names and values, one below the other."""

    rows: Sequence[tuple[str, str]]


class Grid(Struct, frozen=True):
    """A table; `shares` are the widths of its columns relative to each other."""

    head: Sequence[str]
    shares: Sequence[float]
    rows: Sequence[Sequence[str]]


Block = Heading | Paragraph | Facts | Grid


class Document(Struct, frozen=True):
    lang: str
    """vi or en."""
    title: str
    subtitle: str
    running: str
    """Head of every page."""
    page: str
    """`Trang {n} / {total}`."""
    blocks: Sequence[Block]
