"""CAP message -> an entity `Alert` (Smart Data Models, dataModel.Alert).

One entity per chain: an update changes its values, a cancellation deletes it. Every row bears the
time of the message, so that a message that arrives late does not displace a newer one.
"""

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa

from dothi.intake.pull.settings import CapFeed
from dothi.model.cap import Alert, CapArea, Category, Circle, Info, LatLon, Severity
from dothi.model.row import Change, Kind, rows_table

_CORNERS = 32
_KM_PER_DEGREE = 111.2
_CATEGORY = {
    Category.GEO: "naturalDisaster",
    Category.MET: "weather",
    Category.SAFETY: "security",
    Category.SECURITY: "security",
    Category.RESCUE: "security",
    Category.FIRE: "naturalDisaster",
    Category.HEALTH: "health",
    Category.ENV: "environment",
    Category.TRANSPORT: "traffic",
    Category.INFRA: "security",
    Category.CBRNE: "security",
    Category.OTHER: "security",
}
"""To the words of the data model (alert-schema.json, category)."""
_SEVERITY = {
    Severity.EXTREME: "critical",
    Severity.SEVERE: "high",
    Severity.MODERATE: "medium",
    Severity.MINOR: "low",
    Severity.UNKNOWN: "informational",
}


def entity_of(alert: Alert) -> str:
    """URI of the chain: of the earliest message that this one refers to, else of itself."""
    first = min((alert.reference, *alert.references), key=lambda one: one.sent_at)
    digest = hashlib.sha256(f"{first.sender},{first.identifier}".encode()).hexdigest()
    return f"urn:ngsi-ld:Alert:cap-{digest[:24]}"


def info_of(alert: Alert, languages: Sequence[str]) -> Info | None:
    """The block in the first of the languages that is there, else the first block."""
    for wanted in languages:
        for info in alert.infos:
            if (info.language or "en-US").lower().startswith(wanted.lower()):
                return info
    return alert.infos[0] if alert.infos else None


def alert_rows(alert: Alert, entity: str, source: str, settings: CapFeed) -> pa.Table:
    """Rows that make or change the entity, ROW_SCHEMA; none for a message without text."""
    info = info_of(alert, settings.languages)
    if info is None:
        return rows_table({"source": [], "entity": [], "attribute": []})
    sent_at = alert.sent_at.astimezone(UTC)
    texts = {
        "name": info.headline or info.event,
        "description": info.description,
        "instruction": info.instruction,
        "category": _CATEGORY[info.categories[0]] if info.categories else "",
        "subCategory": info.event,
        "severity": _SEVERITY[info.severity],
        "alertSource": alert.sender,
        "dateIssued": _iso(alert.sent_at),
        "validFrom": _iso(info.onset_at or info.effective_at or alert.sent_at),
        "validTo": _iso(info.expires_at),
        "areaName": ", ".join(area.description for area in info.areas),
        "urgency": info.urgency,
        "certainty": info.certainty,
        "capIdentifier": alert.identifier,
    }
    place = _place(info.areas, settings.area_decimals)
    rows: list[dict[str, Any]] = [
        {"attribute": "", "body": _entity_body(alert, settings), "change": Change.UPSERT_ENTITY}
    ]
    rows += [{"attribute": name, "text": text} for name, text in texts.items() if text]
    if place is not None:
        rows.append({"attribute": "location", "body": place, "kind": Kind.GEO_PROPERTY})
    return _table(rows, entity, source, settings.entity_type, sent_at)


def cancel_rows(alert: Alert, entity: str, source: str, settings: CapFeed) -> pa.Table:
    """The one row that takes the entity away; its history stays."""
    rows = [{"attribute": "", "change": Change.DELETE_ENTITY}]
    return _table(rows, entity, source, settings.entity_type, alert.sent_at.astimezone(UTC))


def _table(
    rows: list[dict[str, Any]], entity: str, source: str, entity_type: str, at: datetime
) -> pa.Table:
    def column(name: str, default: Any = None) -> list[Any]:
        return [row.get(name, default) for row in rows]

    is_value = [row["attribute"] != "" for row in rows]
    return rows_table(
        {
            "source": [source] * len(rows),
            "entity": entity,
            "entity_type": entity_type,
            "attribute": column("attribute"),
            "observed_at": [at if one else None for one in is_value],
            "text": column("text"),
            "body": column("body"),
            "kind": [int(kind) for kind in column("kind", Kind.PROPERTY)],
            "change": [int(change) for change in column("change", Change.UPSERT)],
        }
    )


def _entity_body(alert: Alert, settings: CapFeed) -> str:
    body: dict[str, Any] = {"types": [settings.entity_type], "scope": []}
    if alert.expires_at is not None:
        body["expires_at"] = _iso(alert.expires_at)
    return msgspec.json.encode(body).decode()


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(areas: Sequence[CapArea], decimals: int) -> str | None:
    """GeoJSON of everything that is warned, longitude first."""
    rings = [_ring(points, decimals) for area in areas for points in area.polygons]
    rings += [_around(circle, decimals) for area in areas for circle in area.circles]
    rings = [ring for ring in rings if len(ring) >= 4]
    if not rings:
        return None
    if len(rings) == 1:
        return msgspec.json.encode({"type": "Polygon", "coordinates": rings}).decode()
    many = [[ring] for ring in rings]
    return msgspec.json.encode({"type": "MultiPolygon", "coordinates": many}).decode()


def _ring(points: Sequence[LatLon], decimals: int) -> list[list[float]]:
    ring: list[list[float]] = []
    for lat, lon in points:
        corner = [round(lon, decimals), round(lat, decimals)]
        if not ring or ring[-1] != corner:
            ring.append(corner)
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    return ring


def _around(circle: Circle, decimals: int) -> list[list[float]]:
    lat, lon = circle.centre
    high = max(circle.radius_km, 0.05) / _KM_PER_DEGREE
    wide = high / max(0.01, math.cos(math.radians(lat)))
    turns = [2 * math.pi * n / _CORNERS for n in range(_CORNERS)]
    return _ring(
        [(lat + high * math.sin(turn), lon + wide * math.cos(turn)) for turn in turns], decimals
    )
