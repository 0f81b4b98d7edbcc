"""Rows together with the numbers of what they name, and their times."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from dothi.storage.relational.columns import Ints

Mask = npt.NDArray[np.bool_]


class Numbered(Struct, frozen=True):
    """n rows of a Group and, for each of them, four numbers."""

    rows: pa.Table
    sources: Ints
    entities: Ints
    series: Ints
    """Attribute id; 0: the row is about the whole entity."""
    observed: Ints
    """Microseconds since 1970; NO_TIME where there is none."""

    def __len__(self) -> int:
        return len(self.series)

    @property
    def batch_no(self) -> npt.NDArray[np.int32]:
        found: npt.NDArray[np.int32] = self.rows["batch_no"].to_numpy()
        return found

    def take(self, at: Ints) -> "Numbered":
        """The rows with these indexes, in this order."""
        return Numbered(
            self.rows.take(pa.array(at)),
            self.sources[at],
            self.entities[at],
            self.series[at],
            self.observed[at],
        )

    def where(self, mask: Mask) -> "Numbered":
        """Those of the rows that the mask names."""
        return Numbered(
            self.rows.filter(pa.array(mask)),
            self.sources[mask],
            self.entities[mask],
            self.series[mask],
            self.observed[mask],
        )
