"""Rows that arrived as tuples, turned once into the columns that log and state are written from."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from dothi.model.row import TIMESTAMP, Row
from dothi.pipeline.admit_cells import columns_of
from dothi.storage.relational.columns import Ints
from dothi.storage.relational.numbered import Numbered

Bytes = npt.NDArray[np.uint8]


class Block(Struct, frozen=True):
    """n rows; every column has n values."""

    rows: Sequence[Row]
    batch_no: Ints
    quality: Bytes
    sources: Ints
    entities: Ints
    names: Sequence[str]
    datasets: Sequence[str]
    observed: Ints
    """Microseconds since 1970; NO_TIME where there is none."""
    number: pa.Array
    text: pa.Array
    body: pa.Array
    units: Sequence[str | None]
    kind: Bytes

    def __len__(self) -> int:
        return len(self.rows)

    def numbered(self, series: Ints) -> Numbered:
        """The same rows as the other doors hand them in, for what is rare."""
        table = columns_of(list(self.rows), self.quality.tolist(), self.batch_no.tolist())
        return Numbered(table, self.sources, self.entities, series, self.observed)


def block_of(
    rows: Sequence[Row],
    batch_no: Ints,
    quality: Bytes,
    sources: Mapping[str, int],
    entities: Mapping[str, int],
) -> Block:
    """The columns of some rows.

    Args:
        rows: n of them, at least one.
        batch_no: of each.
        quality: of each.
        sources: name -> number.
        entities: URI -> number.
    """
    columns = list(zip(*rows, strict=True))
    source, uris, _, names, datasets, observed, number, text, body, units, _, kinds, _ = columns
    return Block(
        rows,
        batch_no,
        quality,
        np.array([sources[name] for name in source], np.int64),
        np.array([entities[uri] for uri in uris], np.int64),
        names,
        datasets,
        _microseconds(observed),
        pa.array(number, pa.float64()),
        pa.array(text, pa.string()),
        pa.array(body, pa.string()),
        units,
        np.frombuffer(bytes(kinds), np.uint8),
    )


def _microseconds(times: Sequence[datetime | None]) -> Ints:
    """Since 1970; numpy's mark for "no time" is NO_TIME."""
    found: Ints = pa.array(times, TIMESTAMP).to_numpy(zero_copy_only=False).view(np.int64)
    return found
