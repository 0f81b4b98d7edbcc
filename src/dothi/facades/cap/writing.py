"""Alert -> CAP 1.2 XML, elements in the order of the schema."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from dothi.facades.cap.times import cap_time
from dothi.model.cap import Alert, CapArea, Circle, Info, LatLon, Named, Reference, Resource

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, production 2 (Char), the other way round."""

Lines = Iterator[str]


def write_alert(alert: Alert) -> str:
    """The document. Raises ValueError: a text with a character that XML cannot hold."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<alert xmlns="{NAMESPACE}">',
        *_head(alert),
        *(line for info in alert.infos for line in _info(info)),
        "</alert>",
    ]
    return "\n".join(lines) + "\n"


def has_unwritable(text: str) -> bool:
    """Whether a text holds a character that XML cannot hold."""
    return _NOT_IN_XML.search(text) is not None


def reference_text(reference: Reference) -> str:
    """One member of `references`."""
    return f"{reference.sender},{reference.identifier},{cap_time(reference.sent_at)}"


def polygon_text(points: Sequence[LatLon]) -> str:
    """`lat,lon lat,lon ...`."""
    return " ".join(_pair(point) for point in points)


def circle_text(circle: Circle) -> str:
    """`lat,lon radius`."""
    return f"{_pair(circle.centre)} {_number(circle.radius_km)}"


def _head(alert: Alert) -> Lines:
    yield from _one("identifier", alert.identifier)
    yield from _one("sender", alert.sender)
    yield from _time("sent", alert.sent_at)
    yield from _one("status", alert.status)
    yield from _one("msgType", alert.msg_type)
    yield from _some("source", alert.source)
    yield from _one("scope", alert.scope)
    yield from _some("restriction", alert.restriction)
    yield from _some("addresses", _spaced(alert.addresses))
    yield from _each("code", alert.codes)
    yield from _some("note", alert.note)
    yield from _some("references", " ".join(map(reference_text, alert.references)))
    yield from _some("incidents", _spaced(alert.incidents))


def _info(info: Info) -> Lines:
    yield "<info>"
    yield from _some("language", info.language)
    yield from _each("category", info.categories)
    yield from _one("event", info.event)
    yield from _each("responseType", info.response_types)
    yield from _one("urgency", info.urgency)
    yield from _one("severity", info.severity)
    yield from _one("certainty", info.certainty)
    yield from _some("audience", info.audience)
    yield from _named("eventCode", info.event_codes)
    yield from _time("effective", info.effective_at)
    yield from _time("onset", info.onset_at)
    yield from _time("expires", info.expires_at)
    yield from _some("senderName", info.sender_name)
    yield from _some("headline", info.headline)
    yield from _some("description", info.description)
    yield from _some("instruction", info.instruction)
    yield from _some("web", info.web)
    yield from _some("contact", info.contact)
    yield from _named("parameter", info.parameters)
    yield from (line for resource in info.resources for line in _resource(resource))
    yield from (line for area in info.areas for line in _area(area))
    yield "</info>"


def _resource(resource: Resource) -> Lines:
    yield "<resource>"
    yield from _one("resourceDesc", resource.description)
    yield from _one("mimeType", resource.mime_type)
    yield from _some("size", "" if resource.size_bytes is None else str(resource.size_bytes))
    yield from _some("uri", resource.uri)
    yield from _some("derefUri", resource.deref_uri)
    yield from _some("digest", resource.digest)
    yield "</resource>"


def _area(area: CapArea) -> Lines:
    yield "<area>"
    yield from _one("areaDesc", area.description)
    yield from _each("polygon", [polygon_text(points) for points in area.polygons])
    yield from _each("circle", [circle_text(circle) for circle in area.circles])
    yield from _named("geocode", area.geocodes)
    yield from _some("altitude", _optional(area.altitude_ft))
    yield from _some("ceiling", _optional(area.ceiling_ft))
    yield "</area>"


def _one(name: str, text: str) -> Lines:
    if has_unwritable(text):
        raise ValueError(f"{name}: holds a character that XML cannot hold")
    yield f"<{name}>{escape(text)}</{name}>"


def _some(name: str, text: str) -> Lines:
    if text:
        yield from _one(name, text)


def _each(name: str, texts: Sequence[str]) -> Lines:
    for text in texts:
        yield from _one(name, text)


def _time(name: str, moment: datetime | None) -> Lines:
    if moment is not None:
        yield from _one(name, cap_time(moment))


def _named(name: str, pairs: Sequence[Named]) -> Lines:
    for pair in pairs:
        yield f"<{name}>"
        yield from _one("valueName", pair.name)
        yield from _one("value", pair.value)
        yield f"</{name}>"


def _spaced(texts: Sequence[str]) -> str:
    """Members with blanks stand in quotes (3.2.1, addresses and incidents)."""
    return " ".join(f'"{text}"' if " " in text else text for text in texts)


def _pair(point: LatLon) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _optional(value: float | None) -> str:
    return "" if value is None else _number(value)


def _number(value: float) -> str:
    """Without exponent; seven decimals are a centimetre."""
    text = f"{value:.7f}".rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text
