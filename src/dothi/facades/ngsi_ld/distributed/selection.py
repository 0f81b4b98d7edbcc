"""Which sources a request goes to, and how far each is registered for it (4.3.6.1, 5.12)."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.registrations.data import EntityInfo, Information, Mode
from dothi.facades.ngsi_ld.registrations.matching import (
    Wanted,
    ids_within,
    matching_entities,
    matching_information,
    selected_types,
)
from dothi.facades.ngsi_ld.registrations.registry import Entry, Registry


class Share(Struct, frozen=True):
    """One registered group of entities and attributes that a request is about."""

    entry: Entry
    names: frozenset[str]
    """Attributes to ask for; empty: all of them."""
    ids: tuple[str, ...] = ()
    id_pattern: str = ""
    types: tuple[str, ...] = ()
    """Types to ask for; empty: as the request says."""

    @property
    def mode(self) -> Mode:
        return self.entry.registration.mode


def matching(
    registry: Registry,
    wanted: Sequence[Wanted],
    names: frozenset[str] = frozenset(),
    datasets: frozenset[str] = frozenset(),
    *,
    is_temporal: bool = False,
) -> Iterator[tuple[Entry, list[Information]]]:
    """Registrations that match, with the elements that do; those of the past where it counts."""
    for entry in registry:
        made = entry.registration
        if made.is_temporal and not is_temporal:
            continue
        if datasets and made.datasets and datasets.isdisjoint(made.datasets):
            continue
        parts = matching_information(made, wanted, names)
        if parts:
            yield entry, parts


def shares(
    entry: Entry,
    parts: Sequence[Information],
    wanted: Wanted,
    asked_names: Callable[[frozenset[str]], frozenset[str]],
) -> Iterator[Share]:
    """What to ask of one source, each constraint of its registration respected.

    `asked_names` gives the attributes to ask for out of the registered ones.
    """
    for part in parts:
        asked = asked_names(part.names)
        entities = matching_entities(part, wanted)
        for ids, pattern, types in _groups(entities, wanted):
            yield Share(entry, asked, ids, pattern, types)


def _groups(
    entities: Sequence[EntityInfo], wanted: Wanted
) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """ids, pattern and types of one request each; groups without pattern share a request."""
    plain = [entity for entity in entities if not entity.id and not entity.id_pattern]
    if plain:
        yield wanted.ids, wanted.id_pattern, _types(plain, wanted)
        return
    named = [entity for entity in entities if entity.id]
    if named:
        ids = [uri for e in named for uri in (ids_within(e, wanted.ids) if wanted.ids else [e.id])]
        yield tuple(dict.fromkeys(ids)), "", _types(named, wanted)
    for entity in entities:
        if entity.id_pattern and not entity.id:
            ids = list(ids_within(entity, wanted.ids))
            pattern = "" if ids else wanted.id_pattern or entity.id_pattern
            yield tuple(ids), pattern, _types([entity], wanted)


def _types(entities: Sequence[EntityInfo], wanted: Wanted) -> tuple[str, ...]:
    """Registered types among those asked for; empty when the request's own words must do."""
    registered = dict.fromkeys(name for entity in entities for name in entity.types)
    if wanted.types is None:
        return tuple(registered)
    asked = selected_types(wanted.types)
    return tuple(name for name in asked if not registered or name in registered)


def usable(
    found: Sequence[tuple[Entry, list[Information]]], caller: Caller
) -> tuple[list[tuple[Entry, list[Information]]], list[Entry]]:
    """Those that may be asked, and those that the request went through already."""
    if caller.is_loop:
        return [], [entry for entry, _ in found]
    open_ones = [pair for pair in found if not caller.has_seen(pair[0].registration)]
    closed = [entry for entry, _ in found if caller.has_seen(entry.registration)]
    return open_ones, closed
