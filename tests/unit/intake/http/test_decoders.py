"""Whatever comes in: rows and rejections add up, or the message is refused; never another error."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dothi.intake.http.arrow_rows import decode_arrow
from dothi.intake.http.body import unpack
from dothi.intake.http.json_rows import Observation, decode_json, decode_ndjson
from dothi.intake.http.unreadable import Unreadable
from dothi.model.row import ROW_SCHEMA, rows_table
from thorough import examples

ROWS, BYTES = 1_000, 1_000_000
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain = st.none() | st.booleans() | st.integers() | st.floats() | texts
anything = st.recursive(plain, lambda x: st.lists(x, max_size=3) | st.dictionaries(texts, x))
zones = st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(timedelta(hours=-11))])
times = st.datetimes(
    datetime(1900, 1, 2, tzinfo=UTC).replace(tzinfo=None),
    datetime(9999, 12, 30, tzinfo=UTC).replace(tzinfo=None),
    timezones=zones,
)
good_rows = st.builds(
    lambda **fields: {k: v for k, v in fields.items() if v is not ...},
    entity=texts,
    attribute=texts,
    value=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1),
    observedAt=times.map(datetime.isoformat) | st.just(...),
    unit=texts | st.none() | st.just(...),
    quality=st.integers(0, 255) | st.just(...),
    dataset=texts | st.just(...),
)
odd_rows = (
    good_rows
    | anything
    | st.dictionaries(
        st.sampled_from([f.name for f in msgspec.structs.fields(Observation)]), anything
    )
)


def _total(rows: pa.Table, rejected: Any) -> int:
    rows.cast(ROW_SCHEMA).validate(full=True)
    return int(rows.num_rows) + sum(r.count for r in rejected)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(good_rows, max_size=8))
def test_good_rows_arrive_as_they_are(rows: list[dict[str, Any]]) -> None:
    for decoded in (
        decode_json(json.dumps(rows).encode(), "s", ROWS),
        decode_ndjson(b"\n".join(json.dumps(r).encode() for r in rows), "s", ROWS),
    ):
        assert decoded.rejected == ()
        got = decoded.rows.to_pylist()
        assert [r["entity"] for r in got] == [r["entity"] for r in rows]
        assert [r["number"] for r in got] == [float(r["value"]) for r in rows]
        for row, sent in zip(got, rows, strict=True):
            if "observedAt" in sent:
                assert row["observed_at"] == datetime.fromisoformat(sent["observedAt"])


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(odd_rows, max_size=8))
def test_odd_rows_are_kept_or_rejected_each_by_its_index(rows: list[Any]) -> None:
    lines = [json.dumps(row).encode() for row in rows]
    decoded = decode_ndjson(b"\n".join(lines), "s", ROWS)
    assert _total(decoded.rows, decoded.rejected) == len(rows)
    kept = range(len(rows)) if decoded.kept is None else decoded.kept
    assert sorted([*kept, *(r.row for r in decoded.rejected if r.row is not None)]) == list(
        range(len(rows))
    )
    assert all(r.reason and r.detail and len(r.sample) <= 300 for r in decoded.rejected)


@settings(max_examples=examples(100), deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    for decode in (decode_json, decode_ndjson):
        try:
            decoded = decode(data, "s", ROWS)
        except Unreadable as refusal:
            assert refusal.reason
        else:
            _total(decoded.rows, decoded.rejected)
    for encoding in ("gzip", "zstd"):
        try:
            unpack(data, encoding, BYTES)
        except Unreadable as refusal:
            assert refusal.reason


def _stream(compression: str | None) -> bytes:
    rows = rows_table({"entity": ["a", "b"], "attribute": ["x", "y"], "number": [1.0, None]})
    table = rows.select(["entity", "attribute", "number", "observed_at", "unit"])
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


STREAMS = [_stream(None), _stream("lz4"), _stream("zstd")]


@settings(max_examples=examples(150), deadline=None)
@given(
    st.sampled_from(STREAMS),
    st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=4),
    st.integers(0, 2_000),
)
def test_damaged_arrow_streams(stream: bytes, flips: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(stream)
    for at, byte in flips:
        data[at % len(data)] = byte
    try:
        decoded = decode_arrow(bytes(data[: len(data) - cut % len(data)]), "s", ROWS, BYTES)
    except Unreadable as refusal:
        assert refusal.reason in (
            "arrow_malformed",
            "arrow_columns",
            "too_many_rows",
            "body_too_large",
        )
    else:
        assert decoded.rows.num_rows <= ROWS
