"""From JSON in a request to the document of a subscription (clauses 5.2.12 to 5.2.15, 5.2.33)."""

from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT, LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.geo import parse_geo
from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.scope_test import parse_scope_query
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.facades.ngsi_ld.notifying import checks
from dothi.facades.ngsi_ld.notifying.checks import Check, array_of, one_of
from dothi.facades.ngsi_ld.notifying.endpoint import Document, as_object, checked, endpoint
from dothi.facades.ngsi_ld.subscriptions.condition_text import to_builtins
from dothi.facades.ngsi_ld.subscriptions.naming import is_single_name, with_names
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.times import parse_date_time

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


def read_subscription(raw: Any, context: LdContext, now_at: datetime) -> Document:
    """A whole subscription with stored names. Raises NgsiError BadRequestData."""
    given = as_object(raw, "a subscription")
    if given.get("type", given.get("@type")) != "Subscription":
        raise bad_request_data("type must be Subscription")
    found = checked(given, _MEMBERS, "")
    if "id" in given or "@id" in given:
        found["id"] = checks.uri(given.get("id", given.get("@id")), "id")
    return _finished(found, context, now_at, given)


def read_fragment(raw: Any, old: Document, context: LdContext, now_at: datetime) -> Document:
    """What a PATCH makes of a document (clauses 5.5.8 and 5.8.2). Raises BadRequestData."""
    given = as_object(raw, "a fragment of a subscription")
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
    found = checked(known | changed, _MEMBERS, "")
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
    given = as_object(raw, where)
    if "type" not in given:
        raise bad_request_data(f"{where}.type is missing; write * for every type")
    return checked(given, _SELECTOR, f"{where}.")


def _ids(raw: Any, where: str) -> Any:
    """One URI or an array of them, kept as it was written."""
    array_of(checks.uri, takes_single=True)(raw, where)
    return raw


def _notification(raw: Any, where: str) -> Document:
    given = as_object(raw, where)
    if "endpoint" not in given:
        raise bad_request_data(f"{where}.endpoint is missing")
    found = checked(given, _NOTIFICATION, f"{where}.")
    for member in ("pick", "omit"):
        if member in found and "attributes" in found:
            raise bad_request_data(f"{where}: attributes and {member} exclude each other")
    both = set(found.get("pick", ())) & set(found.get("omit", ()))
    if both:
        raise bad_request_data(f"{where}: {sorted(both)[0]} is in pick and in omit")
    if found.get("showChanges") and found.get("format") in {"keyValues", "simplified"}:
        raise bad_request_data(f"{where}: showChanges needs the format normalized or concise")
    return found


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
    given = as_object(raw, where)
    missing = [m for m in ("georel", "geometry", "coordinates") if m not in given]
    if missing:
        raise bad_request_data(f"{where} needs also {', '.join(missing)}")
    found = checked(given, _GEO, f"{where}.")
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
_NOTIFICATION: dict[str, Check] = {
    "attributes": array_of(checks.name),
    "pick": array_of(checks.projection),
    "omit": array_of(checks.projection),
    "format": one_of("normalized", "concise", "simplified", "keyValues"),
    "showChanges": checks.boolean,
    "sysAttrs": checks.boolean,
    "join": one_of("flat", "inline", "@none"),
    "joinLevel": checks.whole_positive,
    "endpoint": endpoint,
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
