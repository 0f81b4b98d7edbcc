"""State columns to views."""

from collections.abc import Iterable, Mapping
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from dothi.live.view import EntityView, Value
from dothi.model.source import Origin, Source

STALE_CADENCES = 3
"""A value is stale when its source has missed this many messages."""

PLACED = frozenset({"name", "location"})
"""Attributes that an EntityView shows as name, lon and lat."""

_SERIOUSNESS = (Origin.SIMULATED, Origin.REPLAYED, Origin.MEASURED)


def rfc3339(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Timestamps with a zone as text in UTC, all of the same length."""
    # Without a zone the cast is 25 times as fast; it writes `2026-11-22 08:00:00.000000`.
    spaced = column.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us")).cast(pa.string())
    return pc.binary_join_element_wise(pc.binary_replace_slice(spaced, 10, 11, "T"), "Z", "")


def values_of(attributes: pa.Table, sources: Mapping[str, Source]) -> list[tuple[str, Value]]:
    """(entity, Value) of each row.

    Args:
        attributes: at least ATTRIBUTE_COLUMNS without created_at.
    """
    observed_at: list[str | None] = rfc3339(attributes["observed_at"]).to_pylist()
    senders = attributes["source"].to_pylist()
    rows = zip(
        *(attributes[n].to_pylist() for n in ("entity", "attribute", "dataset", "kind")),
        *(attributes[n].to_pylist() for n in ("number", "text", "body", "unit")),
        observed_at,
        rfc3339(attributes["modified_at"]).to_pylist(),
        attributes["quality"].to_pylist(),
        senders,
        map(partial(_stale_after_s, sources), observed_at, senders),
        strict=True,
    )
    return [(entity, Value(*row)) for entity, *row in rows]


def entity_views(
    entities: pa.Table,
    attributes: pa.Table,
    sources: Mapping[str, Source],
    hidden: frozenset[str] = PLACED,
) -> list[EntityView]:
    """Views in the order of `entities` (ENTITY_COLUMNS), values without the `hidden` attributes."""
    of_entity: dict[str, list[Value]] = {}
    for entity, value in values_of(attributes, sources):
        of_entity.setdefault(entity, []).append(value)
    views = []
    for row in entities.select(["id", "name", "types", "scope", "lon", "lat"]).to_pylist():
        values = of_entity.get(row["id"], [])
        view = EntityView(
            row["id"], row["name"] or "", row["types"] or [], row["scope"] or [],
            row["lon"], row["lat"], "", "", "", [v for v in values if v.attribute not in hidden],
        )  # fmt: skip
        label(view, values, sources)
        views.append(view)
    return views


def label(view: EntityView, values: Iterable[Value], sources: Mapping[str, Source]) -> None:
    """Set the origin: the least real among the sources of the values."""
    found = {sources[v.source] for v in values if v.source and v.source in sources}
    for origin in _SERIOUSNESS:
        of_origin = sorted((s for s in found if s.origin == origin), key=lambda s: s.id)
        if of_origin:
            view.origin = str(origin)
            view.origin_note = of_origin[0].origin_note
            view.origin_note_vi = of_origin[0].origin_note_vi
            return
    view.origin = str(Origin.MEASURED)


def _stale_after_s(
    sources: Mapping[str, Source], observed_at: str | None, source: str | None
) -> float | None:
    """Null for a value without a time of its own, and for a source without a cadence."""
    if observed_at is None or source is None:
        return None
    known = sources.get(source)
    if known is None or known.cadence_s is None:
        return None
    return STALE_CADENCES * known.cadence_s
