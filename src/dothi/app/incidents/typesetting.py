"""Typst source -> PDF, with the program's own fonts and nothing from the network or the disk."""

from functools import cache
from pathlib import Path
from tempfile import gettempdir

FONTS = Path(__file__).parent / "fonts"


def typeset(source: str) -> bytes:
    """A PDF. Raises RuntimeError: the source is not Typst, a fault of ours."""
    compiler = _typst()
    made: bytes = compiler.compile(
        source.encode(),
        format="pdf",
        root=gettempdir(),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
    )
    return made


@cache
def _typst():  # type: ignore[no-untyped-def]
    """Imported late: 40 MB that only a report needs."""
    import typst

    return typst
