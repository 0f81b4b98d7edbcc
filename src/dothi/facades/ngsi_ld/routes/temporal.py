"""/temporal/entities/{id} (clause 6.19)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.operations.aggregate import (
    AGGREGATE_PARAMETERS,
    aggregate,
    read_methods,
    read_period_s,
)
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entities import retrieve_entity
from dothi.facades.ngsi_ld.operations.query import read_names
from dothi.facades.ngsi_ld.operations.temporal import (
    TIME_PARAMETERS,
    Evolution,
    TimeQuery,
    read_times,
    retrieve_evolution,
    time_of,
)
from dothi.facades.ngsi_ld.routes.guard import Handler, entity_id_of, guarded
from dothi.facades.ngsi_ld.wire.answers import answer
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import request_context
from dothi.facades.ngsi_ld.wire.temporal import TemporalFormat, TemporalWriter
from dothi.facades.ngsi_ld.wire.times import format_date_time

_PARAMETERS = TIME_PARAMETERS | AGGREGATE_PARAMETERS | {"attrs", "options", "format", "local"}
_FORMATS = {
    "normalized": TemporalFormat.NORMALIZED,
    "temporalValues": TemporalFormat.VALUES,
    "simplified": TemporalFormat.VALUES,
    "keyValues": TemporalFormat.VALUES,
    "aggregatedValues": TemporalFormat.AGGREGATED,
}
_OPTIONS = frozenset({*_FORMATS, "sysAttrs"})


def retrieve_handler(broker: Broker) -> Handler:
    async def retrieve(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _PARAMETERS)
        media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        context = await request_context(request, broker.contexts)
        times = read_times(parameters)
        names = read_names(parameters, "attrs", context)
        chosen = _format(parameters)
        if chosen is TemporalFormat.AGGREGATED:
            return await _aggregated(
                broker, entity_id, names, (parameters, times), (context, media)
            )
        evolution = await retrieve_evolution(broker, entity_id, names, times)
        writer = TemporalWriter(context, chosen, "sysAttrs" in parameters.options(_OPTIONS))
        response = answer(writer.entity(evolution.entity, evolution.rows), media, context)
        if evolution.cut_at is not None:
            response.status_code = 206
            response.headers["content-range"] = _content_range(evolution, times)
        return response

    return guarded(retrieve)


async def _aggregated(
    broker: Broker,
    entity_id: str,
    names: tuple[str, ...],
    asked: tuple[Parameters, TimeQuery],
    output: tuple[LdContext, str],
) -> Response:
    parameters, times = asked
    context, media = output
    methods, period_s = read_methods(parameters), read_period_s(parameters)
    entity = await retrieve_entity(broker, entity_id, names, None)
    values = await aggregate(broker, entity, times, methods, period_s)
    writer = TemporalWriter(context, TemporalFormat.AGGREGATED)
    content: dict[str, Any] = writer.head(entity)
    for name, per_method in values.items():
        content[context.wire(name)] = {"type": "Property", **per_method}
    return answer(content, media, context)


def _format(parameters: Parameters) -> TemporalFormat:
    name = parameters.text("format")
    if name and name not in _FORMATS:
        raise bad_request_data(f"parameter format {name!r} is not among {sorted(_FORMATS)}")
    named = {name} if name else parameters.options(_OPTIONS) - {"sysAttrs"}
    chosen = {_FORMATS[one] for one in named}
    if len(chosen) > 1:
        raise bad_request_data("parameter options names two representations")
    return next(iter(chosen), TemporalFormat.NORMALIZED)


def _content_range(evolution: Evolution, times: TimeQuery) -> str:
    """`date-time <start>-<end>/<size>`; with lastN the newest instant comes first."""
    found = [
        at
        for rows in evolution.rows.values()
        for row in rows
        if (at := time_of(row, times)) is not None
    ]
    cut_at = evolution.cut_at
    assert cut_at is not None
    if times.last_n is not None:
        newest = times.end_at or max(found, default=cut_at)
        return f"date-time {format_date_time(newest)}-{format_date_time(cut_at)}/{times.last_n}"
    oldest = times.start_at or min(found, default=cut_at)
    return f"date-time {format_date_time(oldest)}-{format_date_time(cut_at)}/*"
