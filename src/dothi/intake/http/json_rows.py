"""JSON array and NDJSON to rows.

A clean message is decoded in one call and turned into columns field by field. Only when that
fails is each row decoded on its own, so that the bad ones get their reason and the good ones pass.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import pyarrow as pa
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from dothi.intake.http.decoded import Decoded
from dothi.intake.http.unreadable import Unreadable, sample_of
from dothi.intake.http.values import split_values
from dothi.model.batch import Rejection
from dothi.model.row import ROW_SCHEMA, rows_table

_COMMAS_PER_ROW = 16
_DEPTH = "lists and objects are nested too deeply"
_ROW_REMEDY = "see the fields of POST /api/v1/observations"


class Observation(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One row of a JSON message. Give the value as `value`, or typed as `number` or `text`."""

    entity: str
    attribute: str
    value: float | str | bool | list[Any] | dict[str, Any] | UnsetType | None = UNSET
    number: float | None = None
    text: str | None = None
    observedAt: Annotated[datetime, Meta(tz=True)] | None = None  # noqa: N815 - the wire's name
    unit: str | None = None
    quality: Annotated[int, Meta(ge=0, le=255)] = 0
    type: str | None = None
    dataset: str = ""


_ROW = msgspec.json.Decoder(Observation)
_ARRAY = msgspec.json.Decoder(list[Observation])
_RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_ndjson(data: bytes, source: str, max_rows: int) -> Decoded:
    """One JSON object per line; blank lines do not count."""
    if data.count(b"\n") > 2 * max_rows:
        raise _too_many(max_rows)
    try:
        rows = _ROW.decode_lines(data)
    except _FAILURES:
        lines = [line for line in data.split(b"\n") if line.strip()]
        return _one_by_one(lines, source, max_rows)
    return _columns(rows, source, max_rows)


def decode_json(data: bytes, source: str, max_rows: int) -> Decoded:
    """An array of objects, or one object."""
    if data.lstrip()[:1] == b"{":
        return _one_by_one([data], source, max_rows)
    try:
        rows = _ARRAY.decode(data)
    except _FAILURES:
        if data.count(b",") > _COMMAS_PER_ROW * max_rows:
            raise _too_many(max_rows) from None
        return _one_by_one(_split_array(data), source, max_rows)
    return _columns(rows, source, max_rows)


def _split_array(data: bytes) -> Sequence[msgspec.Raw]:
    try:
        return _RAW_ARRAY.decode(data)
    except _FAILURES as error:
        raise Unreadable(
            "json_malformed",
            f"the body is not a JSON array of observations: {_explain(error)}",
            'send [{"entity": ..., "attribute": ..., "value": ..., "observedAt": ...}, ...], '
            "or one object per line as application/x-ndjson",
        ) from error


def _one_by_one(parts: Sequence[bytes | msgspec.Raw], source: str, max_rows: int) -> Decoded:
    if len(parts) > max_rows:
        raise _too_many(max_rows)
    rows: list[Observation] = []
    kept: list[int] = []
    rejected: list[Rejection] = []
    for index, part in enumerate(parts):
        try:
            row = _ROW.decode(part)
        except _FAILURES as error:
            rejected.append(_rejection(source, index, bytes(part), error))
        else:
            rows.append(row)
            kept.append(index)
    decoded = _columns(rows, source, max_rows)
    again = (replace(r, row=None if r.row is None else kept[r.row]) for r in decoded.rejected)
    of_rows = kept if decoded.kept is None else [kept[at] for at in decoded.kept]
    return Decoded(decoded.rows, (*rejected, *again), of_rows)


def _columns(rows: Sequence[Observation], source: str, max_rows: int) -> Decoded:
    if len(rows) > max_rows:
        raise _too_many(max_rows)
    if not rows:
        return Decoded(ROW_SCHEMA.empty_table())
    values = split_values(
        _field(rows, "value"), _field(rows, "number"), _field(rows, "text"), source
    )
    table = rows_table(
        {
            "source": source,
            "entity": _text(rows, "entity"),
            "entity_type": _text(rows, "type"),
            "attribute": _text(rows, "attribute"),
            "dataset": _text(rows, "dataset"),
            "observed_at": _field(rows, "observedAt"),
            "number": values.number,
            "text": values.text,
            "body": values.body,
            "unit": _text(rows, "unit"),
            "quality": _field(rows, "quality"),
            "kind": values.kind,
        }
    )
    if not values.rejected:
        return Decoded(table)
    refused = {r.row for r in values.rejected}
    kept = [at for at in range(len(rows)) if at not in refused]
    return Decoded(table.take(pa.array(kept, pa.int64())), values.rejected, kept)


def _field(rows: Iterable[Observation], name: str) -> list[Any]:
    return list(map(attrgetter(name), rows))


def _text(rows: Iterable[Observation], name: str) -> pa.Array:
    return pa.array(map(attrgetter(name), rows), pa.string())


def _rejection(source: str, index: int, part: bytes, error: Exception) -> Rejection:
    detail = f"row {index}: {_explain(error)}; {_ROW_REMEDY}"
    return Rejection(source, _reason(error), detail, index, sample_of(part))


def _reason(error: Exception) -> str:
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (msgspec.ValidationError, "row_invalid"),
        (UnicodeDecodeError, "utf8_invalid"),
        (RecursionError, "json_too_deep"),
    )
    return next((r for kind, r in reasons if isinstance(error, kind)), "json_malformed")


def _explain(error: Exception) -> str:
    return _DEPTH if isinstance(error, RecursionError) else str(error)


def _too_many(max_rows: int) -> Unreadable:
    return Unreadable(
        "too_many_rows",
        f"the message holds more than {max_rows:,} observations",
        "split it into smaller messages",
        413,
    )
