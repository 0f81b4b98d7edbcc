"""Typst source -> PDF, with the program's own fonts and nothing from the network or the disk."""

from importlib import import_module
from pathlib import Path
from tempfile import gettempdir

FONTS = Path(__file__).parent / "fonts"


def typeset(source: str) -> bytes:
    """A PDF. Raises RuntimeError: the source is not Typst, a fault of ours."""
    # Late: 40 MB that only a report needs. Its stubs want one type for source and paths.
    made: bytes = import_module("typst").compile(
        source.encode(),
        format="pdf",
        root=gettempdir(),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
    )
    return made
