"""How evolutions are answered: format, members, partial content (clauses 6.3.10 to 6.3.12)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data, invalid_request
from dothi.facades.ngsi_ld.operations.aggregate import (
    AGGREGATE_PARAMETERS,
    FOLDED_COLUMNS,
    Aggregation,
    aggregate_rows,
    read_aggregation,
)
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.evolution import Evolution, Range, fetch_all
from dothi.facades.ngsi_ld.operations.projection import Projection
from dothi.facades.ngsi_ld.operations.times import TimeQuery
from dothi.facades.ngsi_ld.wire.answers import answer
from dothi.facades.ngsi_ld.wire.names import attribute_name
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.temporal import TemporalFormat, TemporalWriter
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.ports.evolution import EvolutionHead

OUTPUT_PARAMETERS = frozenset({"options", "format", "sysAttrs", "lang"}) | AGGREGATE_PARAMETERS
_FORMATS = {
    "normalized": TemporalFormat.NORMALIZED,
    "concise": TemporalFormat.NORMALIZED,
    "temporalValues": TemporalFormat.VALUES,
    "simplified": TemporalFormat.VALUES,
    "keyValues": TemporalFormat.VALUES,
    "aggregatedValues": TemporalFormat.AGGREGATED,
}
_SYSTEM = "sysAttrs"


class TemporalOutput(Struct, frozen=True):
    """Writes the evolutions of one answer."""

    context: LdContext
    media: str
    times: TimeQuery
    projection: Projection
    format: TemporalFormat
    aggregation: Aggregation | None
    has_system_attributes: bool
    language: str

    def written(self, evolution: Evolution) -> dict[str, Any]:
        """The JSON object of an evolution; empty when nothing of it is shown."""
        rows = {name: rows for name, rows in evolution.rows.items() if self.projection.shows(name)}
        found = self._writer().entity(evolution.head, rows)
        return self.projection.reduced(found, self.context)

    def aggregated(self, broker: Broker, heads: Sequence[EvolutionHead]) -> list[dict[str, Any]]:
        """The JSON objects of aggregated evolutions; blocking."""
        assert self.aggregation is not None
        wanted = self.projection.wanted()
        rows = fetch_all(broker, heads, wanted, self.times, FOLDED_COLUMNS)
        now, writer, found = broker.clock.now(), self._writer(), []
        for head in heads:
            mine = rows if len(heads) == 1 else _of_entity(rows, head.id)
            members = aggregate_rows(
                mine, self.times, self.aggregation, now, self.projection.explicit
            )
            shown = {
                attribute_name(self.context, name): value
                for name, value in members.items()
                if self.projection.shows(name)
            }
            found.append(self.projection.reduced(writer.head(head) | shown, self.context))
        return found

    def response(self, content: Any, covered: Range | None) -> Response:
        response = answer(content, self.media, self.context)
        if covered is not None:
            response.status_code = 206
            size = "*" if covered.size is None else str(covered.size)
            span = f"{format_date_time(covered.start_at)}-{format_date_time(covered.end_at)}"
            response.headers["content-range"] = f"date-time {span}/{size}"
        return response

    def _writer(self) -> TemporalWriter:
        return TemporalWriter(
            self.context,
            self.format,
            self.times.place_of,
            self.has_system_attributes,
            self.language,
        )


def read_output(
    parameters: Parameters,
    context: LdContext,
    media: str,
    times: TimeQuery,
    projection: Projection,
    *,
    default: TemporalFormat = TemporalFormat.NORMALIZED,
) -> TemporalOutput:
    """Raises NgsiError."""
    options = _options(parameters)
    chosen = _format(parameters, options, default)
    language = parameters.text("lang")
    return TemporalOutput(
        context,
        media,
        times,
        projection,
        chosen,
        read_aggregation(parameters) if chosen is TemporalFormat.AGGREGATED else None,
        _SYSTEM in options or parameters.is_true(_SYSTEM),
        language,
    )


def _options(parameters: Parameters) -> frozenset[str]:
    found = frozenset(parameters.names("options"))
    unknown = found - _FORMATS.keys() - {_SYSTEM}
    if unknown:
        raise invalid_request(
            f"parameter options: {', '.join(sorted(unknown))} is not among "
            f"{', '.join([*_FORMATS, _SYSTEM])}"
        )
    return found


def _format(
    parameters: Parameters, options: frozenset[str], default: TemporalFormat
) -> TemporalFormat:
    """`format` wins over `options` (clause 6.3.12)."""
    name = parameters.text("format")
    if name:
        if name not in _FORMATS:
            raise invalid_request(f"parameter format {name!r} is not among {', '.join(_FORMATS)}")
        return _FORMATS[name]
    chosen = {_FORMATS[option] for option in options if option != _SYSTEM}
    if len(chosen) > 1:
        raise bad_request_data("parameter options names two representations")
    return next(iter(chosen), default)


def _of_entity(rows: pa.Table, entity: str) -> pa.Table:
    return rows.filter(pc.equal(rows["entity"], pa.scalar(entity)))


async def aggregated_entities(
    broker: Broker, output: TemporalOutput, heads: Sequence[EvolutionHead]
) -> list[dict[str, Any]]:
    """The same, off the event loop."""
    return await asyncio.to_thread(output.aggregated, broker, heads)
