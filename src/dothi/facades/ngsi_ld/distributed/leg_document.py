"""The copy of a subscription that goes to a source: reduced to what the source is registered for
(clauses 5.8.1.4 and 4.3.6.1)."""

from collections.abc import Iterable, Sequence
from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.selection import Share, matching, shares
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.registrations.data import Information
from dothi.facades.ngsi_ld.registrations.filters import meets_geo, meets_scope, satisfies
from dothi.facades.ngsi_ld.registrations.geo_query import read_geo_query
from dothi.facades.ngsi_ld.registrations.matching import ANYTHING, Wanted
from dothi.facades.ngsi_ld.registrations.registry import Entry, Registry
from dothi.facades.ngsi_ld.subscriptions.model import Subscription
from dothi.facades.ngsi_ld.subscriptions.naming import rename_tokens, with_names
from dothi.facades.ngsi_ld.subscriptions.reading import coordinates_text
from dothi.facades.ngsi_ld.wire.negotiation import GEO_JSON, JSON

_COPIED = (
    "subscriptionName",
    "notificationTrigger",
    "timeInterval",
    "expiresAt",
    "datasetId",
    "lang",
)
_FILTERS = ("q", "geoQ", "scopeQ", "expandValues", "jsonKeys")
_LOOK = ("pick", "omit", "format", "sysAttrs", "showChanges", "join", "joinLevel")
_CORE = frozenset({"id", "type", "scope"})
Document = dict[str, Any]


def is_split(subscription: Subscription) -> bool:
    """Whether its entities may lie in pieces at several sources (member splitEntities)."""
    return subscription.document.get("splitEntities") is True


def is_local_only(subscription: Subscription) -> bool:
    """Whether nobody else is to be asked (member localOnly)."""
    return subscription.document.get("localOnly") is True


def concerned(
    sources: Registry, subscription: Subscription
) -> list[tuple[Entry, list[Information]]]:
    """Registered sources that may have changes to tell (clause 5.12)."""
    if is_local_only(subscription):
        return []
    found = matching(sources, _wanted(subscription), _asked_names(subscription))
    return [
        pair
        for pair in found
        if pair[0].registration.supports("createSubscription") and _may_tell(pair[0], subscription)
    ]


def reduced(
    subscription: Subscription, entry: Entry, parts: Sequence[Information], to: LdContext
) -> Document:
    """The copy for one source, with names of `to`, without id and endpoint."""
    named = with_names(subscription.document, to.wire)
    found: Document = {name: named[name] for name in _COPIED if name in named}
    found["entities"] = _entities(subscription, entry, parts, to)
    names = _names(parts)
    watched = subscription.watched & names if names and subscription.watched else names
    watched = watched or subscription.watched
    if watched and "timeInterval" not in found:
        found["watchedAttributes"] = sorted(to.wire(name) for name in watched)
    if entry.registration.management.is_local_only:
        found["localOnly"] = True
    if is_split(subscription):
        return found | {"splitEntities": True, "notification": {"sysAttrs": True}}
    found |= {name: named[name] for name in _FILTERS if name in named}
    given = named["notification"]
    notification = {name: given[name] for name in _LOOK if name in given}
    shown = subscription.content.attributes
    shown = (shown & names or shown) if names and shown else shown or names
    if "pick" in notification:
        notification["pick"] = _picked(notification["pick"], names, to)
    elif shown and "omit" not in notification:
        notification["attributes"] = sorted(to.wire(name) for name in shown)
    return found | {"notification": notification}


def media_of(subscription: Subscription) -> str:
    """What the source is asked to send."""
    is_geo = subscription.target.accept == GEO_JSON and not is_split(subscription)
    return GEO_JSON if is_geo else JSON


def _wanted(subscription: Subscription) -> list[Wanted]:
    return [
        Wanted(tuple(sorted(one.ids)), one.id_pattern, one.types) for one in subscription.selectors
    ] or [ANYTHING]


def _asked_names(subscription: Subscription) -> frozenset[str]:
    if is_split(subscription):
        return subscription.watched
    return subscription.watched or subscription.content.attributes


def _may_tell(entry: Entry, subscription: Subscription) -> bool:
    """By what the registration says of the source itself: csf, place, scopes."""
    registration, document = entry.registration, subscription.document
    if "csf" in document:
        try:
            condition = parse_q(document["csf"], subscription.context.stored)
        except GrammarError:
            return False
        if not satisfies(registration.document, condition):
            return False
    if is_split(subscription):
        return True
    if registration.scopes and "scopeQ" in document:
        return meets_scope(registration.scopes, document["scopeQ"])
    given = document.get("geoQ")
    place = given.get("geoproperty", "location") if given else ""
    if not given or place not in registration.document:
        return True
    try:
        texts = {**given, "coordinates": coordinates_text(given)}
        geo = read_geo_query(texts, subscription.context)
    except NgsiError:
        return True
    return geo is None or meets_geo(registration.document, geo)


def _entities(
    subscription: Subscription, entry: Entry, parts: Sequence[Information], to: LdContext
) -> list[Document]:
    """Selectors of what both are about, each once."""
    found: list[Document] = []
    given = subscription.document.get("entities", [{"type": "*"}])
    for wanted, one in zip(_wanted(subscription), given, strict=True):
        for share in shares(entry, parts, wanted, lambda names: names):
            selector = _selector(share, rename_tokens(one["type"], to.wire), to)
            found += [] if selector in found else [selector]
    return found


def _selector(share: Share, type_text: str, to: LdContext) -> Document:
    types = ",".join(to.wire(name) for name in share.types)
    found: Document = {"type": types or type_text}
    if share.ids:
        found["id"] = share.ids[0] if len(share.ids) == 1 else list(share.ids)
    elif share.id_pattern:
        found["idPattern"] = share.id_pattern
    return found


def _names(parts: Iterable[Information]) -> frozenset[str]:
    """Attributes that the source is registered for; empty: all."""
    named = [part.names for part in parts]
    return frozenset() if not all(named) else frozenset().union(*named)


def _picked(pick: Sequence[str], names: frozenset[str], to: LdContext) -> list[str]:
    if not names:
        return list(pick)
    wires = {to.wire(name) for name in names} | _CORE
    return [one for one in pick if one.partition("{")[0] in wires] or ["id", "type"]
