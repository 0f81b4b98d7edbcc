"""Notifications that sources send for our subscribers (clause 5.8.6): who gets which of them."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.forward import Forwarder
from dothi.facades.ngsi_ld.distributed.leg_document import is_split
from dothi.facades.ngsi_ld.distributed.legs import Leg, Legs
from dothi.facades.ngsi_ld.distributed.overlay import with_remote
from dothi.facades.ngsi_ld.distributed.reads import everything_of
from dothi.facades.ngsi_ld.distributed.recompact import recompacted
from dothi.facades.ngsi_ld.distributed.remote_entity import notified_entity
from dothi.facades.ngsi_ld.errors import bad_request_data, not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.alias import tenant_alias
from dothi.facades.ngsi_ld.registrations.reading import registration
from dothi.facades.ngsi_ld.subscriptions.changes import AttributeChange, EntityChange, Series
from dothi.facades.ngsi_ld.subscriptions.composing import Composer, Entry
from dothi.facades.ngsi_ld.subscriptions.matcher import Matched, notification_id, selects
from dothi.facades.ngsi_ld.subscriptions.model import Subscription, Trigger
from dothi.facades.ngsi_ld.subscriptions.service import SubscriptionService
from dothi.facades.ngsi_ld.wire.answers import context_value
from dothi.facades.ngsi_ld.wire.negotiation import GEO_JSON, LD_JSON
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.row import Kind
from dothi.ports.entity_query import StoredAttribute, StoredEntity

_MAX_ENTITIES = 1000
Item = dict[str, Any]


class Inbound:
    """Of one hub; event loop only."""

    def __init__(
        self,
        broker: Broker,
        legs: Legs,
        service: SubscriptionService,
        forwarder: Forwarder,
        tenant: str,
    ) -> None:
        self._broker = broker
        self._legs = legs
        self._service = service
        self._forwarder = forwarder
        self._alias = tenant_alias(broker.sources.alias, tenant)

    async def receive(self, body: Any) -> None:
        """Pass a notification on.

        Raises:
            NgsiError: BadRequestData; ResourceNotFound when it is for nobody here.
        """
        if not isinstance(body, dict) or body.get("type") != "Notification":
            raise bad_request_data("the body must be a Notification")
        found = self._legs.find(str(body.get("subscriptionId", "")))
        if found is None:
            raise not_found("there is no subscription that waits for this notification")
        leg, ours = found
        given = _entities(body.get("data"))
        context = await self._spoken(leg, ours)
        if is_split(ours):
            items = await self._assembled(leg, ours, given, context)
        else:
            items = [(str(one.get("id", "")), _shown(one, ours, context)) for one in given]
        if items:
            number = notification_id(ours, leg.id, uuid.uuid4())
            await self._service.relay([Matched(number, ours, tuple(items))])

    async def _spoken(self, leg: Leg, ours: Subscription) -> LdContext:
        """The @context that the source was spoken to with (clause 4.3.6.6)."""
        url = registration(leg.source).info("jsonldContext")
        contexts: Contexts = self._broker.contexts
        return await contexts.resolve(url) if url else ours.context

    async def _assembled(
        self, leg: Leg, ours: Subscription, given: Sequence[Item], spoken: LdContext
    ) -> list[tuple[str, str]]:
        """The notified entities with what all others have of them, where they match as a whole."""
        caller = Caller({}, ours.via, self._alias, ours.context)
        sender = registration(leg.source)
        items = []
        for one in given:
            if "deletedAt" in one:
                items.append((str(one.get("id", "")), _shown(one, ours, spoken)))
                continue
            told, gone = notified_entity(self._dated(one), spoken)
            others = await everything_of(
                self._broker, self._forwarder, caller, told, without=sender.id
            )
            parts = {told.id: [*others.get(told.id, ()), (sender.mode, told)]}
            over = with_remote(self._broker, parts)
            entities: list[StoredEntity] = await over.load([told.id])
            load = over.entities.load
            kept = [entity for entity in entities if selects(ours, entity, load)]
            items += Composer(load).items(ours, [_entry(entity, gone) for entity in kept])
        return items

    def _dated(self, item: Item) -> Item:
        """What does not tell when it was changed has been changed now."""
        now = format_date_time(self._broker.clock.now())
        return {"createdAt": now, "modifiedAt": now, **item}


def _entry(entity: StoredEntity, gone: Mapping[Series, Kind]) -> Entry:
    """The entity with the attributes that one source told as deleted and no other has."""
    present = {(one.name, one.dataset) for one in entity.attributes}
    at = entity.modified_at
    deleted = {
        key: AttributeChange(
            Trigger.ATTRIBUTE_DELETED,
            StoredAttribute(*key, kind, None, None, None, None, None, at, at),
        )
        for key, kind in gone.items()
        if key not in present
    }
    if not deleted:
        return Entry(entity)
    return Entry(entity, EntityChange(entity, "", 0, 0, attributes=deleted), frozenset(deleted))


def _entities(data: Any) -> list[Item]:
    """The elements of `data`, of GeoJSON its features."""
    if isinstance(data, dict):
        data = data.get("features")
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise bad_request_data("data must be an array of entities")
    if len(data) > _MAX_ENTITIES:
        raise bad_request_data(f"data may hold {_MAX_ENTITIES} entities at most")
    return data


def _shown(item: Item, ours: Subscription, spoken: LdContext) -> str:
    """An element as our subscriber wants it; names are already his, or are made so."""
    accept = ours.target.accept
    if accept != GEO_JSON:
        item = recompacted(item, spoken, ours.context)
    if accept == LD_JSON:
        item = {"@context": context_value(ours.context), **item}
    return msgspec.json.encode(item).decode()
