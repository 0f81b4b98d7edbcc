"""The temporal query language (clause 4.11): which instances, by which of their times."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.past import PastInstance

TIME_PARAMETERS = frozenset({"timerel", "timeAt", "endTimeAt", "timeproperty", "lastN"})
_MAX_LAST_N = 100_000


class TimeProperty(StrEnum):
    """Times that an instance may have (clause 4.8)."""

    OBSERVED = "observedAt"
    CREATED = "createdAt"
    MODIFIED = "modifiedAt"
    DELETED = "deletedAt"


_TIME_OF: dict[TimeProperty, Callable[[PastInstance], datetime | None]] = {
    TimeProperty.OBSERVED: lambda row: row.observed_at,
    TimeProperty.CREATED: lambda row: None if row.is_deletion else row.created_at,
    TimeProperty.MODIFIED: lambda row: None if row.is_deletion else row.committed_at,
    TimeProperty.DELETED: lambda row: row.committed_at if row.is_deletion else None,
}


class TimeQuery(Struct, frozen=True):
    """Which instances: start inclusive, end exclusive, of the named time."""

    start_at: datetime | None = None
    end_at: datetime | None = None
    last_n: int | None = None
    by: TimeProperty = TimeProperty.OBSERVED

    @property
    def is_bounded(self) -> bool:
        return self.start_at is not None or self.end_at is not None

    @property
    def wants_all(self) -> bool:
        """Whether instances that have no such time are wanted too."""
        by_default = self.by is TimeProperty.OBSERVED
        return by_default and not self.is_bounded and self.last_n is None

    def time_of(self, row: PastInstance) -> datetime | None:
        """The time that the query is about; None where the instance has none."""
        return _TIME_OF[self.by](row)

    def place_of(self, row: PastInstance) -> datetime:
        """Where the instance stands among the others."""
        return self.time_of(row) or row.committed_at

    def holds(self, row: PastInstance) -> bool:
        at = self.time_of(row)
        if at is None:
            return self.wants_all
        return (self.start_at is None or at >= self.start_at) and (
            self.end_at is None or at < self.end_at
        )


def read_times(parameters: Parameters, *, needs_relation: bool = False) -> TimeQuery:
    """The temporal query of the parameters. Raises NgsiError BadRequestData.

    Args:
        needs_relation: a query over entities has one, retrieving a single entity may do without.
    """
    relation = parameters.text("timerel")
    at, end = parameters.time("timeAt"), parameters.time("endTimeAt")
    name = parameters.text("timeproperty") or TimeProperty.OBSERVED
    if name not in TimeProperty.__members__.values():
        raise bad_request_data(f"parameter timeproperty must be one of {', '.join(TimeProperty)}")
    last_n = parameters.count("lastN", 0, _MAX_LAST_N, lowest=1) or None
    start, end = _span(relation, at, end, needs_relation=needs_relation)
    return TimeQuery(start, end, last_n, TimeProperty(name))


def _span(
    relation: str, at: datetime | None, end: datetime | None, *, needs_relation: bool
) -> tuple[datetime | None, datetime | None]:
    if not relation:
        if at is not None or end is not None:
            raise bad_request_data("timeAt and endTimeAt need the parameter timerel")
        if needs_relation:
            raise bad_request_data("the parameters timerel and timeAt are missing")
        return None, None
    if relation not in {"before", "after", "between"}:
        raise bad_request_data(f"timerel must be before, after or between, not {relation!r}")
    if at is None:
        raise bad_request_data(f"timerel={relation} needs the parameter timeAt")
    if (end is not None) != (relation == "between"):
        raise bad_request_data("endTimeAt belongs to timerel=between, and is needed there")
    if end is not None and end <= at:
        raise bad_request_data("endTimeAt must be later than timeAt")
    return (None, at) if relation == "before" else (at, end)
