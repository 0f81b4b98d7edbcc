"""The current state of the map in memory, with the number of the change that touched each part.

A delta is not stored anywhere: what a viewer lacks is everything whose number is higher than the
viewer's. So a viewer costs one integer however slow it is, several missed deltas are one delta with
the newest values, and any number of this epoch can be resumed from.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from dothi.live.alarm_shelf import AlarmShelf
from dothi.live.alarm_view import AlarmView
from dothi.live.entity_view import label
from dothi.live.numbering import K, Numbering
from dothi.live.view import Delta, EntityView, Snapshot, SourceView, Value
from dothi.model.source import Source

MAX_GONE = 10_000
"""Removed entities remembered for viewers that lag; a viewer from before takes a snapshot."""


ValueKey = tuple[str, str, str]
"""Entity, attribute, dataset: what makes a value the same value."""


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
        self.alarms = AlarmShelf()
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
            forgotten = (self._gone_n, self.alarms.closed_n)
            self.oldest = max(self.oldest, *(gone.keep_newest(MAX_GONE) for gone in forgotten))
        return self._has_changed

    def put_entity(self, view: EntityView) -> None:
        """Add or replace an entity with all its values."""
        values = {(v.attribute, v.dataset): v for v in view.values}
        before = self._values.get(view.id)
        card = replace(view, values=[])
        if before is not None and self._cards[view.id] == card and before.keys() <= values.keys():
            self._replace_values(view.id, values)
            return
        for attribute, dataset in before or ():
            self._value_n.drop((view.id, attribute, dataset))
        self._cards[view.id] = card
        self._values[view.id] = values
        self._gone_n.drop(view.id)
        self._touch(self._card_n, view.id)

    def _replace_values(self, entity: str, values: dict[tuple[str, str], Value]) -> None:
        """The state was read again: it is right whatever its times."""
        present = self._values[entity]
        for key, value in values.items():
            if present.get(key) != value:
                present.pop(key, None)
        self.put_values((entity, value) for value in values.values())

    def put_values(self, found: Iterable[tuple[str, Value]]) -> None:
        """Set values of known entities, unless the present one was observed later."""
        touched: list[ValueKey] = []
        resourced: set[str] = set()
        for entity, value in found:
            values = self._values[entity]
            key = (value.attribute, value.dataset)
            before = values.get(key)
            if before is not None:
                # Times compare as text. A live view of thousands of values a second: one look each.
                if (before.observed_at or "") > (value.observed_at or "") or before == value:
                    continue
                if before.source != value.source:
                    resourced.add(entity)
            else:
                resourced.add(entity)
            values[key] = value
            touched.append((entity, *key))
        if touched:
            self._value_n.touch_all(touched, self.n + 1)
            self._has_changed = True
        for entity in resourced:
            self._label_again(entity)

    def _label_again(self, entity: str) -> None:
        card = self._cards[entity]
        relabelled = replace(card)
        label(relabelled, self._values[entity].values(), self.sources)
        if relabelled != card:
            self._cards[entity] = relabelled
            self._touch(self._card_n, entity)

    def remove_entity(self, entity: str) -> None:
        """Nothing happens when it is not there."""
        if self._cards.pop(entity, None) is None:
            return
        for attribute, dataset in self._values.pop(entity):
            self._value_n.drop((entity, attribute, dataset))
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

    def put_alarm(self, view: AlarmView) -> None:
        """Add or replace an alarm; a closed one goes."""
        self._has_changed |= self.alarms.put(view, self.n + 1)

    def keep_alarms(self, most: int) -> None:
        """Of very many alarms keep the most urgent."""
        self._has_changed |= self.alarms.keep(most, self.n + 1)

    def snapshot(self, at: str) -> Snapshot:
        """Everything."""
        entities = [self._full(entity) for entity in self._cards]
        sources = list(self._source_views.values())
        return Snapshot(self.n, self.epoch, at, entities, sources, self.alarms.all())

    def delta(self, after: int, at: str) -> Delta:
        """What changed after the number `after`, with the newest values only."""
        return Delta(
            n=self.n,
            after=after,
            at=at,
            values=[
                (entity, self._values[entity][attribute, dataset])
                for entity, attribute, dataset in self._value_n.after(after)
                if self._card_n.of(entity) <= after
            ],
            entities=[self._full(entity) for entity in self._card_n.after(after)],
            gone=self._gone_n.after(after),
            sources=[self._source_views[s] for s in self._source_n.after(after)],
            alarms=self.alarms.after(after),
            alarms_closed=self.alarms.closed_n.after(after),
        )

    def _full(self, entity: str) -> EntityView:
        return replace(self._cards[entity], values=list(self._values[entity].values()))

    def _touch(self, numbering: Numbering[K], key: K) -> None:
        numbering.touch(key, self.n + 1)
        self._has_changed = True
