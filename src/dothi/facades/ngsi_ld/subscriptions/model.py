"""A subscription ready to be matched against changes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Flag, auto
from typing import Any

import msgspec
from msgspec import Struct, field

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.grammar.geo import parse_geo
from dothi.facades.ngsi_ld.grammar.scope_test import parse_scope_query
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.facades.ngsi_ld.notifying.endpoint import Document
from dothi.facades.ngsi_ld.subscriptions.condition_text import from_builtins
from dothi.facades.ngsi_ld.subscriptions.naming import is_single_name
from dothi.facades.ngsi_ld.subscriptions.reading import PARSED_Q, VIA, coordinates_text
from dothi.facades.ngsi_ld.wire.negotiation import JSON
from dothi.facades.ngsi_ld.wire.representation import Format
from dothi.facades.ngsi_ld.wire.times import parse_date_time
from dothi.model.condition import Condition, HasType, all_of
from dothi.ports.subscriptions import DeliveryState, SubscriptionRecord

_FORMATS = {
    "normalized": Format.NORMALIZED,
    "concise": Format.CONCISE,
    "simplified": Format.SIMPLIFIED,
    "keyValues": Format.SIMPLIFIED,
}


class Trigger(Flag):
    """What kind of change makes a notification (clause 5.2.12)."""

    ENTITY_CREATED = auto()
    ENTITY_DELETED = auto()
    ATTRIBUTE_CREATED = auto()
    ATTRIBUTE_UPDATED = auto()
    ATTRIBUTE_DELETED = auto()
    ENTITY_UPDATED = ATTRIBUTE_CREATED | ATTRIBUTE_UPDATED | ATTRIBUTE_DELETED


DEFAULT_TRIGGERS = ("attributeCreated", "attributeUpdated")
_TRIGGERS = {
    "entityCreated": Trigger.ENTITY_CREATED,
    "entityUpdated": Trigger.ENTITY_UPDATED,
    "entityDeleted": Trigger.ENTITY_DELETED,
    "attributeCreated": Trigger.ATTRIBUTE_CREATED,
    "attributeUpdated": Trigger.ATTRIBUTE_UPDATED,
    "attributeDeleted": Trigger.ATTRIBUTE_DELETED,
}


class Selector(Struct, frozen=True):
    """Which entities (clause 5.2.33); an id takes precedence over a pattern."""

    types: Condition | None
    """None: every type."""
    ids: frozenset[str] = frozenset()
    id_pattern: str = ""


class Content(Struct, frozen=True):
    """How the entities of a notification are written."""

    format: Format = Format.NORMALIZED
    attributes: frozenset[str] = frozenset()
    pick: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    datasets: frozenset[str] | None = None
    """Only these instances; "" is the default one. None: all."""
    language: str = ""
    join: str = ""
    """flat, inline, or empty."""
    join_level: int = 1
    has_system_attributes: bool = False
    shows_changes: bool = False


class Target(Struct, frozen=True):
    """Where notifications go."""

    uri: str
    accept: str = JSON
    timeout_s: float | None = None
    cooldown_s: float = 0.0
    receiver_info: tuple[tuple[str, str], ...] = ()
    notifier_info: tuple[tuple[str, str], ...] = ()


class Subscription(Struct, frozen=True):
    """A record, understood."""

    record: SubscriptionRecord
    document: Document
    context: LdContext
    """Of its notifications."""
    selectors: tuple[Selector, ...]
    """One of these; empty: every entity."""
    watched: frozenset[str]
    triggers: Trigger
    condition: Condition | None
    scope_test: Callable[[Sequence[str]], bool] | None
    content: Content
    target: Target
    is_active: bool = True
    expires_at: datetime | None = None
    throttling_s: float = 0.0
    interval_s: float = 0.0
    delivery: "DeliveryBox" = field(default_factory=lambda: DeliveryBox())

    @property
    def number(self) -> int:
        return self.record.number

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def via(self) -> str:
        """Brokers through which the request came that made it (6.3.18); empty: from a client."""
        return str(self.document.get(VIA, ""))

    def status(self, now_at: datetime) -> str:
        """active, paused or expired."""
        if self.expires_at is not None and self.expires_at <= now_at:
            return "expired"
        return "active" if self.is_active else "paused"


class DeliveryBox(Struct):
    """The newest delivery state; the table follows a moment later."""

    state: DeliveryState = field(default_factory=DeliveryState)


def understand(
    record: SubscriptionRecord, context: LdContext, box: DeliveryBox | None = None
) -> Subscription:
    """The subscription of a record; `context` is the one for its notifications."""
    document: Document = msgspec.json.decode(record.document)
    conditions = [from_builtins(document[PARSED_Q])] if PARSED_Q in document else []
    if "geoQ" in document:
        conditions.append(_geo(document["geoQ"]))
    named = document.get("notificationTrigger", DEFAULT_TRIGGERS)
    triggers = Trigger(0)
    for name in named:
        triggers |= _TRIGGERS[name]
    expires = document.get("expiresAt")
    scope = document.get("scopeQ")
    return Subscription(
        record,
        document,
        context,
        tuple(_selector(one) for one in document.get("entities", ())),
        frozenset(document.get("watchedAttributes", ())),
        triggers,
        all_of(conditions),
        None if scope is None else parse_scope_query(scope),
        _content(document),
        _target(document["notification"]["endpoint"]),
        document.get("isActive", True),
        None if expires is None else parse_date_time(expires),
        document.get("throttling", 0.0),
        document.get("timeInterval", 0.0),
        box or DeliveryBox(record.delivery),
    )


def _selector(given: dict[str, Any]) -> Selector:
    text, ids = given["type"], given.get("id", ())
    types: Condition | None = None
    if is_single_name(text):
        types = HasType(text)
    elif text != "*":
        types = parse_type_selection(text, lambda name: name)
    chosen = frozenset([ids] if isinstance(ids, str) else ids)
    return Selector(types, chosen, "" if chosen else given.get("idPattern", ""))


def _geo(given: dict[str, Any]) -> Condition:
    attribute = given.get("geoproperty", "location")
    return parse_geo(given["georel"], given["geometry"], coordinates_text(given), attribute)


def _content(document: Document) -> Content:
    given = document["notification"]
    datasets = document.get("datasetId")
    return Content(
        _FORMATS[given.get("format", "normalized")],
        frozenset(given.get("attributes", ())),
        tuple(given.get("pick", ())),
        tuple(given.get("omit", ())),
        None if datasets is None else frozenset("" if d == "@none" else d for d in datasets),
        document.get("lang", ""),
        given.get("join", "").removeprefix("@none"),
        given.get("joinLevel", 1),
        given.get("sysAttrs", False),
        given.get("showChanges", False),
    )


def _target(given: dict[str, Any]) -> Target:
    timeout_ms = given.get("timeout")
    return Target(
        given["uri"],
        given.get("accept", JSON),
        None if timeout_ms is None else timeout_ms / 1000,
        given.get("cooldown", 0.0) / 1000,
        tuple((one["key"], one["value"]) for one in given.get("receiverInfo", ())),
        tuple((one["key"], one["value"]) for one in given.get("notifierInfo", ())),
    )
