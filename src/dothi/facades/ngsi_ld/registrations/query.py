"""A query for registrations: which sources may hold what is asked for (clause 5.10.2)."""

from datetime import datetime

from msgspec import Struct

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.scope_test import parse_scope_query
from dothi.facades.ngsi_ld.registrations.data import Registration
from dothi.facades.ngsi_ld.registrations.filters import (
    attributes_of,
    meets_geo,
    meets_scope,
    meets_time,
    satisfies,
)
from dothi.facades.ngsi_ld.registrations.matching import Wanted, matching_information
from dothi.model.condition import Condition, Geo

_TIME_PROPERTIES = ("observedAt", "createdAt", "modifiedAt", "deletedAt")


class RegistrationQuery(Struct, frozen=True):
    """What a query for registrations asks for; every given part must hold."""

    wanted: tuple[Wanted, ...]
    names: frozenset[str] = frozenset()
    """Attributes asked for."""
    q: Condition | None = None
    """Its attributes are asked for too; those that describe the source itself must meet it."""
    csf: Condition | None = None
    geo: Geo | None = None
    scope_q: str = ""
    time: "TimeRelation | None" = None

    def meets(self, registration: Registration) -> bool:
        """Whether the source may hold what is asked for (clause 5.10.2.4)."""
        if not self._meets_time(registration):
            return False
        asked = frozenset(attributes_of(self.q)) if self.q is not None else frozenset()
        described = asked & registration.document.keys()
        if not matching_information(registration, self.wanted, self.names | asked - described):
            return False
        if self.q is not None and described and not satisfies(registration.document, self.q):
            return False
        return (
            (self.csf is None or satisfies(registration.document, self.csf))
            and (self.geo is None or meets_geo(registration.document, self.geo))
            and (not self.scope_q or meets_scope(registration.scopes, self.scope_q))
        )

    def _meets_time(self, registration: Registration) -> bool:
        if self.time is None:
            return not registration.is_temporal
        is_observed = self.time.property == "observedAt"
        interval = registration.observed if is_observed else registration.managed
        return meets_time(interval, self.time.relation, self.time.time_at, self.time.end_at)


class TimeRelation(Struct, frozen=True):
    """A temporal query (clause 4.11)."""

    relation: str
    time_at: datetime
    end_at: datetime | None
    property: str = "observedAt"


def checked_scope_query(text: str, where: str) -> str:
    """The scope query; empty: none. Raises BadRequestData."""
    if text:
        try:
            parse_scope_query(text)
        except GrammarError as error:
            raise bad_request_data(f"{where}: {error}") from error
    return text


def time_relation(
    relation: str, at: datetime | None, end: datetime | None, name: str
) -> TimeRelation | None:
    """The temporal query of these parts. Raises BadRequestData."""
    if name not in _TIME_PROPERTIES:
        raise bad_request_data(f"timeproperty must be one of {', '.join(_TIME_PROPERTIES)}")
    if not relation:
        if at is not None or end is not None:
            raise bad_request_data("timeAt and endTimeAt need timerel")
        return None
    if relation not in ("before", "after", "between"):
        raise bad_request_data(f"timerel must be before, after or between, not {relation!r}")
    if at is None or (relation == "between") != (end is not None):
        raise bad_request_data(f"timerel={relation} needs timeAt, and endTimeAt for between alone")
    return TimeRelation(relation, at, end, name)
