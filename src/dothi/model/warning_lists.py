"""What the composer of warnings chooses from: dated, sourced data."""

from datetime import date

import msgspec

from dothi.model.cap import Category, Severity, Urgency


class WarnedEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a warning may be about."""

    code: str
    vi: str
    en: str
    categories: tuple[Category, ...]
    has_risk_level: bool = False
    instruction_vi: str = ""
    """What people are to do: stands in first drafts, for the authors to weigh."""
    instruction_en: str = ""


class RiskLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One level of natural-disaster risk."""

    level: int
    colour_vi: str
    colour_en: str
    screen: str
    """#rrggbb of the badge."""
    severity: Severity
    urgency: Urgency | None = None
    """None: the level does not say how soon."""


class RiskLevels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The levels of one legal text."""

    title: str
    legal_source: str
    valid_from: date
    mark: str
    """verified or unverified."""
    mapping_mark: str
    """The same, of the mapping to CAP severity and urgency."""
    level_parameter: str
    """CAP valueName of the level."""
    colour_parameter: str
    levels: tuple[RiskLevel, ...]
    url: str = ""

    def get(self, level: int | None) -> RiskLevel | None:
        return next((one for one in self.levels if one.level == level), None)


class Catalogue(msgspec.Struct, frozen=True):
    """Events and levels."""

    code_name: str
    """CAP valueName of the code of the event."""
    events: tuple[WarnedEvent, ...]
    risk: RiskLevels

    def event(self, code: str) -> WarnedEvent | None:
        return next((one for one in self.events if one.code == code), None)
