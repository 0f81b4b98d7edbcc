"""Reads table forgotten: which rows of some series are no longer told."""

from collections.abc import Iterable

import pyarrow as pa

from dothi.ports.history import FORGOTTEN
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.log_names import LogNames

FORGOTTEN_SPANS = pa.schema(
    [
        ("attribute_id", pa.int64()),
        ("from_seq", pa.int64()),
        ("up_to_seq", pa.int64()),
        ("observed_us", pa.int64()),
    ]
)
_WITH_ENTITY = FORGOTTEN_SPANS.append(pa.field("entity_id", pa.int64()))


def read_forgotten(
    connection: HotConnection, names: dict[str, LogNames], series: Iterable[int]
) -> pa.Table:
    """FORGOTTEN rows of these series."""
    listed = ", ".join(map(str, series))
    if not listed:
        return FORGOTTEN.empty_table()
    rows = connection.typed(
        _WITH_ENTITY, f"SELECT * FROM forgotten WHERE attribute_id IN ({listed})"
    )
    attribute, dataset = names["attribute"].of(rows["attribute_id"])
    columns = {
        "entity": names["entity"].of(rows["entity_id"])[0],
        "attribute": attribute,
        "dataset": dataset.fill_null(""),
        "observed_at": rows["observed_us"],
        "from_seq": rows["from_seq"],
        "up_to_seq": rows["up_to_seq"],
    }
    return pa.table([columns[f.name].cast(f.type) for f in FORGOTTEN], schema=FORGOTTEN)
