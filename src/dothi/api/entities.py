"""Entities with their current values."""

from datetime import date, timedelta
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.area_view import AreaView, area_view, today
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_query, wrong_parameter
from dothi.live.entity_view import entity_views
from dothi.live.source_view import source_views
from dothi.live.view import EntityView, SourceView
from dothi.model.area import Area
from dothi.model.problem import Problem
from dothi.ports.areas import Areas
from dothi.ports.state import EntityQuery

_GENERATIONS = 8
"""How many earlier maps are looked at; each is the day before a present unit came to be."""


class EntitiesQuery(Struct, forbid_unknown_fields=True):
    """Which entities; every given condition must hold."""

    type: list[str] = []
    text: str = ""
    bbox: str = ""
    source: str = ""
    attribute: list[str] = []
    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class EntityPage(Struct):
    """`next` is the `after` of the next page; null: this is the last."""

    items: list[EntityView]
    next: str | None
    total: int


class EntityDetail(EntityView):
    """An entity with all attributes, where it lies and who sends it."""

    areas: list[AreaView]
    former_areas: list[AreaView]
    sources: list[SourceView]


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about entities."""

    async def find(request: Request) -> Response:
        asked = decode_query(request, EntitiesQuery)
        query = EntityQuery(
            types=tuple(asked.type),
            attributes=tuple(asked.attribute),
            text=asked.text,
            bbox=parse_bbox(asked.bbox),
            source=asked.source,
            after_id=asked.after,
            limit=asked.limit,
        )
        return answer(await deps.in_thread(_page, deps, query))

    async def detail(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await deps.in_thread(_detail, deps, request.path_params["id"]))

    read, tags = Permission.READ, ("entities",)
    return [
        Endpoint(
            "GET", "/api/v1/entities", read, find, "Find entities",
            EntitiesQuery, None, EntityPage, tags,
        ),
        Endpoint(
            "GET", "/api/v1/entities/{id:path}", read, detail,
            "One entity with its values, areas and sources",
            NoQuery, None, EntityDetail, tags,
        ),
    ]  # fmt: skip


def parse_bbox(text: str) -> tuple[float, float, float, float] | None:
    """`west,south,east,north` in degrees."""
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise _bbox_wrong(text) from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _bbox_wrong(text)
    return west, south, east, north


def _bbox_wrong(text: str) -> Problem:
    return wrong_parameter(
        "bbox", f"{text!r} is not west,south,east,north", "e.g. bbox=106.3,10.8,107.0,11.5"
    )


def _page(deps: ApiDeps, query: EntityQuery) -> EntityPage:
    entities = deps.state.entities(query)
    attributes = deps.state.attributes(entities["id"].to_pylist())
    items = entity_views(entities, attributes, {s.id: s for s in deps.sources.all()})
    following = items[-1].id if len(items) == query.limit else None
    return EntityPage(items, following, deps.state.count(replace(query, after_id="")))


def _detail(deps: ApiDeps, entity: str) -> EntityDetail:
    entities = deps.state.entities(EntityQuery(ids=(entity,), limit=1))
    if not entities.num_rows:
        raise Problem(
            "entity_not_found",
            "No such entity",
            f"nothing is known of {entity!r}",
            404,
            remedy="look it up with GET /api/v1/entities?text=...",
        )
    attributes = deps.state.attributes([entity])
    sources = {s.id: s for s in deps.sources.all()}
    (view,) = entity_views(entities, attributes, sources, hidden=frozenset())
    senders = {value.source for value in view.values}
    areas: list[Area] = []
    former: list[Area] = []
    if view.lon is not None and view.lat is not None:
        day = today(deps)
        areas = list(deps.areas.locate(view.lon, view.lat, day))
        former = _former(deps.areas, areas, (view.lon, view.lat), day)
    return EntityDetail(
        **{name: getattr(view, name) for name in EntityView.__struct_fields__},
        areas=[area_view(area) for area in areas],
        former_areas=[area_view(area) for area in former],
        sources=[
            s
            for s in source_views(deps.sources, deps.receipts, deps.clock.now())
            if s.id in senders
        ],
    )


def _former(areas: Areas, present: list[Area], point: tuple[float, float], day: date) -> list[Area]:
    """Units of earlier maps that held the point: looked up on the eve of each change."""
    found: dict[str, Area] = {}
    eves = {area.valid_from - timedelta(days=1) for area in present}
    for _ in range(_GENERATIONS):
        if not eves:
            break
        eve = max(eves)
        eves.discard(eve)
        for area in areas.locate(*point, eve):
            if area.valid_to is not None and area.valid_to <= day and area.id not in found:
                found[area.id] = area
                eves.add(area.valid_from - timedelta(days=1))
    return list(found.values())
