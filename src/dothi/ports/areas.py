"""Areas: "which area is this point in, on that date" for everything."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import pyarrow as pa

from dothi.model.area import Area, AreaShare


class Areas(Protocol):
    """Any thread; blocking."""

    def put(self, areas: Sequence[Area], shares: Sequence[AreaShare]) -> None:
        """Create or replace, all or nothing, with a line in the audit record."""
        ...

    def valid_on(self, day: date, level: str | None = None) -> Sequence[Area]: ...

    def get(self, area_id: str) -> Area | None: ...

    def locate(self, lon: float, lat: float, day: date) -> Sequence[Area]:
        """Areas that hold the point on that day, smallest first."""
        ...

    def locate_many(self, points: pa.Table, day: date, level: str) -> pa.Array:
        """Area id (or null) of each row of `points` (columns lon, lat: float64)."""
        ...

    def shares(self, area_id: str) -> Sequence[AreaShare]:
        """Into which units of other dates the area went or came from."""
        ...
