"""The temporal evolution of an entity (clauses 4.11, 5.7.3, 6.3.10)."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dothi.facades.ngsi_ld.errors import bad_request_data, not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.model.row import Kind
from dothi.model.series import RawQuery, SeriesKey
from dothi.ports.entity_query import StoredEntity

TIME_PARAMETERS = frozenset({"timerel", "timeAt", "endTimeAt", "timeproperty", "lastN"})
_TIME_COLUMNS = {"observedAt": "observed_at", "modifiedAt": "committed_at"}
_ONE_US = timedelta(microseconds=1)
_MAX_LAST_N = 100_000


@dataclass(frozen=True, slots=True)
class TimeQuery:
    """Which instances: start inclusive, end exclusive, of the named time."""

    start_at: datetime | None = None
    end_at: datetime | None = None
    last_n: int | None = None
    column: str = "observed_at"

    @property
    def is_bounded(self) -> bool:
        return self.start_at is not None or self.end_at is not None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One instance of the past, as the history holds it."""

    number: float | None
    text: str | None
    body: str | None
    unit: str | None
    kind: Kind
    dataset: str
    observed_at: datetime | None
    committed_at: datetime
    instance_id: str


@dataclass(slots=True)
class Evolution:
    """An entity with the rows of its attributes: name -> rows, oldest first."""

    entity: StoredEntity
    rows: dict[str, list[HistoryRow]] = field(default_factory=dict)
    cut_at: datetime | None = None
    """Where a page that could not hold everything ends (its oldest time for lastN)."""


def read_times(parameters: Parameters) -> TimeQuery:
    """The temporal query of the parameters. Raises NgsiError BadRequestData."""
    relation = parameters.text("timerel")
    at, end = parameters.time("timeAt"), parameters.time("endTimeAt")
    name = parameters.text("timeproperty") or "observedAt"
    if name not in _TIME_COLUMNS:
        raise bad_request_data(f"parameter timeproperty must be one of {', '.join(_TIME_COLUMNS)}")
    last_n = parameters.count("lastN", 0, _MAX_LAST_N, lowest=1) or None
    column = _TIME_COLUMNS[name]
    if not relation:
        if at is not None or end is not None:
            raise bad_request_data("timeAt and endTimeAt need the parameter timerel")
        return TimeQuery(None, None, last_n, column)
    if relation not in {"before", "after", "between"}:
        raise bad_request_data(f"timerel must be before, after or between, not {relation!r}")
    if at is None:
        raise bad_request_data(f"timerel={relation} needs the parameter timeAt")
    if (end is not None) != (relation == "between"):
        raise bad_request_data("endTimeAt belongs to timerel=between, and is needed there")
    if end is not None and end <= at:
        raise bad_request_data("endTimeAt must be later than timeAt")
    if relation == "before":
        return TimeQuery(None, at, last_n, column)
    start = at + _ONE_US if relation == "after" else at
    return TimeQuery(start, end, last_n, column)


async def retrieve_evolution(
    broker: Broker, entity_id: str, names: tuple[str, ...], times: TimeQuery
) -> Evolution:
    """The instances of the entity within the times, at most a page of each attribute."""
    return await asyncio.to_thread(_retrieve, broker, entity_id, names, times)


def _retrieve(
    broker: Broker, entity_id: str, names: tuple[str, ...], times: TimeQuery
) -> Evolution:
    found = broker.entities.load([entity_id], names)
    if not found or (names and not found[0].attributes):
        raise not_found(f"there is no entity {entity_id}, or none with these attributes")
    entity = found[0]
    series = tuple(SeriesKey(entity_id, a.name, a.dataset) for a in entity.attributes)
    evolution = Evolution(entity)
    if series:
        _fill(evolution, _rows(broker, series, times), times, broker.settings.temporal_page)
    return evolution


def _rows(
    broker: Broker, series: tuple[SeriesKey, ...], times: TimeQuery
) -> Iterator[tuple[str, HistoryRow]]:
    by_observation = times.column == "observed_at"
    page = broker.settings.temporal_page
    query = RawQuery(
        series,
        times.start_at if by_observation else None,
        times.end_at if by_observation else None,
        last_n=min(times.last_n, page + 1) if times.last_n and by_observation else None,
    )
    for row in broker.history.raw(query).to_pylist():
        found = _history_row(row)
        if _is_wanted(found, times):
            yield row["attribute"], found


def _history_row(row: dict[str, Any]) -> HistoryRow:
    return HistoryRow(
        row["number"],
        row["text"],
        row["body"],
        row["unit"] or None,
        Kind(row["kind"]),
        row["dataset"],
        row["observed_at"],
        row["committed_at"],
        f"urn:ngsi-ld:Instance:{row['lane']}-{row['seq']}",
    )


def _is_wanted(row: HistoryRow, times: TimeQuery) -> bool:
    if row.number is None and row.text is None and row.body is None:
        return False
    at = time_of(row, times)
    if at is None:
        return not times.is_bounded and times.last_n is None
    return (times.start_at is None or at >= times.start_at) and (
        times.end_at is None or at < times.end_at
    )


def time_of(row: HistoryRow, times: TimeQuery) -> datetime | None:
    """The time that the query is about."""
    return row.observed_at if times.column == "observed_at" else row.committed_at


def _fill(
    evolution: Evolution, rows: Iterator[tuple[str, HistoryRow]], times: TimeQuery, page: int
) -> None:
    """Keep what fits on the page, so that every attribute covers the same stretch of time."""
    by_series: dict[tuple[str, str], list[HistoryRow]] = {}
    for name, row in rows:
        by_series.setdefault((name, row.dataset), []).append(row)
    cuts: list[datetime] = []
    for key, series in by_series.items():
        series.sort(key=lambda row: time_of(row, times) or row.committed_at)
        if times.last_n is not None:
            series = series[-times.last_n :]
        kept = series[-page:] if times.last_n is not None else series[:page]
        if len(kept) < len(series):
            edge = kept[0] if times.last_n is not None else kept[-1]
            cuts.append(time_of(edge, times) or edge.committed_at)
        by_series[key] = kept
    if cuts:
        evolution.cut_at = max(cuts) if times.last_n is not None else min(cuts)
    for (name, _), series in by_series.items():
        evolution.rows.setdefault(name, []).extend(_within(series, evolution.cut_at, times))


def _within(
    series: Sequence[HistoryRow], cut_at: datetime | None, times: TimeQuery
) -> list[HistoryRow]:
    if cut_at is None:
        return list(series)
    timed = [(time_of(row, times) or row.committed_at, row) for row in series]
    if times.last_n is not None:
        return [row for at, row in timed if at >= cut_at]
    return [row for at, row in timed if at <= cut_at]
