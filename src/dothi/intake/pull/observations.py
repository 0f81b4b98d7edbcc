"""Columns of decoded answers to rows and rejections; what all decoders share."""

from collections.abc import Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.intake.text_columns import iso_times
from dothi.model.batch import Rejection
from dothi.model.quality import Quality
from dothi.model.row import TIMESTAMP, Kind, rows_table

DESCRIBED_PER_REASON = 20


class Series(Struct, frozen=True):
    """Where decoded values belong."""

    source: str
    entity: str
    entity_type: str
    attribute: str
    unit: str | None = None
    dataset: str = ""


def rows_of(
    series: Series,
    times: pa.Array,
    numbers: pa.Array,
    quality: pa.Array,
    bodies: pa.Array | None = None,
) -> tuple[pa.Table, tuple[Rejection, ...]]:
    """Rows of one series; a value that has no readable time is refused.

    Args:
        times: timestamp(us, UTC), null where the text was none.
        numbers: float64; null: the service has no value, stored as missing.
        quality: uint8, for the values that are there.
    """
    has_time = times.is_valid()
    missing = pc.is_null(numbers)
    quality = pc.if_else(missing, pa.scalar(int(Quality.MISSING), pa.uint8()), quality)
    rows = rows_table(
        {
            "source": pa.repeat(pa.scalar(series.source), len(times)),
            "entity": series.entity,
            "entity_type": series.entity_type,
            "attribute": series.attribute,
            "dataset": series.dataset,
            "observed_at": times,
            "number": numbers,
            "body": bodies,
            "unit": series.unit,
            "quality": quality,
        }
    ).filter(has_time)
    count = len(times) - rows.num_rows
    detail = f"{series.entity}, {series.attribute}: {count} values without a readable time"
    refused = (Rejection(series.source, "time_invalid", detail, count=count),) if count else ()
    return rows, refused


def utc_times(texts: Sequence[object]) -> pa.Array:
    """ISO texts with an offset to timestamp(us, UTC); null for anything else."""
    plain = [text if isinstance(text, str) else None for text in texts]
    return iso_times(pa.array(plain, pa.string()))[0]


def no_times(count: int) -> pa.Array:
    return pa.nulls(count, TIMESTAMP)


def refuse_words(series: Series, texts: pa.Array, numbers: pa.Array) -> tuple[Rejection, ...]:
    """A rejection for each text that is neither a number nor empty."""
    bad = pc.and_(pc.is_null(numbers), pc.fill_null(pc.not_equal(texts, ""), False))
    words = texts.filter(bad).to_pylist()
    where = f"{series.entity}, {series.attribute}"
    found = [
        Rejection(
            series.source, "value_not_a_number", f"{where}: no number", sample=str(word)[:300]
        )
        for word in words[:DESCRIBED_PER_REASON]
    ]
    if (left := len(words) - len(found)) > 0:
        found.append(
            Rejection(series.source, "value_not_a_number", f"{where}: {left} more", count=left)
        )
    return tuple(found)


def about(
    series: Series, name: str | None, lon: float | None, lat: float | None
) -> list[dict[str, object]]:
    """Name and place of an entity as rows (dictionaries; see `description`)."""
    common = {"source": series.source, "entity": series.entity, "entity_type": series.entity_type}
    found: list[dict[str, object]] = []
    if name:
        found.append({**common, "attribute": "name", "text": name, "kind": int(Kind.PROPERTY)})
    if lon is not None and lat is not None:
        point = msgspec.json.encode({"type": "Point", "coordinates": [lon, lat]}).decode()
        found.append(
            {**common, "attribute": "location", "body": point, "kind": int(Kind.GEO_PROPERTY)}
        )
    return found


def description(rows: Sequence[dict[str, object]]) -> pa.Table:
    """Rows of `about` as a table."""
    names = ("source", "entity", "entity_type", "attribute", "text", "body", "kind")
    return rows_table({name: [row.get(name) for row in rows] for name in names})
