"""Templates of notices: one TOML file per language, a table per kind of notice."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from dothi.model.problem import Problem

LANGUAGES = ("vi", "en")
OTHER = "other"
"""The template of kinds that have none of their own."""
_SHIPPED = Path(__file__).parent


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of one kind; `{name}` stands for a parameter of the notice."""

    title: str
    """One line: subject of a mail, heading of a push message."""
    text: str
    """A line whose parameters are all missing is left out."""
    short: str
    """For SMS."""
    sample: dict[str, str] = {}
    """Parameters as they may look, for tests and previews."""


Templates = Mapping[str, Mapping[str, Template]]
"""Language -> kind -> template."""


def read_templates(own: Path | None = None) -> Templates:
    """Those that come with dothi; files `vi.toml` and `en.toml` of a folder replace single kinds.

    Raises Problem: a file cannot be read.
    """
    found = {}
    for language in LANGUAGES:
        kinds = _read(_SHIPPED / f"{language}.toml")
        path = own / f"{language}.toml" if own is not None else None
        if path is not None and path.exists():
            kinds |= _read(path)
        found[language] = kinds
    return found


def _read(path: Path) -> dict[str, Template]:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Template])
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            "templates_unusable",
            "Templates of notices cannot be read",
            str(error),
            500,
            where=str(path),
            remedy="each kind is a table with title, text and short; see the guide Notifications",
        ) from error
