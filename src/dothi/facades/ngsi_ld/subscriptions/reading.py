"""From JSON in a request to the document of a subscription (clauses 5.2.12 to 5.2.15, 5.2.33)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT, LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.geo import parse_geo
from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.scope_test import parse_scope_query
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.facades.ngsi_ld.subscriptions import checks
from dothi.facades.ngsi_ld.subscriptions.checks import Check, array_of, one_of
from dothi.facades.ngsi_ld.subscriptions.condition_text import to_builtins
from dothi.facades.ngsi_ld.subscriptions.naming import is_single_name, with_names
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.negotiation import GEO_JSON, JSON, LD_JSON
from dothi.facades.ngsi_ld.wire.times import parse_date_time

Document = dict[str, Any]
TRIGGERS = (
    "entityCreated",
    "entityUpdated",
    "entityDeleted",
    "attributeCreated",
    "attributeUpdated",
    "attributeDeleted",
)
PARSED_Q = "parsedQ"
"""Member of the kept document with the condition of `q`; never shown."""
VIA = "via"
"""Member of the kept document with the header Via of the request that made it; never shown."""
HIDDEN = frozenset({PARSED_Q, VIA})
_MQTT_VALUES = {"MQTT-QoS": ("0", "1", "2"), "MQTT-Version": ("mqtt3.1.1", "mqtt5.0")}


def read_subscription(raw: Any, context: LdContext, now_at: datetime) -> Document:
    """A whole subscription with stored names. Raises NgsiError BadRequestData."""
    given = _object(raw, "a subscription")
    if given.get("type", given.get("@type")) != "Subscription":
        raise bad_request_data("type must be Subscription")
    found = _checked(given, _MEMBERS, "")
    if "id" in given or "@id" in given:
        found["id"] = checks.uri(given.get("id", given.get("@id")), "id")
    return _finished(found, context, now_at, given)


def read_fragment(raw: Any, old: Document, context: LdContext, now_at: datetime) -> Document:
    """What a PATCH makes of a document (clauses 5.5.8 and 5.8.2). Raises BadRequestData."""
    given = _object(raw, "a fragment of a subscription")
    if given.get("type", "Subscription") != "Subscription":
        raise bad_request_data("type must be Subscription")
    if given.get("id", old["id"]) != old["id"]:
        raise bad_request_data(f"id cannot be changed; it is {old['id']}")
    gone = {name for name, value in given.items() if value == NGSI_NULL}
    changed = {k: v for k, v in given.items() if k not in gone}
    known = with_names({k: v for k, v in old.items() if k not in gone}, context.wire)
    if "q" in given:
        known.pop(PARSED_Q, None)
    notification = changed.get("notification")
    if isinstance(notification, dict) and "endpoint" not in notification:
        # The endpoint is mandatory, so a fragment without it leaves it as it is.
        dropped = {k for k, v in notification.items() if v == NGSI_NULL}
        merged = known.get("notification", {}) | notification
        changed["notification"] = {k: v for k, v in merged.items() if k not in dropped}
    found = _checked(known | changed, _MEMBERS, "")
    if PARSED_Q in known:
        found[PARSED_Q] = known[PARSED_Q]
    found["id"] = old["id"]
    if VIA in old:
        found[VIA] = old[VIA]
    return _finished(found, context, now_at, changed)


def _finished(found: Document, context: LdContext, now_at: datetime, given: Document) -> Document:
    """Rules between members, then stored names."""
    _check_together(found)
    if "expiresAt" in given and parse_date_time(found["expiresAt"]) <= now_at:
        raise bad_request_data(f"expiresAt is {found['expiresAt']}, which is over already")
    if "q" in found and PARSED_Q not in found:
        found[PARSED_Q] = _parsed_q(found["q"], context)
    for index, one in enumerate(found.get("entities", ())):
        if is_single_name(one["type"]):
            checks.name(one["type"], f"entities[{index}].type")
        elif one["type"] != "*":
            _parse(parse_type_selection, one["type"], context, f"entities[{index}].type")
    return with_names(found, context.stored)


def _parsed_q(text: str, context: LdContext) -> Any:
    # Clients do write q as it would stand in a URL.
    return to_builtins(_parse(parse_q, unquote(text), context, "q"))


def _parse(parser: Any, text: str, context: LdContext, where: str) -> Any:
    try:
        return parser(text, context.stored)
    except GrammarError as error:
        raise bad_request_data(f"{where}: {error}") from error


def _object(raw: Any, what: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise bad_request_data(f"{what} must be a JSON object")
    return {key: value for key, value in raw.items() if key != "@context"}


def _checked(given: Mapping[str, Any], members: Mapping[str, Check], where: str) -> Document:
    """The known members, each checked; what nobody knows is passed over (clause 5.5.4)."""
    found: Document = {}
    for name, check in members.items():
        if name in given:
            found[name] = check(given[name], f"{where}{name}")
    return found


def _check_together(found: Document) -> None:
    is_local = found.get("localOnly", False)
    if "notification" not in found:
        raise bad_request_data("the member notification is missing")
    if not ("entities" in found or "watchedAttributes" in found or is_local):
        raise bad_request_data("give at least one of entities and watchedAttributes")
    if "timeInterval" in found:
        for other in ("watchedAttributes", "throttling"):
            if other in found:
                raise bad_request_data(f"timeInterval and {other} exclude each other")
        if "entities" not in found and not is_local:
            raise bad_request_data("timeInterval needs the member entities")


def _selector(raw: Any, where: str) -> Document:
    given = _object(raw, where)
    if "type" not in given:
        raise bad_request_data(f"{where}.type is missing; write * for every type")
    return _checked(given, _SELECTOR, f"{where}.")


def _ids(raw: Any, where: str) -> Any:
    """One URI or an array of them, kept as it was written."""
    array_of(checks.uri, takes_single=True)(raw, where)
    return raw


def _notification(raw: Any, where: str) -> Document:
    given = _object(raw, where)
    if "endpoint" not in given:
        raise bad_request_data(f"{where}.endpoint is missing")
    found = _checked(given, _NOTIFICATION, f"{where}.")
    for member in ("pick", "omit"):
        if member in found and "attributes" in found:
            raise bad_request_data(f"{where}: attributes and {member} exclude each other")
    both = set(found.get("pick", ())) & set(found.get("omit", ()))
    if both:
        raise bad_request_data(f"{where}: {sorted(both)[0]} is in pick and in omit")
    if found.get("showChanges") and found.get("format") in {"keyValues", "simplified"}:
        raise bad_request_data(f"{where}: showChanges needs the format normalized or concise")
    return found


def _endpoint(raw: Any, where: str) -> Document:
    given = _object(raw, where)
    if "uri" not in given:
        raise bad_request_data(f"{where}.uri is missing")
    found = _checked(given, _ENDPOINT, f"{where}.")
    if not found["uri"].startswith("mqtt"):
        return found
    if found.get("accept") == GEO_JSON:
        raise bad_request_data(f"{where}.accept: over MQTT there is {JSON} and {LD_JSON} only")
    for one in found.get("notifierInfo", ()):
        allowed = _MQTT_VALUES.get(one["key"])
        if allowed and one["value"] not in allowed:
            raise bad_request_data(f"{where}.notifierInfo: {one['key']} is one of {allowed}")
    return found


def _endpoint_uri(raw: Any, where: str) -> str:
    checks.uri(raw, where)
    try:
        parts = urlsplit(raw)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise bad_request_data(f"{where}: {raw!r} cannot be read: {error}") from error
    if parts.scheme not in {"http", "https", "mqtt", "mqtts"} or not host:
        raise bad_request_data(f"{where}: {raw!r} must begin with http, https, mqtt or mqtts")
    if parts.scheme.startswith("mqtt") and not parts.path.strip("/"):
        raise bad_request_data(f"{where}: {raw!r} names no topic after the host")
    return str(raw)


def _query(raw: Any, where: str) -> str:
    _parse(parse_q, unquote(checks.word(raw, where)), _SYNTAX_ONLY, where)
    return str(raw)


def _scope_query(raw: Any, where: str) -> str:
    try:
        parse_scope_query(checks.word(raw, where))
    except GrammarError as error:
        raise bad_request_data(f"{where}: {error}") from error
    return str(raw)


def _geo_query(raw: Any, where: str) -> Document:
    given = _object(raw, where)
    missing = [m for m in ("georel", "geometry", "coordinates") if m not in given]
    if missing:
        raise bad_request_data(f"{where} needs also {', '.join(missing)}")
    found = _checked(given, _GEO, f"{where}.")
    try:
        parse_geo(found["georel"], found["geometry"], coordinates_text(found), "location")
    except ValueError as error:
        raise bad_request_data(f"{where}: {error}") from error
    return found


def coordinates_text(geo: Document) -> str:
    """The coordinates of a geoQ as JSON, however they were written."""
    given = geo["coordinates"]
    return given if isinstance(given, str) else msgspec.json.encode(given).decode()


def _coordinates(raw: Any, where: str) -> Any:
    if not isinstance(raw, list | str):
        raise bad_request_data(f"{where} must be an array, or a string that holds one")
    return raw


def _not_here(_raw: Any, where: str) -> Any:
    raise bad_request_data(f"{where} belongs to subscriptions to registrations only")


_SYNTAX_ONLY = CORE_CONTEXT
_SELECTOR: dict[str, Check] = {
    "type": checks.word,
    "id": _ids,
    "idPattern": checks.pattern,
}
_GEO: dict[str, Check] = {
    "georel": checks.word,
    "geometry": checks.word,
    "coordinates": _coordinates,
    "geoproperty": checks.name,
}
_ENDPOINT: dict[str, Check] = {
    "uri": _endpoint_uri,
    "accept": one_of(JSON, LD_JSON, GEO_JSON),
    "cooldown": checks.positive,
    "timeout": checks.positive,
    "receiverInfo": array_of(checks.pair),
    "notifierInfo": array_of(checks.pair),
}
_NOTIFICATION: dict[str, Check] = {
    "attributes": array_of(checks.name),
    "pick": array_of(checks.projection),
    "omit": array_of(checks.projection),
    "format": one_of("normalized", "concise", "simplified", "keyValues"),
    "showChanges": checks.boolean,
    "sysAttrs": checks.boolean,
    "join": one_of("flat", "inline", "@none"),
    "joinLevel": checks.whole_positive,
    "endpoint": _endpoint,
}
_MEMBERS: dict[str, Check] = {
    "subscriptionName": checks.text,
    "description": checks.text,
    "entities": array_of(_selector),
    "watchedAttributes": array_of(checks.name),
    "notificationTrigger": array_of(one_of(*TRIGGERS)),
    "timeInterval": checks.seconds,
    "q": _query,
    "geoQ": _geo_query,
    "csf": _query,
    "scopeQ": _scope_query,
    "isActive": checks.boolean,
    "expiresAt": checks.time,
    "throttling": checks.seconds,
    "temporalQ": _not_here,
    "datasetId": array_of(checks.dataset, takes_single=True),
    "expandValues": checks.word,
    "jsonKeys": checks.word,
    "jsonldContext": checks.web_uri,
    "lang": checks.language,
    "localOnly": checks.boolean,
    "splitEntities": checks.boolean,
    "ngsildConformance": checks.version,
    "notification": _notification,
}
