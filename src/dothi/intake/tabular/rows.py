"""A chunk of a table to rows, on columns, by a Mapping."""

from collections.abc import Sequence
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field

from dothi.intake.tabular.mapping import Mapping, Value
from dothi.intake.tabular.times import Times
from dothi.intake.text_columns import numbers
from dothi.model.batch import Rejection
from dothi.model.quality import Quality
from dothi.model.row import EMPTY_ROWS, rows_table

DESCRIBED_PER_REASON = 20
Mask = npt.NDArray[np.bool_]

_DETAILS = {
    "utf8_invalid": "is no UTF-8; say --encoding, e.g. windows-1258",
    "time_missing": "is empty",
    "time_invalid": "is no time of the agreed format",
    "entity_missing": "is empty: which entity is the row about?",
    "attribute_missing": "is empty: which attribute is the row about?",
    "quality_unknown": "is not listed under `quality` of the mapping",
    "value_not_a_number": "is no decimal number; kind `text` keeps words, `missing` names markers",
}


class Chunk(Struct, frozen=True):
    """Consecutive rows of a file."""

    table: pa.Table
    lines: npt.NDArray[np.int64]
    """Number of each row in the file, the header being 1."""
    malformed: Sequence[Rejection] = ()
    """Rows of the file among these that have not as many cells as the header."""


class _Failures(Struct):
    """What is wrong with which cells."""

    mapping: Mapping
    lines: npt.NDArray[np.int64]
    found: list[Rejection] = field(default_factory=list)

    def note(self, reason: str, column: str, bad: Mask, cells: pa.Array) -> None:
        at = np.flatnonzero(bad)
        for row in at[:DESCRIBED_PER_REASON]:
            detail = f"line {self.lines[row]}, column {column}: {_DETAILS[reason]}"
            sample = str(cells[int(row)].as_py())[:300]
            self.found.append(
                Rejection(self.mapping.source, reason, detail, int(self.lines[row]) - 2, sample)
            )
        if (left := len(at) - DESCRIBED_PER_REASON) > 0:
            detail = f"column {column}: {left} more cells: {_DETAILS[reason]}"
            self.found.append(Rejection(self.mapping.source, reason, detail, count=left))


class _Frame(Struct, frozen=True):
    """What all values of a row share."""

    is_good: Mask
    entity: pa.Array
    observed_at: pa.Array
    quality: pa.Array


