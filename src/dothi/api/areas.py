"""Administrative and functional areas of any day."""

import gzip
import hashlib
from datetime import date
from time import monotonic
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.area_view import AreaView, area_view, today
from dothi.api.deps import ApiDeps
from dothi.api.query import decode_query

Day = date

_KEPT_S = 300.0
_KEPT_ANSWERS = 8


class AreasQuery(Struct, forbid_unknown_fields=True):
    """On which day (default: today), which level (default: all)."""

    date: Day | None = None
    level: str = ""


class LocateQuery(Struct, forbid_unknown_fields=True):
    """A point and a day."""

    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    date: Day | None = None


class _Feature(Struct, tag_field="type", tag="Feature"):
    id: str
    properties: dict[str, object]
    geometry: msgspec.Raw


class _Collection(Struct, tag_field="type", tag="FeatureCollection"):
    features: list[_Feature]


class _Kept(Struct, frozen=True):
    body: bytes
    etag: str
    until_s: float


class AreaAnswers:
    """GeoJSON of whole maps; the last few are kept packed, they are large and seldom change."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps
        self._kept: dict[tuple[date, str], _Kept] = {}

    async def collection(self, request: Request) -> Response:
        """GET /api/v1/areas."""
        asked = decode_query(request, AreasQuery)
        key = (asked.date or today(self._deps), asked.level)
        kept = self._kept.get(key)
        if kept is None or kept.until_s < monotonic():
            kept = await self._deps.in_thread(self._make, *key)
            self._kept.pop(key, None)
            self._kept[key] = kept
            while len(self._kept) > _KEPT_ANSWERS:
                del self._kept[next(iter(self._kept))]
        headers = {
            "etag": kept.etag,
            "cache-control": "private, max-age=300",
            "vary": "accept-encoding",
        }
        if kept.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers |= {"content-encoding": "gzip"}
            return Response(kept.body, 200, headers, "application/geo+json")
        return Response(gzip.decompress(kept.body), 200, headers, "application/geo+json")

    def _make(self, day: date, level: str) -> _Kept:
        features = [
            _Feature(
                area.id,
                {
                    "id": area.id,
                    "level": area.level,
                    "code": area.code,
                    "name": area.name,
                    "name_en": area.name_en,
                    "valid_from": area.valid_from,
                    "valid_to": area.valid_to,
                    "parent": area.parent,
                    "population": area.population,
                    "area_km2": area.area_km2,
                    "source": area.source,
                    "note": area.note,
                },
                msgspec.Raw(area.geometry.encode()),
            )
            for area in self._deps.areas.valid_on(day, level or None)
        ]
        body = msgspec.json.encode(_Collection(features))
        digest = hashlib.sha256(body).hexdigest()[:32]
        return _Kept(gzip.compress(body, 6), f'"{digest}"', monotonic() + _KEPT_S)


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about areas."""

    async def locate(request: Request) -> Response:
        asked = decode_query(request, LocateQuery)
        day = asked.date or today(deps)
        found = await deps.in_thread(deps.areas.locate, asked.lon, asked.lat, day)
        return answer([area_view(area) for area in found])

    read, tags = Permission.READ, ("areas",)
    return [
        Endpoint(
            "GET", "/api/v1/areas", read, AreaAnswers(deps).collection,
            "Areas of a day as GeoJSON", AreasQuery, None, None, tags,
        ),
        Endpoint(
            "GET", "/api/v1/areas/locate", read, locate,
            "Areas that hold a point on a day, smallest first",
            LocateQuery, None, list[AreaView], tags,
        ),
    ]  # fmt: skip
