"""A report as plain blocks, which HTML and Typst set alike."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    is_mark: bool = False
    """Set off: says what the reader must not overlook (example data, entered by hand)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one below the other."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; `shares` are the widths of its columns relative to each other."""

    head: Sequence[str]
    shares: Sequence[float]
    rows: Sequence[Sequence[str]]


Block = Heading | Paragraph | Facts | Grid


@dataclass(frozen=True, slots=True)
class Document:
    lang: str
    """vi or en."""
    title: str
    subtitle: str
    running: str
    """Head of every page."""
    page: str
    """`Trang {n} / {total}`."""
    blocks: Sequence[Block]
