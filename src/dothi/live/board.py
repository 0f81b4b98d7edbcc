"""The current state of the map in memory, with the number of the change that touched each part.

A delta is not stored anywhere: what a viewer lacks is everything whose number is higher than the
viewer's. So a viewer costs one integer however slow it is, several missed deltas are one delta with
the newest values, and any number of this epoch can be resumed from.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from dothi.live.entity_view import label
from dothi.live.numbering import K, Numbering
from dothi.live.view import Delta, EntityView, Snapshot, SourceView, Value
from dothi.model.source import Source

MAX_GONE = 10_000
"""Removed entities remembered for viewers that lag; a viewer from before takes a snapshot."""


class ValueKey(NamedTuple):
    """What makes a value the same value."""

    entity: str
    attribute: str
    dataset: str


class Board:
    """Not thread-safe: used by one thread at a time.

    A change begins with `begin`, goes through the `put_*` methods and ends with `end`.
    """

    def __init__(self, epoch: str, sources: Mapping[str, Source]) -> None:
        self.epoch = epoch
        self.sources = sources
        self.n = 0
        self.oldest = 0
        """Lowest number that can be resumed from."""
        self._cards: dict[str, EntityView] = {}
        """Entities without their values."""
        self._values: dict[str, dict[tuple[str, str], Value]] = {}
        self._source_views: dict[str, SourceView] = {}
        self._card_n: Numbering[str] = Numbering()
        self._value_n: Numbering[ValueKey] = Numbering()
        self._gone_n: Numbering[str] = Numbering()
        self._source_n: Numbering[str] = Numbering()
        self._has_changed = False

    def __contains__(self, entity: object) -> bool:
        return entity in self._cards

    def begin(self) -> None:
        """What is put from now on carries the next number."""
        self._has_changed = False

    def end(self) -> bool:
        """Whether there is a new number."""
        if self._has_changed:
            self.n += 1
            self.oldest = max(self.oldest, self._gone_n.keep_newest(MAX_GONE))
        return self._has_changed

    def put_entity(self, view: EntityView) -> None:
        """Add or replace an entity with all its values."""
        values = {(v.attribute, v.dataset): v for v in view.values}
        before = self._values.get(view.id)
        card = replace(view, values=[])
        if before is not None and self._cards[view.id] == card and before.keys() <= values.keys():
            for value in values.values():
                self.put_value(view.id, value)
            return
        for attribute, dataset in before or ():
            self._value_n.drop(ValueKey(view.id, attribute, dataset))
        self._cards[view.id] = card
        self._values[view.id] = values
        self._gone_n.drop(view.id)
        self._touch(self._card_n, view.id)

    def put_value(self, entity: str, value: Value) -> None:
        """Set one value of a known entity."""
        values = self._values[entity]
        key = (value.attribute, value.dataset)
        before = values.get(key)
        if before == value:
            return
        values[key] = value
        self._touch(self._value_n, ValueKey(entity, *key))
        if before is None or before.source != value.source:
            card = self._cards[entity]
            relabelled = replace(card)
            label(relabelled, values.values(), self.sources)
            if relabelled != card:
                self._cards[entity] = relabelled
                self._touch(self._card_n, entity)

    def put_newer(self, entity: str, value: Value) -> None:
        """Set a value unless the present one was observed later (times compare as text)."""
        before = self._values[entity].get((value.attribute, value.dataset))
        if before is None or (before.observed_at or "") <= (value.observed_at or ""):
            self.put_value(entity, value)

    def remove_entity(self, entity: str) -> None:
        """Nothing happens when it is not there."""
        if self._cards.pop(entity, None) is None:
            return
        for attribute, dataset in self._values.pop(entity):
            self._value_n.drop(ValueKey(entity, attribute, dataset))
        self._card_n.drop(entity)
        self._touch(self._gone_n, entity)

    def keep_only(self, entities: Iterable[str]) -> None:
        """Remove every other entity."""
        for entity in self._cards.keys() - set(entities):
            self.remove_entity(entity)

    def put_source(self, view: SourceView) -> None:
        if self._source_views.get(view.id) != view:
            self._source_views[view.id] = view
            self._touch(self._source_n, view.id)

    def snapshot(self, at: str) -> Snapshot:
        """Everything."""
        entities = [self._full(entity) for entity in self._cards]
        return Snapshot(self.n, self.epoch, at, entities, list(self._source_views.values()))

    def delta(self, after: int, at: str) -> Delta:
        """What changed after the number `after`, with the newest values only."""
        return Delta(
            n=self.n,
            after=after,
            at=at,
            values=[
                (key.entity, self._values[key.entity][key.attribute, key.dataset])
                for key in self._value_n.after(after)
                if self._card_n.of(key.entity) <= after
            ],
            entities=[self._full(entity) for entity in self._card_n.after(after)],
            gone=self._gone_n.after(after),
            sources=[self._source_views[s] for s in self._source_n.after(after)],
        )

    def _full(self, entity: str) -> EntityView:
        return replace(self._cards[entity], values=list(self._values[entity].values()))

    def _touch(self, numbering: Numbering[K], key: K) -> None:
        numbering.touch(key, self.n + 1)
        self._has_changed = True
