"""The elements of `data` for one subscription, each written once for all that want it alike."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from dothi.facades.ngsi_ld.subscriptions.changes import EntityChange
from dothi.facades.ngsi_ld.subscriptions.linking import inlined, linked_entities
from dothi.facades.ngsi_ld.subscriptions.model import Content, Subscription
from dothi.facades.ngsi_ld.subscriptions.rendering import Rendering
from dothi.facades.ngsi_ld.wire.representation import Format
from dothi.ports.entity_query import StoredEntity

_NO_DELETIONS: frozenset[tuple[str, str]] = frozenset()


class Entry(Struct, frozen=True):
    """An entity to be told of."""

    entity: StoredEntity
    change: EntityChange | None = None
    shown: frozenset[tuple[str, str]] = _NO_DELETIONS
    """Deleted attribute instances to be told of."""


class Composer:
    """Lives as long as one run of changes. Blocking when entities are linked."""

    def __init__(self, load: Callable[[Sequence[str]], list[StoredEntity]]) -> None:
        self._load = load
        self._renderings: dict[tuple[Content, int, str], Rendering] = {}
        self._texts: dict[tuple[int, int, frozenset[tuple[str, str]]], str] = {}

    def items(
        self, subscription: Subscription, entries: Sequence[Entry]
    ) -> tuple[tuple[str, str], ...]:
        """Entity id and JSON of every element; linked entities come after the others."""
        rendering = self._rendering(subscription)
        if not subscription.content.join:
            return tuple((e.entity.id, self._text(rendering, e)) for e in entries)
        return self._joined(subscription, rendering, entries)

    def _rendering(self, subscription: Subscription) -> Rendering:
        key = (subscription.content, id(subscription.context), subscription.target.accept)
        found = self._renderings.get(key)
        if found is None:
            content, context, accept = subscription.content, subscription.context, key[2]
            found = self._renderings[key] = Rendering(content, context, accept)
        return found

    def _text(self, rendering: Rendering, entry: Entry) -> str:
        key = (id(rendering), id(entry.change or entry.entity), entry.shown)
        found = self._texts.get(key)
        if found is None:
            entity = _shown(rendering, entry)
            item = rendering.item(entity, entry.change)
            found = self._texts[key] = _encoded(rendering.finished(item, entity))
        return found

    def _joined(
        self, subscription: Subscription, rendering: Rendering, entries: Sequence[Entry]
    ) -> tuple[tuple[str, str], ...]:
        content = subscription.content
        shown = [_shown(rendering, entry) for entry in entries]
        roots = [
            entity
            for entity, entry in zip(shown, entries, strict=True)
            if entry.change is None or entry.change.deleted_at is None
        ]
        linked = linked_entities(
            [rendering.projected(root) for root in roots], content.join_level, self._load
        )
        by_id = {entity.id: entity for entity in linked}
        output = (
            subscription.context,
            rendering.whole,
            content.format is Format.SIMPLIFIED,
        )
        projection = rendering.projection
        found = []
        for entity, entry in zip(shown, entries, strict=True):
            item = rendering.item(entity, entry.change)
            if content.join == "inline" and (entry.change is None or not entry.change.deleted_at):
                item = inlined(item, entity, by_id, content.join_level, output, projection)
            found.append((entity.id, _encoded(rendering.finished(item, entity))))
        if content.join == "flat":
            found += [
                (one.id, _encoded(rendering.in_media(rendering.whole(one), one))) for one in linked
            ]
        return tuple(found)


def _shown(rendering: Rendering, entry: Entry) -> StoredEntity:
    if entry.change is None:
        return entry.entity
    return rendering.changed(entry.change, entry.shown)


def _encoded(item: dict[str, Any]) -> str:
    return msgspec.json.encode(item).decode()
