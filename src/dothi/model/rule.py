"""Rules as versioned data: what is watched, how urgent it is, and what somebody must do then.

The fields of an alarm rule after ISA-18.2-2016, clause 10 (rationalization): consequence, response,
time to respond and priority are part of it, so that nobody is alarmed without knowing why.
"""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from dothi.model.rule_condition import Condition, NotNegative

RuleId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same text in both languages; an empty one is replaced by the other."""

    vi: str = ""
    en: str = ""

    def best(self) -> str:
        return self.vi or self.en


class Scope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At which entities the rule holds: every list that is not empty must hold one of theirs."""

    types: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    """Area ids, e.g. `ward:25747:2025-07-01`: where the entity's location lies."""
    sources: tuple[str, ...] = ()
    """Only observations that these sources sent."""


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a rule. It does nothing until it is approved."""

    id: RuleId
    version: Annotated[int, Meta(ge=1)] = 1
    name: Words
    scope: Scope
    condition: Condition
    priority: Annotated[int, Meta(ge=1, le=4)]
    """1 highest … 4 low (model/priority.py)."""
    consequence: Words
    """What happens when nobody acts."""
    response: Words
    """What the operator does."""
    time_to_respond_s: Annotated[float, Meta(gt=0)]
    """In which time that must have happened."""
    on_delay_s: NotNegative = 0.0
    """The condition must have been true so long without a break."""
    off_delay_s: NotNegative = 0.0
    """The condition must have been false so long without a break."""
    is_latched: bool = False
    """The alarm stays until somebody resets it."""
    author: str = ""
    note: str = ""
    """What changed, and why."""
    created_at: datetime | None = None
    approved_by: str = ""
    approved_at: datetime | None = None
    """None: a draft."""


class DatedValue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit of one entity (empty: of all), valid from a date on, with where it comes from."""

    level: str
    valid_from: date
    source: str
    """Legal text, with number and date."""
    mark: str
    """verified, unverified, public source, ... as the facts say."""
    entity: str = ""
    value: float | None = None
    """None: the source gives no number; the limit is then undecidable."""
    valid_to: date | None = None
    """Exclusive; None: still."""
    added_by: str = ""
    """Person; empty: it came from a file."""
    added_at: datetime | None = None
    ended_by: str = ""
    """Who gave it its end, where that was done after it was added."""
    ended_at: datetime | None = None
    end_reason: str = ""
    verified_by: str = ""
    """Who has compared it with the legal text, where that was done after it was added."""
    verified_at: datetime | None = None


class LimitTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dated limits under one name; days count in Vietnam (UTC+7)."""

    name: Annotated[str, Meta(min_length=1)]
    title: Words
    unit: str = ""
    values: tuple[DatedValue, ...] = ()
