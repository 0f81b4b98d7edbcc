"""From changes to the notifications that they make (clause 5.8.6)."""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field

from dothi.facades.ngsi_ld.operations.broker import has_types
from dothi.facades.ngsi_ld.subscriptions.changes import EntityChange, changes_of
from dothi.facades.ngsi_ld.subscriptions.composing import Composer, Entry
from dothi.facades.ngsi_ld.subscriptions.index import SubscriptionIndex
from dothi.facades.ngsi_ld.subscriptions.model import Selector, Subscription, Trigger
from dothi.model.row import Change
from dothi.pipeline.matching import Lookup, holds_pattern, matches
from dothi.ports.entity_query import Entities, StoredEntity
from dothi.ports.entity_states import EarlierRows, EntityStates

logger = logging.getLogger(__name__)

_KEPT_TYPES = 200_000
_MAX_ENTITIES = 500
"""So many entities per notification; a batch that changes more makes several."""


class Matched(Struct, frozen=True):
    """One notification to be, with its stable id."""

    id: str
    subscription: Subscription
    items: tuple[tuple[str, str], ...]
    """Entity id and its JSON."""

    @property
    def data(self) -> str:
        return "[" + ",".join(text for _, text in self.items) + "]"


class _Gathered(Struct):
    """What one batch means for one subscription."""

    subscription: Subscription
    entries: list[Entry] = field(default_factory=list)


class Matcher:
    """One thread at a time; blocking."""

    def __init__(
        self, index: SubscriptionIndex, states: EntityStates, earlier: EarlierRows, load: Entities
    ) -> None:
        self._index = index
        self._states = states
        self._earlier = earlier
        self._entities = load
        self._types: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def match(self, rows: pa.Table) -> list[Matched]:
        """The notifications that the rows make, in their order."""
        relevant = self._relevant(rows)
        if not relevant.num_rows:
            return []
        gathered: dict[tuple[int, str], _Gathered] = {}
        for change in changes_of(relevant, self._states, self._earlier):
            self._remember(change.entity)
            for subscription in self._candidates(change):
                shown = _told(subscription, change, self._entities.load)
                if shown is not None:
                    key = (subscription.number, change.batch)
                    found = gathered.setdefault(key, _Gathered(subscription))
                    found.entries.append(Entry(change.entity, change, shown))
        composer = Composer(self._entities.load)
        return [made for one in gathered.values() for made in _composed(one, composer)]

    def _candidates(self, change: EntityChange) -> list[Subscription]:
        names = {name for name, _ in change.attributes}
        found = self._index.candidates(change.entity.id, change.entity.types, names)
        return [one for one in found if change.last_seq > one.record.after_seq]

    def _relevant(self, rows: pa.Table) -> pa.Table:
        """Rows about entities that some subscription may be about."""
        about_entity = pc.is_in(rows["change"], _OF_ENTITIES)
        for uri in pc.unique(rows["entity"].filter(about_entity)).to_pylist():
            self._types.pop(uri, None)
        uris = pc.unique(rows["entity"]).to_pylist()
        kept = [uri for uri in uris if self._may_matter(uri)]
        if len(kept) == len(uris):
            return rows
        return rows.filter(pc.is_in(rows["entity"], pa.array(kept, pa.string())))

    def _may_matter(self, uri: str) -> bool:
        types = self._types.get(uri)
        return types is None or self._index.may_concern(uri, types)

    def _remember(self, entity: StoredEntity) -> None:
        self._types[entity.id] = entity.types
        if len(self._types) > _KEPT_TYPES:
            self._types.popitem(last=False)


_OF_ENTITIES = pa.array([Change.UPSERT_ENTITY, Change.DELETE_ENTITY], pa.uint8())


def _told(
    subscription: Subscription, change: EntityChange, look_up: Lookup
) -> frozenset[tuple[str, str]] | None:
    """As `shown_deletions`, and only when the entity is selected.

    Supervisor boundary: a defect that one subscription brings up must not silence the others.
    """
    try:
        shown = shown_deletions(subscription, change)
        is_told = shown is not None and selects(subscription, change.entity, look_up)
        return shown if is_told else None
    except Exception:
        logger.exception("subscription %s cannot be matched", subscription.id)
        return None


def _composed(gathered: _Gathered, composer: Composer) -> list[Matched]:
    """Its notifications. Supervisor boundary, as `_told`."""
    try:
        return list(_notifications(gathered, composer))
    except Exception:
        logger.exception("a notification of %s cannot be written", gathered.subscription.id)
        return []


def selects(subscription: Subscription, entity: StoredEntity, look_up: Lookup) -> bool:
    """Whether selectors, query, geo-query and scope query hold. `look_up`: linked entities."""
    selectors = subscription.selectors
    if selectors and not any(_is_selected(one, entity) for one in selectors):
        return False
    if subscription.condition is not None and not matches(entity, subscription.condition, look_up):
        return False
    return subscription.scope_test is None or subscription.scope_test(entity.scope)


def _is_selected(selector: Selector, entity: StoredEntity) -> bool:
    if selector.ids and entity.id not in selector.ids:
        return False
    if selector.id_pattern and not holds_pattern(selector.id_pattern, [entity.id]):
        return False
    return selector.types is None or has_types(entity.types, selector.types)


def shown_deletions(
    subscription: Subscription, change: EntityChange
) -> frozenset[tuple[str, str]] | None:
    """None: the change is no trigger; else the deleted attribute instances to be told."""
    triggers, watched = subscription.triggers, subscription.watched
    hits = [
        key
        for key, one in change.attributes.items()
        if one.trigger & triggers and (not watched or key[0] in watched)
    ]
    is_whole = bool(
        (change.is_created and triggers & Trigger.ENTITY_CREATED)
        or (change.deleted_at is not None and triggers & Trigger.ENTITY_DELETED)
    )
    if is_whole and watched:
        is_whole = any(key[0] in watched for key in change.attributes)
    if not hits and not is_whole:
        return None
    gone = {k for k, one in change.attributes.items() if one.trigger is Trigger.ATTRIBUTE_DELETED}
    if change.deleted_at is None or not subscription.content.shows_changes:
        gone &= set(hits)
    return frozenset(gone)


def notification_id(subscription: Subscription, *parts: object) -> str:
    """The same for the same subscription and change, whenever it is made."""
    text = "|".join(map(str, (subscription.id, subscription.record.created_at, *parts)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    groups = (digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])
    return "urn:ngsi-ld:Notification:" + "-".join(groups)


def _notifications(gathered: _Gathered, composer: Composer) -> Iterable[Matched]:
    subscription = gathered.subscription
    for start in range(0, len(gathered.entries), _MAX_ENTITIES):
        part = gathered.entries[start : start + _MAX_ENTITIES]
        first = part[0].change
        assert first is not None  # entries of a match come from changes
        yield Matched(
            notification_id(subscription, first.first_seq, start),
            subscription,
            composer.items(subscription, part),
        )
