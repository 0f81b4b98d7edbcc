"""The history of attributes: observations, aggregates, revisions, files."""

from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.export import export
from dothi.api.query import decode_query
from dothi.api.series_query import (
    AggregatesQuery,
    ExportQuery,
    RevisionsQuery,
    SeriesQuery,
    aggregate_query,
    export_query,
    raw_query,
    revisions_query,
)
from dothi.api.series_view import BucketsAnswer, PointsAnswer, buckets_answer, points_answer


class SeriesHandlers:
    """Each asks the history in a worker thread."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps

    async def raw(self, request: Request) -> Response:
        query = raw_query(decode_query(request, SeriesQuery), self._deps.settings)

        def ask() -> Response:
            table = self._deps.history.raw(query)
            return answer(points_answer(table, query.series, query.limit))

        return await self._deps.in_thread(ask)

    async def aggregate(self, request: Request) -> Response:
        query = aggregate_query(decode_query(request, AggregatesQuery), self._deps.settings)

        def ask() -> Response:
            table = self._deps.history.aggregate(query)
            return answer(buckets_answer(table, query.series, query.functions))

        return await self._deps.in_thread(ask)

    async def revisions(self, request: Request) -> Response:
        query = revisions_query(decode_query(request, RevisionsQuery), self._deps.settings)

        def ask() -> Response:
            table = self._deps.history.raw(query)
            return answer(points_answer(table, query.series, query.limit, with_revisions=True))

        return await self._deps.in_thread(ask)

    async def export(self, request: Request) -> Response:
        asked = decode_query(request, ExportQuery)
        query = export_query(asked, self._deps.settings)
        return await export(self._deps, query, asked.format)


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about series."""
    handlers = SeriesHandlers(deps)
    read, tags, root = Permission.READ, ("series",), "/api/v1/series"
    return [
        Endpoint(
            "GET", root, read, handlers.raw,
            "Observations of series", SeriesQuery, None, PointsAnswer, tags,
        ),
        Endpoint(
            "GET", f"{root}/aggregate", read, handlers.aggregate,
            "Observations folded into periods", AggregatesQuery, None, BucketsAnswer, tags,
        ),
        Endpoint(
            "GET", f"{root}/revisions", read, handlers.revisions,
            "Observations with the values they corrected",
            RevisionsQuery, None, PointsAnswer, tags,
        ),
        Endpoint(
            "GET", f"{root}/export", read, handlers.export,
            "Observations or aggregates as a CSV or Parquet file", ExportQuery, None, None, tags,
        ),
    ]  # fmt: skip
