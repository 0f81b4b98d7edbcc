"""Admit for rows that are still tuples: explicit writes that are good as they stand.

Columns pay for many rows. A few of them cost some hundred calls of Arrow whatever they hold, so
here they are looked at one by one, and left to `admit` as soon as there is anything to refuse, to
normalise or to convert.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from unicodedata import is_normalized

import numpy as np
import pyarrow as pa

from dothi.model.attribute_spec import AttributeSpec
from dothi.model.batch import Batch, CellGroup, Group
from dothi.model.quality import Quality
from dothi.model.row import Cells, Change, Kind, Row, cells_table
from dothi.model.units import BY_CODE
from dothi.pipeline.admit import encoded
from dothi.pipeline.checks import (
    EARLIEST_US,
    MAX_VALUE_BYTES,
    attribute_breaks,
    entity_breaks,
)
from dothi.pipeline.geometry import bounds
from dothi.pipeline.measure import verdict_of

_EARLIEST = datetime.fromtimestamp(EARLIEST_US / 1e6, UTC)
_MOST_CHARS = MAX_VALUE_BYTES // 4
"""A text of so many characters is certainly not too long."""
_CHANGES = frozenset({int(Change.ASSIGN), int(Change.UPSERT_ENTITY)})
_KINDS = frozenset(map(int, Kind))
_ASSIGN, _GEO_PROPERTY = int(Change.ASSIGN), int(Kind.GEO_PROPERTY)


def admit_cells(batches: Sequence[Batch], specs: Mapping[str, AttributeSpec]) -> CellGroup | None:
    """The group when every row is good as it stands; None: `admit` has to judge it.

    Args:
        batches: as the doors made them.
        specs: attribute name -> unit and limits.
    """
    rows: list[Row] = []
    for batch in batches:
        if not isinstance(batch.rows, Cells) or batch.rejected:
            return None
        rows += batch.rows.rows
    if not rows or not _are_good(rows, specs):
        return None
    quality = [int(Quality.GOOD)] * len(rows)
    for at, row in enumerate(rows) if specs else ():
        quality[at] = verdict_of(row[6], specs.get(row[3]))
    return CellGroup(tuple(batches), rows, quality)


def in_columns(group: CellGroup) -> Group:
    """The same group as `admit` makes it."""
    table = columns_of(group.rows, group.quality, group.batch_no)
    row_no = [n for batch in group.batches for n in range(batch.rows.num_rows)]
    table = table.append_column("row_no", pa.array(row_no, pa.int64()))
    return Group(group.batches, table, group.rejected)


def columns_of(rows: list[Row], quality: list[int], batch_no: list[int]) -> pa.Table:
    """Admitted rows as columns of a Group, without `row_no`."""
    table = encoded(cells_table(rows))
    at = table.schema.get_field_index("quality")
    table = table.set_column(at, "quality", pa.array(quality, pa.uint8()))
    return table.append_column("batch_no", pa.array(batch_no, pa.int32()))


def _are_good(rows: list[Row], specs: Mapping[str, AttributeSpec]) -> bool:
    columns = list(zip(*rows, strict=True))
    _, entities, types, names, datasets, times = columns[:6]
    units, qualities, kinds, changes = columns[9:]
    if any(qualities) or any(types) or not _CHANGES.issuperset(bytes(changes)):
        return False
    if not _KINDS.issuperset(bytes(kinds)) or entity_breaks(_texts(set(entities))).any():
        return False
    told = set(names) - {""}
    if told and attribute_breaks(_texts(told)).any():
        return False
    if not _are_composed(told) or not _are_composed(set(datasets)):
        return False
    if not _stay(set(units) - {None}, rows, specs if not told.isdisjoint(specs) else {}):
        return False
    if min(filter(None, times), default=_EARLIEST) < _EARLIEST:
        return False
    if not _have_values(*columns[6:9]) or not _are_about(names, changes):
        return False
    return _GEO_PROPERTY not in bytes(kinds) or _have_bounds(rows)


def _texts(names: Iterable[str]) -> pa.Array:
    return pa.array(list(names), pa.string())


def _are_composed(texts: Iterable[str]) -> bool:
    return all(text.isascii() or is_normalized("NFC", text) for text in texts)


def _stay(units: set[str], rows: list[Row], specs: Mapping[str, AttributeSpec]) -> bool:
    """Whether all units are codes, and those in which the attributes are kept."""
    if not units <= BY_CODE.keys():
        return False
    for row in rows if specs else ():
        spec = specs.get(row[3])
        if row[9] is not None and spec is not None and spec.unit not in {None, "", row[9]}:
            return False
    return True


def _are_about(names: Sequence[str], changes: Sequence[int]) -> bool:
    """A row about an entity has no name, any other has one."""
    return all(
        (change == _ASSIGN) is (name != "") for name, change in zip(names, changes, strict=True)
    )


def _have_values(
    numbers: Sequence[float | None], texts: Sequence[str | None], bodies: Sequence[str | None]
) -> bool:
    """Every row has a value, every number is finite, every text short and composed."""
    for number, text, body in zip(numbers, texts, bodies, strict=True):
        if number is None:
            if text is None and body is None:
                return False
        elif number - number != 0:
            return False
    held = [*filter(None, texts), *filter(None, bodies)]
    if max(map(len, held), default=0) > _MOST_CHARS:
        return False
    return _are_composed(held)


def _have_bounds(rows: list[Row]) -> bool:
    bodies = [row[8] for row in rows if row[11] == _GEO_PROPERTY]
    return not np.isnan(bounds(bodies)[:, 0]).any()
