"""CAP XML -> Alert: versions 1.0, 1.1 and 1.2, of any sender.

Missing optional elements and empty ones mean the same. What the schema requires must be there and
have a value of the standard; anything else of a message (signatures, extensions) is left out.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, TypeVar

from dothi.facades.cap.safe_xml import Node, parse
from dothi.facades.cap.times import read_cap_time
from dothi.model.cap import (
    Alert,
    CapArea,
    CapStatus,
    CapUnreadable,
    Category,
    Certainty,
    Circle,
    Info,
    LatLon,
    MsgType,
    Named,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Severity,
    Urgency,
)

_NAMESPACE = re.compile(
    r"urn:oasis:names:tc:emergency:cap:1\.[12]|http://www\.incident\.com/cap/1\.0"
)
_MEMBER = re.compile(r'"([^"]*)"|(\S+)')
E = TypeVar("E", bound=StrEnum)


def read_alert(document: bytes) -> Alert:
    """One message. Raises CapUnreadable."""
    found = alert_nodes(parse(document))
    if len(found) != 1:
        raise CapUnreadable("alert", f"there are {len(found)} CAP alerts in the document, not one")
    return alert_of(found[0])


def alert_nodes(root: Node) -> list[Node]:
    """Every CAP alert in a document, whatever is around it (Atom, EDXL-DE ...)."""
    return [n for n in root.walk() if n.name == "alert" and _NAMESPACE.fullmatch(n.namespace)]


def alert_of(node: Node) -> Alert:
    """Raises CapUnreadable: names the element."""
    return Alert(
        identifier=_required(node, "identifier", "alert"),
        sender=_required(node, "sender", "alert"),
        sent_at=_time(node, "sent", "alert") or _missing("alert.sent"),
        status=_word(CapStatus, _required(node, "status", "alert"), "alert.status"),
        msg_type=_word(MsgType, _required(node, "msgType", "alert"), "alert.msgType"),
        scope=_word(Scope, node.value("scope") or Scope.PUBLIC, "alert.scope"),
        source=node.value("source"),
        restriction=node.value("restriction"),
        addresses=_members(node.value("addresses")),
        codes=_texts(node, "code"),
        note=node.value("note"),
        references=_references(node.value("references")),
        incidents=_members(node.value("incidents")),
        infos=tuple(_info(child) for child in node.all("info")),
    )


def _info(node: Node) -> Info:
    where = "info"
    return Info(
        language=node.value("language"),
        categories=tuple(
            _word(Category, text, "info.category") for text in _texts(node, "category")
        ),
        event=_required(node, "event", where),
        response_types=tuple(
            _word(ResponseType, text, "info.responseType") for text in _texts(node, "responseType")
        ),
        urgency=_word(Urgency, _required(node, "urgency", where), "info.urgency"),
        severity=_word(Severity, _required(node, "severity", where), "info.severity"),
        certainty=_word(Certainty, _likely(_required(node, "certainty", where)), "info.certainty"),
        audience=node.value("audience"),
        event_codes=_named(node, "eventCode"),
        effective_at=_time(node, "effective", where),
        onset_at=_time(node, "onset", where),
        expires_at=_time(node, "expires", where),
        sender_name=node.value("senderName"),
        headline=node.value("headline"),
        description=node.value("description"),
        instruction=node.value("instruction"),
        web=node.value("web"),
        contact=node.value("contact"),
        parameters=_named(node, "parameter"),
        resources=tuple(_resource(child) for child in node.all("resource")),
        areas=tuple(_area(child) for child in node.all("area")),
    )


def _resource(node: Node) -> Resource:
    size = node.value("size")
    if size and not size.isdecimal():
        raise CapUnreadable("resource.size", f"{size!r} is no number of bytes")
    return Resource(
        description=node.value("resourceDesc"),
        mime_type=node.value("mimeType"),
        size_bytes=int(size) if size else None,
        uri=node.value("uri"),
        deref_uri="".join(node.value("derefUri").split()),
        digest=node.value("digest"),
    )


def _area(node: Node) -> CapArea:
    return CapArea(
        description=node.value("areaDesc"),
        polygons=tuple(_polygon(text) for text in _texts(node, "polygon")),
        circles=tuple(_circle(text) for text in _texts(node, "circle")),
        geocodes=_named(node, "geocode"),
        altitude_ft=_number(node, "altitude"),
        ceiling_ft=_number(node, "ceiling"),
    )


def _polygon(text: str) -> tuple[LatLon, ...]:
    return tuple(_pair(part, "area.polygon") for part in text.split())


def _circle(text: str) -> Circle:
    parts = text.split()
    if len(parts) != 2:
        raise CapUnreadable("area.circle", f"{text[:80]!r} is not `lat,lon radius`")
    return Circle(_pair(parts[0], "area.circle"), _float(parts[1], "area.circle"))


def _pair(text: str, where: str) -> LatLon:
    parts = text.split(",")
    if len(parts) != 2:
        raise CapUnreadable(where, f"{text[:80]!r} is not `lat,lon`")
    return _float(parts[0], where), _float(parts[1], where)


def _float(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise CapUnreadable(where, f"{text[:80]!r} is no number") from error
    if value - value != 0:  # infinite, or not a number
        raise CapUnreadable(where, f"{text[:80]!r} is no finite number")
    return value


def _number(node: Node, name: str) -> float | None:
    text = node.value(name)
    return _float(text, f"area.{name}") if text else None


def _references(text: str) -> tuple[Reference, ...]:
    found = []
    for part in text.split():
        sender, _, rest = part.partition(",")
        identifier, _, sent = rest.rpartition(",")
        try:
            found.append(Reference(sender, identifier, read_cap_time(sent)))
        except ValueError as error:
            raise CapUnreadable(
                "alert.references", f"{part[:120]!r} is not `sender,identifier,sent`"
            ) from error
    return tuple(found)


def _time(node: Node, name: str, where: str) -> datetime | None:
    text = node.value(name)
    try:
        return read_cap_time(text) if text else None
    except ValueError as error:
        raise CapUnreadable(
            f"{where}.{name}", f"{text[:80]!r} is no time with an offset"
        ) from error


def _word(words: type[E], text: str, where: str) -> E:
    try:
        return words(text)
    except ValueError as error:
        raise CapUnreadable(where, f"{text[:80]!r} is none of {', '.join(words)}") from error


def _likely(text: str) -> str:
    """CAP 1.0 had `Very Likely` (CAP 1.2, info.certainty: treat as Likely)."""
    return "Likely" if text == "Very Likely" else text


def _required(node: Node, name: str, where: str) -> str:
    return node.value(name) or _missing(f"{where}.{name}")


def _missing(where: str) -> NoReturn:
    raise CapUnreadable(where, "is missing")


def _texts(node: Node, name: str) -> tuple[str, ...]:
    return tuple(child.text for child in node.all(name) if child.text)


def _named(node: Node, name: str) -> tuple[Named, ...]:
    """CAP 1.0 wrote `name=value`."""
    found = []
    for child in node.all(name):
        if child.children:
            found.append(Named(child.value("valueName"), child.value("value")))
        elif "=" in child.text:
            found.append(Named(*child.text.split("=", 1)))
    return tuple(found)


def _members(text: str) -> tuple[str, ...]:
    return tuple(quoted or plain for quoted, plain in _MEMBER.findall(text) if quoted or plain)
