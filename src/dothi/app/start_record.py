"""With which settings the program started, for the audit record."""

from dothi import __version__
from dothi.app.config.load import Loaded
from dothi.app.config.settings import Settings
from dothi.app.config.show import describe
from dothi.app.mode import Mode
from dothi.model.audit import Deed

_MOST_CHARACTERS = 200


def start_of(loaded: Loaded[Settings], mode: Mode) -> Deed:
    """The deed; every setting that is not as it comes stands in it, secrets hidden."""
    changed = {
        key: f"{value[:_MOST_CHARACTERS]} ({origin})"
        for key, value, origin in describe(loaded)
        if origin != "default"
    }
    detail = {"version": __version__, "mode": mode.name, **changed}
    return Deed("program", "program_started", "program", detail)
