"""Admit: normalise and judge a group of Batches, on columns; what fails is refused with a reason.

Text keys become NFC and dictionary-encoded, units UN/CEFACT codes, missing quality flags the
verdict of the limits. Nothing here touches a store: duplicates are found by the writer.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.attribute_spec import AttributeSpec
from dothi.model.batch import Batch, Group, Rejection
from dothi.model.row import Cells, cells_table
from dothi.pipeline.checks import CHECKS, Check, Rows, flat
from dothi.pipeline.describe import BATCH_REFUSED, BATCH_REFUSED_DETAIL, describe
from dothi.pipeline.measure import UNIT_MISMATCH, UNIT_UNKNOWN, UnitPlan, flag

_NFC_COLUMNS = ("attribute", "dataset", "text", "body")
_DICTIONARY_COLUMNS = ("source", "entity", "entity_type", "attribute", "dataset", "unit")
_UNIT_CHECKS = (
    Check(
        UNIT_UNKNOWN,
        "unit is not known; send a UN/CEFACT code (CEL, GQ, MTR) or a UCUM symbol",
        lambda rows: np.zeros(rows.table.num_rows, np.bool_),
    ),
    Check(
        UNIT_MISMATCH,
        "unit does not convert to the unit that this attribute is kept in",
        lambda rows: np.zeros(rows.table.num_rows, np.bool_),
    ),
)
_WHOLE = Check(
    BATCH_REFUSED,
    BATCH_REFUSED_DETAIL,
    lambda rows: np.zeros(rows.table.num_rows, np.bool_),
)
_REASONS = (*CHECKS, *_UNIT_CHECKS, _WHOLE)


def admit(batches: Sequence[Batch], specs: Mapping[str, AttributeSpec]) -> Group:
    """Batches as the doors made them -> one Group for the writer.

    Args:
        batches: rows in ROW_SCHEMA (string columns may be dictionary-encoded).
        specs: attribute name -> unit and limits.
    """
    counts = [batch.rows.num_rows for batch in batches]
    rejected = [tuple(batch.rejected) for batch in batches]
    batch_no = np.repeat(np.arange(len(batches), dtype=np.int32), counts)
    # Many small chunks cost more at every step than one copy.
    table = encoded(_joined(batches)).combine_chunks()
    first_row = np.concatenate([[0], np.cumsum(counts)[:-1]])
    row_no = np.arange(len(batch_no)) - first_row[batch_no]
    if table.num_rows == 0:
        return Group(tuple(batches), _numbered(table, batch_no, row_no), tuple(rejected))
    received = np.repeat([_us(batch) for batch in batches], counts)
    sent = table
    table, failure = _judge(_rows(sent, received), specs)
    bad = failure > 0
    if bad.any():
        for number in np.unique(batch_no[bad]):
            if batches[number].is_whole:
                failure[(batch_no == number) & ~bad] = len(_REASONS)
                bad |= batch_no == number
            of_batch = np.flatnonzero(bad & (batch_no == number))
            rejected[number] += _describe(sent, failure, of_batch, row_no)
        table, batch_no, row_no = table.filter(pa.array(~bad)), batch_no[~bad], row_no[~bad]
    return Group(tuple(batches), _numbered(table, batch_no, row_no), tuple(rejected))


def _joined(batches: Sequence[Batch]) -> pa.Table:
    """The rows of all batches, in order."""
    parts: list[pa.Table] = []
    for is_cells, run in groupby((b.rows for b in batches), lambda rows: isinstance(rows, Cells)):
        if is_cells:
            parts.append(cells_table([row for cells in run for row in cells.rows]))
        else:
            parts += run
    return pa.concat_tables(parts, promote_options="permissive") if len(parts) > 1 else parts[0]


def _judge(
    rows: Rows, specs: Mapping[str, AttributeSpec]
) -> tuple[pa.Table, npt.NDArray[np.uint8]]:
    """The normalised table and, per row, 1 + the index of the first broken rule (0: none)."""
    failure = np.zeros(rows.table.num_rows, np.uint8)
    for at, check in enumerate(CHECKS, start=1):
        fails = check.fails(rows)
        if fails.any():
            failure[fails & (failure == 0)] = at
    attribute = rows.table["attribute"].combine_chunks()
    plan = UnitPlan(attribute, rows.table["unit"].combine_chunks(), rows.change, specs)
    unit_failure = plan.row_reason()
    failure[(unit_failure > 0) & (failure == 0)] = len(CHECKS)
    failure[failure == len(CHECKS)] += unit_failure[failure == len(CHECKS)]
    number = rows.number
    table = rows.table
    if plan.changes_numbers:
        number = plan.convert(number)
        table = _set(table, "body", plan.bodies(table))
        table = _set(table, "number", pa.array(number, from_pandas=True))
    table = _set(table, "unit", plan.unit_column())
    return _set(table, "quality", pa.array(flag(number, rows.quality, attribute, specs))), failure


def encoded(table: pa.Table) -> pa.Table:
    """ROW_SCHEMA rows with composed texts (NFC) and keys as dictionaries."""
    for name in _NFC_COLUMNS:
        column = table[name]
        if column.null_count < len(column) and not pa.types.is_dictionary(column.type):
            ascii_only = pc.all(pc.string_is_ascii(column)).as_py()
            if ascii_only is False:
                table = _set(table, name, pc.utf8_normalize(column, form="NFC"))
    for name in _DICTIONARY_COLUMNS:
        column = table[name].combine_chunks()
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        table = _set(table, name, column)
    return table


def _rows(table: pa.Table, received: npt.NDArray[np.int64]) -> Rows:
    observed = table["observed_at"]
    return Rows(
        table=table,
        received_us=received,
        observed_us=observed.cast(pa.int64()).fill_null(0).to_numpy(),
        has_time=flat(pc.is_valid(observed)),
        number=table["number"].to_numpy(),
        quality=table["quality"].to_numpy(),
        change=table["change"].to_numpy(),
    )


def _describe(
    table: pa.Table,
    failure: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64],
    row_no: npt.NDArray[np.int64],
) -> tuple[Rejection, ...]:
    found: list[Rejection] = []
    for code in np.unique(failure[rows]):
        check = _REASONS[code - 1]
        at = rows[failure[rows] == code]
        found += describe(table, at, row_no[at], check.reason, _always(check.detail))
    return tuple(found)


def _always(text: str) -> Callable[[int], str]:
    return lambda _: text


def _numbered(
    table: pa.Table, batch_no: npt.NDArray[np.int32], row_no: npt.NDArray[np.int64]
) -> pa.Table:
    table = table.append_column("batch_no", pa.array(batch_no, pa.int32()))
    return table.append_column("row_no", pa.array(row_no, pa.int64()))


def _set(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def _us(batch: Batch) -> int:
    return int(batch.received_at.timestamp() * 1_000_000)
