"""Linked entity retrieval (clause 4.5.23)."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.projection import depth
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.projection import WHOLE, Projection
from dothi.pipeline.matching import objects_of
from dothi.ports.entity_query import Entities, StoredEntity

JOIN_PARAMETERS = frozenset({"join", "joinLevel", "containedBy"})
_MAX_LEVELS = 10
_MAX_LINKED = 10_000
"""Linked entities of one answer; what lies beyond is left as the URIs that lead there."""


class JoinKind(StrEnum):
    NONE = "@none"
    FLAT = "flat"
    INLINE = "inline"


class Join(Struct, frozen=True):
    kind: JoinKind = JoinKind.NONE
    levels: int = 0
    contained_by: frozenset[str] = frozenset()
    """Entities that were met already and are not wanted again."""
    projection: Projection = WHOLE
    """What is shown; relationships that are not shown are not followed."""


def read_join(parameters: Parameters, projection: Projection) -> Join:
    """The wanted links. Raises NgsiError BadRequestData, also for a projection that is deeper."""
    text = parameters.text("join") or JoinKind.NONE
    if text not in JoinKind.__members__.values():
        raise bad_request_data(f"parameter join must be flat, inline or @none, not {text!r}")
    kind = JoinKind(text)
    wanted = parameters.count("joinLevel", 1, _MAX_LEVELS, lowest=1)
    contained = parameters.names("containedBy")
    for uri in contained:
        check_uri(uri, "parameter containedBy")
    levels = 0 if kind is JoinKind.NONE else wanted
    deepest = max(depth(projection.picked or {}), depth(projection.omitted))
    if deepest > levels:
        raise bad_request_data(
            f"pick or omit reaches {deepest} links deep, but join and joinLevel allow {levels}"
        )
    return Join(kind, levels, frozenset(contained), projection)


def follow(
    store: Entities, entities: Sequence[StoredEntity], join: Join
) -> dict[str, StoredEntity]:
    """Linked entities by id, nearest first; one question to the store per level."""
    found: dict[str, StoredEntity] = {}
    met = {*join.contained_by, *(entity.id for entity in entities)}
    level: list[tuple[StoredEntity, Projection]] = [(e, join.projection) for e in entities]
    for _ in range(join.levels):
        wanted: dict[str, Projection] = {}
        for entity, projection in level:
            for uri, below in _links(entity, projection):
                wanted.setdefault(uri, below)
        ids = [uri for uri in wanted if uri not in found and uri not in join.contained_by]
        loaded = store.load(ids[: max(_MAX_LINKED - len(found), 0)])
        for entity in loaded:
            found[entity.id] = entity
        level = [(entity, wanted[entity.id]) for entity in loaded if entity.id not in met]
        met |= {entity.id for entity in loaded}
    return found


def flattened(
    entities: Sequence[StoredEntity], linked: Iterable[StoredEntity], join: Join
) -> list[tuple[StoredEntity, Projection]]:
    """Linking entities, then each linked one once, with what is shown of each."""
    shown = [(entity, join.projection) for entity in entities]
    by_id = {entity.id: entity for entity in linked}
    met = {entity.id for entity in entities}
    level = list(shown)
    for _ in range(join.levels):
        onward: list[tuple[StoredEntity, Projection]] = []
        for entity, projection in level:
            for uri, below in _links(entity, projection):
                if uri in by_id and uri not in met:
                    met.add(uri)
                    onward.append((by_id[uri], below))
        shown += onward
        level = onward
    return shown


def _links(entity: StoredEntity, projection: Projection) -> Iterable[tuple[str, Projection]]:
    for row in entity.attributes:
        if projection is WHOLE or projection.keeps(row.name):
            below = projection.below(row.name)
            for uri in objects_of(row):
                yield uri, below
