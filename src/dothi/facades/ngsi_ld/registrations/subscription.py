"""Subscriptions to registrations: what is kept, and its rules (clauses 5.2.12 to 5.2.15, 5.11)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.q import parse_q, pattern_problem
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.facades.ngsi_ld.notifying.endpoint import endpoint
from dothi.facades.ngsi_ld.registrations.geo_query import read_geo_query
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.registrations.members import (
    check_seconds,
    check_text,
)
from dothi.facades.ngsi_ld.registrations.query import (
    RegistrationQuery,
    checked_scope_query,
    time_relation,
)
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.names import check_address, check_name, check_uri
from dothi.facades.ngsi_ld.wire.negotiation import JSON
from dothi.facades.ngsi_ld.wire.times import parse_date_time, parse_utc
from dothi.model.condition import Condition

TYPE = "Subscription"
_KEYWORDS = {"@id": "id", "@type": "type"}
_READ_ONLY = frozenset({"status", "createdAt", "modifiedAt", "@context"})
_COUNTED = ("timesSent", "timesFailed", "lastNotification", "lastSuccess", "lastFailure", "status")
_TEXTS = ("subscriptionName", "description", "scopeQ", "lang", "q", "csf", "jsonldContext")


class RegistrationSubscription(Struct, frozen=True):
    """One subscription, ready to be matched; `document` holds it as it was sent."""

    id: str
    document: dict[str, Any]
    context: LdContext
    """Of its creation: the names of the document."""
    told: LdContext
    """Of its notifications: jsonldContext, else that of its creation."""
    query: RegistrationQuery
    uri: str
    """Of the endpoint."""
    accept: str
    headers: tuple[tuple[str, str], ...]
    """receiverInfo of the endpoint."""
    options: tuple[tuple[str, str], ...]
    """notifierInfo of the endpoint."""
    is_active: bool
    interval_s: float
    """0: notified of changes."""
    expires_at: datetime | None
    timeout_s: float | None

    def is_live(self, now: datetime) -> bool:
        return self.is_active and not self.is_expired(now)

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def subscription_members(document: Any) -> dict[str, Any]:
    """The members of a request; null and NGSI-LD null become NGSI-LD null."""
    if not isinstance(document, dict):
        raise bad_request_data("a subscription must be a JSON object")
    found: dict[str, Any] = {}
    for name, value in document.items():
        plain = _KEYWORDS.get(str(name), str(name))
        if plain not in _READ_ONLY:
            found[plain] = NGSI_NULL if value is None else value
    return found


async def understood(
    found: dict[str, Any], context: LdContext, contexts: Contexts
) -> RegistrationSubscription:
    """As `subscription`, with its jsonldContext. Raises LdContextNotAvailable, too."""
    made = subscription(found, context)
    if "jsonldContext" not in found:
        return made
    return replace(made, told=await contexts.resolve(found["jsonldContext"]))


def subscription(found: dict[str, Any], context: LdContext) -> RegistrationSubscription:
    """The subscription of a whole document. Raises BadRequestData naming the place."""
    if found.get("type") != TYPE:
        raise bad_request_data(f"type must be {TYPE}")
    check_uri(found.get("id"), "id")
    for text in _TEXTS:
        if text in found:
            check_text(found[text], text)
    for number in ("timeInterval", "throttling"):
        if number in found:
            check_seconds(found[number], number)
    if "timeInterval" in found and "throttling" in found:
        raise bad_request_data("timeInterval and throttling exclude each other")
    if "jsonldContext" in found:
        check_address(found["jsonldContext"], "jsonldContext")
    is_active = found.get("isActive", True)
    if not isinstance(is_active, bool):
        raise bad_request_data(f"isActive must be true or false, not {is_active!r}")
    notification = _object(found, "notification")
    target = endpoint(notification.get("endpoint"), "notification.endpoint")
    return RegistrationSubscription(
        found["id"],
        found,
        context,
        context,
        _query(found, notification, context),
        target["uri"],
        target.get("accept", JSON),
        _pairs(target.get("receiverInfo", ())),
        _pairs(target.get("notifierInfo", ())),
        is_active,
        float(found.get("timeInterval", 0)),
        _expiry(found),
        target["timeout"] / 1000 if "timeout" in target else None,
    )


def without_counters(notification: Mapping[str, Any]) -> dict[str, Any]:
    """Notification parameters without what the broker counts itself."""
    return {name: value for name, value in notification.items() if name not in _COUNTED}


def _query(
    found: dict[str, Any], notification: dict[str, Any], context: LdContext
) -> RegistrationQuery:
    """Clause 5.12: attributes count only when both lists are there."""
    watched = _names(found.get("watchedAttributes"), "watchedAttributes", context)
    told = _names(notification.get("attributes"), "notification.attributes", context)
    if "entities" not in found and not watched:
        raise bad_request_data("a subscription needs entities or watchedAttributes")
    geo = found.get("geoQ")
    return RegistrationQuery(
        _wanted(found, context),
        (watched | told) if told else watched,
        None,
        _csf(found, context),
        read_geo_query(_geo_parts(geo), context) if geo is not None else None,
        checked_scope_query(found.get("scopeQ", ""), "scopeQ"),
        _time(found.get("temporalQ")),
    )


def _wanted(found: dict[str, Any], context: LdContext) -> tuple[Wanted, ...]:
    selectors = found.get("entities")
    if selectors is None:
        return (Wanted(),)
    if not isinstance(selectors, list) or not selectors:
        raise bad_request_data("entities must be an array of one element or more")
    return tuple(_selector(s, f"entities[{i}]", context) for i, s in enumerate(selectors))


def _selector(value: Any, where: str, context: LdContext) -> Wanted:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise bad_request_data(f"{where} must be an object with a type")
    ids = value.get("id", [])
    ids = ids if isinstance(ids, list) else [ids]
    for uri in ids:
        check_uri(uri, f"{where}.id")
    pattern = value.get("idPattern", "")
    if pattern:
        check_text(pattern, f"{where}.idPattern")
        if problem := pattern_problem(pattern):
            raise bad_request_data(f"{where}.idPattern is no regular expression: {problem}")
    if value["type"] == "*":
        return Wanted(tuple(ids), pattern)
    try:
        types = parse_type_selection(value["type"], context.stored)
    except GrammarError as error:
        raise bad_request_data(f"{where}.type: {error}") from error
    return Wanted(tuple(ids), "" if ids else pattern, types)


def _csf(found: dict[str, Any], context: LdContext) -> Condition | None:
    """csf is asked of the source; q must be right, but registrations hold no values to ask."""
    parsed: Condition | None = None
    for name in ("q", "csf"):
        text = found.get(name)
        if text is not None:
            try:
                parsed = parse_q(text, context.stored)
            except GrammarError as error:
                raise bad_request_data(f"{name}: {error}") from error
    return parsed if "csf" in found else None


def _geo_parts(geo: Any) -> dict[str, str]:
    if not isinstance(geo, dict):
        raise bad_request_data("geoQ must be an object")
    found = {name: value for name, value in geo.items() if isinstance(value, str)}
    if "coordinates" in geo and "coordinates" not in found:
        found["coordinates"] = msgspec.json.encode(geo["coordinates"]).decode()
    for name in ("geometry", "coordinates", "georel"):
        if name not in found:
            raise bad_request_data(f"geoQ needs {name}")
    return found


def _time(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict) or "timerel" not in value:
        raise bad_request_data("temporalQ must be an object with timerel and timeAt")
    try:
        at = parse_date_time(value.get("timeAt"))
        end = parse_date_time(value["endTimeAt"]) if "endTimeAt" in value else None
    except ValueError as error:
        raise bad_request_data(f"temporalQ: {error}") from error
    return time_relation(value["timerel"], at, end, value.get("timeproperty", "observedAt"))


def _names(value: Any, where: str, context: LdContext) -> frozenset[str]:
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not value:
        raise bad_request_data(f"{where} must be an array of one name or more")
    for name in value:
        check_name(name, where)
    return frozenset(context.stored(name) for name in value)


def _object(found: dict[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    if not isinstance(value, dict):
        raise bad_request_data(f"{name} must be an object")
    return value


def _pairs(info: Iterable[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((pair["key"], pair["value"]) for pair in info)


def _expiry(found: dict[str, Any]) -> datetime | None:
    if "expiresAt" not in found:
        return None
    try:
        return parse_utc(found["expiresAt"])
    except ValueError as error:
        raise bad_request_data(f"expiresAt: {error}") from error
