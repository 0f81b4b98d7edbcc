"""Until the lake is open: no history."""

import pyarrow as pa

from dothi.model.problem import StoreUnavailable
from dothi.model.series import AggregateQuery, RawQuery


class NoLake:
    """`History` that refuses."""

    def raw(self, query: RawQuery) -> pa.Table:
        raise StoreUnavailable("the history is not open")

    def aggregate(self, query: AggregateQuery) -> pa.Table:
        raise StoreUnavailable("the history is not open")
