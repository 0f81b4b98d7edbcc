"""A dry run: what an import would store, and everything that is wrong, without storing."""

from collections.abc import Mapping as Table
from pathlib import Path

import pyarrow as pa
from msgspec import Struct

from dothi.intake.tabular.importer import ImportReport, chunk_rows
from dothi.intake.tabular.mapping import Mapping, check
from dothi.intake.tabular.read import open_chunks
from dothi.intake.tabular.rows import RowMaker
from dothi.model.attribute_spec import AttributeSpec
from dothi.model.batch import Batch
from dothi.model.row import ROW_SCHEMA
from dothi.pipeline.admit import admit
from dothi.ports.clock import Clock


class Preview(Struct, frozen=True):
    """`first` are the first rows as they would be stored (ROW_SCHEMA); nothing is."""

    first: pa.Table
    report: ImportReport
    """`stored` is what would be handed to the store, duplicates included."""


def preview(
    path: Path,
    mapping: Mapping,
    clock: Clock,
    specs: Table[str, AttributeSpec],
    rows: int = 10,
) -> Preview:
    """Read the whole file through decoding and admission; blocking.

    Raises:
        Problem: the mapping or the file does not fit.
    """
    check(mapping)
    maker = RowMaker(mapping)
    report = ImportReport()
    first: list[pa.Table] = []
    missing = rows
    with open_chunks(path, mapping, chunk_rows(mapping)) as (chunks, reading):
        for chunk in chunks:
            made, refused = maker.rows(chunk)
            group = admit([Batch("preview", made, clock.now(), refused)], specs)
            rejected = group.rejected[0]
            count = sum(r.count for r in rejected)
            report.note(rejected)
            report.stored += group.rows.num_rows
            report.rejected += count
            report.received += group.rows.num_rows + count
            if missing > 0:
                first.append(group.rows.slice(0, missing).select(ROW_SCHEMA.names).cast(ROW_SCHEMA))
                missing -= first[-1].num_rows
            report.total_bytes, report.read_bytes = reading.total_bytes, reading.read_bytes
    return Preview(pa.concat_tables(first) if first else ROW_SCHEMA.empty_table(), report)
