"""Reads the lists of events and levels of risk (facades/cap/data, or files of the province)."""

from pathlib import Path
from typing import TypeVar

import msgspec

from dothi.model.warning_lists import Catalogue, RiskLevels, WarnedEvent

T = TypeVar("T")
_DATA = Path(__file__).parent / "data"


class _Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code_name: str
    events: tuple[WarnedEvent, ...]


def read_catalogue(events_file: str = "", risk_levels_file: str = "") -> Catalogue:
    """The files of the settings; empty: those that come with dothi.

    Raises OSError or msgspec.DecodeError: a file is missing, or not what it should be.
    """
    events = _read(events_file or _DATA / "events.toml", _Events)
    risk = _read(risk_levels_file or _DATA / "risk_levels.toml", RiskLevels)
    return Catalogue(events.code_name, events.events, risk)


def _read(path: str | Path, kind: type[T]) -> T:
    return msgspec.toml.decode(Path(path).read_bytes(), type=kind)