class RowMaker:
    """Makes rows of chunks; one per import."""

    def __init__(self, mapping: Mapping) -> None:
        """Raises Problem: zone or time format is not known."""
        self._mapping = mapping
        self._times = Times(mapping.time_format, mapping.zone)
        self._missing = pa.array(mapping.missing, pa.string())

    def rows(self, chunk: Chunk) -> tuple[pa.Table, tuple[Rejection, ...]]:
        """ROW_SCHEMA rows in the order of the file (wide: column by column), and what was refused.

        A cell that means "no value" is neither. A row without time or entity is refused once,
        whatever number of values it holds.
        """
        failures = _Failures(self._mapping, chunk.lines, list(chunk.malformed))
        frame = self._frame(chunk.table, failures)
        maker = self._wide if self._mapping.layout == "wide" else self._long
        return maker(chunk.table, frame, failures), tuple(failures.found)

    def _frame(self, table: pa.Table, failures: _Failures) -> _Frame:
        mapping = self._mapping
        good = np.ones(table.num_rows, np.bool_)
        times, good = self._cells(table, mapping.time_column, good, failures)
        good = self._present(times, mapping.time_column, "time_missing", good, failures)
        observed_at = self._times.read(times)
        good = _check(
            observed_at.is_null(), times, (mapping.time_column, "time_invalid"), good, failures
        )
        if mapping.entity_column:
            cells, good = self._cells(table, mapping.entity_column, good, failures)
            good = self._present(cells, mapping.entity_column, "entity_missing", good, failures)
            entity = self._uris(cells.cast(pa.string()))
        else:
            entity = pa.repeat(pa.scalar(mapping.entity), table.num_rows)
        quality: pa.Array = pa.repeat(pa.scalar(0, pa.uint8()), table.num_rows)
        if mapping.quality_column:
            cells, good = self._cells(table, mapping.quality_column, good, failures)
            quality, unknown = self._qualities(cells.cast(pa.string()))
            place = (mapping.quality_column, "quality_unknown")
            good = _check(unknown, cells, place, good, failures)
        return _Frame(good, entity, observed_at, quality)

    def _wide(self, table: pa.Table, frame: _Frame, failures: _Failures) -> pa.Table:
        parts = [
            self._part(table, name, value, frame, failures)
            for name, value in self._mapping.columns.items()
        ]
        return pa.concat_tables(parts) if parts else EMPTY_ROWS

    def _part(
        self, table: pa.Table, name: str, value: Value, frame: _Frame, failures: _Failures
    ) -> pa.Table:
        cells, good = self._cells(table, name, frame.is_good, failures)
        good = good & ~self._is_missing(cells)
        number, text, good = self._values(cells, value.kind == "text", name, good, failures)
        keep = pa.array(good)
        unit = self._units(table, pa.repeat(pa.scalar(value.unit or None, pa.string()), len(good)))
        return self._table(
            frame,
            keep,
            attribute=value.attribute,
            dataset=value.dataset,
            number=number.filter(keep),
            text=text.filter(keep),
            unit=unit.filter(keep),
        )

    def _long(self, table: pa.Table, frame: _Frame, failures: _Failures) -> pa.Table:
        mapping = self._mapping
        names, good = self._cells(table, mapping.attribute_column, frame.is_good, failures)
        place = mapping.attribute_column
        good = self._present(names, place, "attribute_missing", good, failures)
        known = names.cast(pa.string()).dictionary_encode()
        meanings = [
            mapping.columns.get(name) or Value(attribute=name or "-")
            for name in known.dictionary.to_pylist()
        ]

        def spread(values: list[object], type_: pa.DataType) -> pa.Array:
            return pa.array(values, type_).take(known.indices)

        is_text = spread([m.kind == "text" for m in meanings], pa.bool_())
        cells, good = self._cells(table, mapping.value_column, good, failures)
        good = good & ~self._is_missing(cells)
        of_text = is_text.fill_null(False).to_numpy(zero_copy_only=False)
        column = mapping.value_column
        number, _, good = self._values(cells, False, column, good, failures, ~of_text)
        text = pc.if_else(pa.array(of_text), cells.cast(pa.string()), None)
        number = pc.if_else(pa.array(of_text), None, number)
        keep = pa.array(good)
        unit = self._units(table, spread([m.unit or None for m in meanings], pa.string()))
        return self._table(
            frame,
            keep,
            attribute=spread([m.attribute for m in meanings], pa.string()).filter(keep),
            dataset=spread([m.dataset for m in meanings], pa.string()).filter(keep),
            number=number.filter(keep),
            text=text.filter(keep),
            unit=unit.filter(keep),
        )

    def _table(self, frame: _Frame, keep: pa.Array, **columns: object) -> pa.Table:
        return rows_table(
            {
                "source": self._mapping.source,
                "entity": frame.entity.filter(keep),
                "entity_type": self._mapping.entity_type or None,
                "observed_at": frame.observed_at.filter(keep),
                "quality": frame.quality.filter(keep),
                **columns,
            }
        )

    def _cells(
        self, table: pa.Table, name: str, good: Mask, failures: _Failures
    ) -> tuple[pa.Array, Mask]:
        """A column as text without surrounding spaces, or as its own type (Parquet)."""
        column = table[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_binary(column.type):
            column, broken = _decode(column)
            good = _check(pa.array(broken), column, (name, "utf8_invalid"), good, failures)
        if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
            column = column.cast(pa.string())
        if pa.types.is_string(column.type):
            column = pc.utf8_trim_whitespace(column)
        return column, good

    def _present(
        self, cells: pa.Array, name: str, reason: str, good: Mask, failures: _Failures
    ) -> Mask:
        return _check(pa.array(self._is_missing(cells)), cells, (name, reason), good, failures)

    def _is_missing(self, cells: pa.Array) -> Mask:
        missing = cells.is_null()
        if pa.types.is_string(cells.type):
            missing = pc.or_(missing, pc.is_in(cells, self._missing))
        elif pa.types.is_floating(cells.type):
            missing = pc.or_(missing, pc.fill_null(pc.is_nan(cells), True))
        found: Mask = missing.to_numpy(zero_copy_only=False).astype(np.bool_)
        return found

    def _values(
        self,
        cells: pa.Array,
        is_text: bool,
        name: str,
        good: Mask,
        failures: _Failures,
        among: Mask | None = None,
    ) -> tuple[pa.Array, pa.Array, Mask]:
        nothing = pa.nulls(len(cells))
        if is_text:
            return nothing.cast(pa.float64()), cells.cast(pa.string()), good
        if pa.types.is_string(cells.type):
            number = numbers(cells, self._mapping.decimal)
        elif pa.types.is_timestamp(cells.type) or pa.types.is_nested(cells.type):
            number = nothing.cast(pa.float64())
        else:
            number = cells.cast(pa.float64(), safe=False)
            number = pc.if_else(pc.is_finite(number), number, None)
        bad = number.is_null()
        if among is not None:
            bad = pc.and_(bad, pa.array(among))
        good = _check(bad, cells, (name, "value_not_a_number"), good, failures)
        return number, nothing.cast(pa.string()), good

    def _uris(self, cells: pa.Array) -> pa.Array:
        known = cells.dictionary_encode()
        made = [
            value if value and ":" in value else self._uri(value)
            for value in known.dictionary.to_pylist()
        ]
        return pa.array(made, pa.string()).take(known.indices)

    def _uri(self, value: str) -> str:
        return self._mapping.entity_template.format(
            type=self._mapping.entity_type, value=quote(value, safe="-._~")
        )

    def _qualities(self, cells: pa.Array) -> tuple[pa.Array, pa.Array]:
        known = cells.dictionary_encode()
        flags = dict(self._mapping.quality) or {str(int(q)): int(q) for q in Quality}
        flags |= dict.fromkeys(self._mapping.missing, 0)
        codes = pa.array([flags.get(v) for v in known.dictionary.to_pylist()], pa.uint8())
        spread = codes.take(known.indices)
        return spread.fill_null(0), pc.and_(spread.is_null(), cells.is_valid())

    def _units(self, table: pa.Table, given: pa.Array) -> pa.Array:
        if not self._mapping.unit_column:
            return given
        cells = table[self._mapping.unit_column].combine_chunks()
        texts = _decode(cells)[0] if pa.types.is_binary(cells.type) else cells.cast(pa.string())
        texts = pc.utf8_trim_whitespace(texts)
        return pc.coalesce(given, pc.if_else(pc.equal(texts, ""), None, texts))


def _check(
    bad: pa.Array, cells: pa.Array, place: tuple[str, str], good: Mask, failures: _Failures
) -> Mask:
    """Note the bad cells of rows that were good so far; gives what is still good."""
    name, reason = place
    mask: Mask = bad.fill_null(True).to_numpy(zero_copy_only=False).astype(np.bool_) & good
    if mask.any():
        failures.note(reason, name, mask, cells)
    return good & ~mask


def _decode(column: pa.Array) -> tuple[pa.Array, Mask]:
    """Bytes to text, and which cells are no UTF-8 (they become replacement characters)."""
    try:
        return column.cast(pa.string()), np.zeros(len(column), np.bool_)
    except pa.ArrowInvalid:
        texts = [None if v is None else v.decode("utf-8", "replace") for v in column.to_pylist()]
        broken = [t is not None and "\ufffd" in t for t in texts]
        return pa.array(texts, pa.string()), np.array(broken, np.bool_)
