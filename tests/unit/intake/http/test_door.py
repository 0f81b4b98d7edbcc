"""The bulk door over a real socket."""

import gzip
import json
from typing import Any

import pyarrow as pa
import pytest
import zstandard

from dothi.model.problem import Overloaded, StoreUnavailable
from dothi.model.row import ROW_SCHEMA, Kind

ENTITY = "urn:ngsi-ld:WaterObserved:phu-an"
NDJSON = "application/x-ndjson"
JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"


def _row(**changes: Any) -> dict[str, Any]:
    return {
        "entity": ENTITY,
        "attribute": "waterLevel",
        "value": 1.25,
        "observedAt": "2026-11-22T08:00:00+07:00",
        "unit": "MTR",
    } | changes


def _ndjson(*rows: object) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


def _arrow(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _table(n: int = 3, **columns: Any) -> pa.Table:
    times = pa.array([1_700_000_000_000_000 + i for i in range(n)]).cast(pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "entity": [ENTITY] * n,
            "attribute": ["waterLevel"] * n,
            "number": [1.5] * n,
            "observed_at": times,
        }
        | columns
    )


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (json.dumps([_row(), _row(attribute="flow")]).encode(), JSON),
        (_ndjson(_row(), _row(attribute="flow")) + b"\n\n", NDJSON),
        (_arrow(_table(2, attribute=["waterLevel", "flow"])), ARROW),
    ],
)
@pytest.mark.parametrize("pack", [None, "gzip", "zstd"])
async def test_every_format_and_encoding_arrives(
    door: Any, body: bytes, media: str, pack: str | None
) -> None:
    packed = {None: lambda b: b, "gzip": gzip.compress, "zstd": zstandard.compress}[pack](body)
    headers = {"content_encoding": pack} if pack else {}

    answer = await door.post(packed, media, **headers)

    assert answer.status_code == 200, answer.text
    got = answer.json()
    assert (got["received"], got["stored"], got["rejected"], got["rejects"]) == (2, 2, 0, [])
    rows = door.ingest.batches[0].rows.cast(ROW_SCHEMA).to_pylist()
    assert [r["attribute"] for r in rows] == ["waterLevel", "flow"]
    assert {r["source"] for r in rows} == {"probe-1"}
    assert rows[0]["number"] in (1.25, 1.5)
    assert rows[0]["observed_at"].utcoffset().total_seconds() == 0


async def test_values_go_where_they_belong(door: Any) -> None:
    point = {"type": "Point", "coordinates": [106.7, 11.0]}
    await door.post(
        _ndjson(
            _row(value=7),
            _row(value="cao"),
            _row(value=True),
            _row(value={"a": [1]}),
            _row(attribute="location", value=point),
            _row(value=2**70),
            {"entity": ENTITY, "attribute": "x", "number": 1.0},
            {
                "entity": ENTITY,
                "attribute": "x",
                "text": "y",
                "quality": 6,
                "type": "T",
                "dataset": "urn:d:1",
            },
        ),
        NDJSON,
    )
    rows = door.ingest.batches[0].rows.to_pylist()
    assert [r["number"] for r in rows] == [7.0, None, None, None, None, float(2**70), 1.0, None]
    assert [r["text"] for r in rows] == [None, "cao", None, None, None, None, None, "y"]
    assert json.loads(rows[2]["body"]) == {"value": True}
    assert json.loads(rows[3]["body"]) == {"value": {"a": [1]}}
    assert json.loads(rows[4]["body"]) == point
    assert rows[4]["kind"] == Kind.GEO_PROPERTY
    assert (rows[7]["quality"], rows[7]["entity_type"], rows[7]["dataset"]) == (6, "T", "urn:d:1")


async def test_bad_rows_get_their_reason_and_the_others_pass(door: Any) -> None:
    body = b"\n".join(
        [
            _ndjson(_row()),
            b'{"entity": "urn:x:1", "attribute": "a", "value": NaN}',
            _ndjson(_row(observedAt="2026-11-22T08:00:00")),
            b'{"entity": "urn:x:\xff", "attribute": "a", "value": 1}',
            b'{"entity": "urn:x:1", "attribute": "a", "value": ' + b"[" * 50_000,
            _ndjson(_row(value=1, number=2)),
            _ndjson(_row(valeu=1)),
            b'{"entity": "urn:x:1", "attribute": "a", "value": 1e999}',
            _ndjson(_row(attribute="last")),
            b'{"entity": "urn:x:1", "attrib',
        ]
    )
    answer = await door.post(body, NDJSON)

    assert answer.status_code == 200
    got = answer.json()
    assert (got["received"], got["stored"], got["rejected"]) == (10, 2, 8)
    assert len(got["rejects"]) == 5, "capped by rejects_shown"
    reasons = {r.row: r.reason for r in door.ingest.batches[0].rejected}
    assert reasons == {
        1: "json_malformed",
        2: "row_invalid",
        3: "utf8_invalid",
        4: "json_too_deep",
        5: "value_ambiguous",
        6: "row_invalid",
        7: "row_invalid",
        9: "json_malformed",
    }
    assert [r["attribute"] for r in door.ingest.batches[0].rows.to_pylist()] == [
        "waterLevel",
        "last",
    ]


async def test_bad_elements_of_an_array_get_their_index(door: Any) -> None:
    body = b"[" + b",".join([_ndjson(_row()), b"17", _ndjson(_row(quality="x")), b'{"entity":NaN}'])
    answer = await door.post(body + b"]", JSON)
    # NaN is not JSON at all, so the array as a whole cannot be split
    assert answer.status_code == 400
    answer = await door.post(json.dumps([_row(), 17, _row(quality="x")]).encode(), JSON)
    assert [(r["row"], r["reason"]) for r in answer.json()["rejects"]] == [
        (1, "row_invalid"),
        (2, "row_invalid"),
    ]


async def test_a_message_of_bad_rows_only_is_422(door: Any) -> None:
    answer = await door.post(b"nonsense", NDJSON)
    assert answer.status_code == 422
    assert answer.json()["rejects"][0]["reason"] == "json_malformed"


@pytest.mark.parametrize(
    ("body", "media", "headers", "status", "code"),
    [
        (b"[{", JSON, {}, 400, "json_malformed"),
        (b"<x/>", "text/xml", {}, 415, "media_type_unknown"),
        (b"[]", JSON, {"content_encoding": "br"}, 415, "encoding_unknown"),
        (
            gzip.compress(b"[]" * 99, mtime=0)[:20],
            JSON,
            {"content_encoding": "gzip"},
            400,
            "encoding_broken",
        ),
        (
            zstandard.compress(b" " * 5_000_000),
            JSON,
            {"content_encoding": "zstd"},
            413,
            "body_too_large",
        ),
        (
            gzip.compress(b" " * 5_000_000),
            ARROW,
            {"content_encoding": "gzip"},
            413,
            "body_too_large",
        ),
        (b" " * 200_001, JSON, {}, 413, "body_too_large"),
        (b'{"entity":"a"}\n' * 5_001, NDJSON, {}, 413, "too_many_rows"),
        (_arrow(_table())[:-40], ARROW, {}, 400, "arrow_malformed"),
        (b"ARROW1\0\0", ARROW, {}, 400, "arrow_malformed"),
        (_arrow(_table(5_001), compression="zstd"), ARROW, {}, 413, "too_many_rows"),
        (_arrow(pa.table({"entity": ["a"], "atribute": ["b"]})), ARROW, {}, 400, "arrow_columns"),
        (_arrow(_table(number=["x", "y", "z"])), ARROW, {}, 400, "arrow_columns"),
        (_arrow(_table().drop(["number"])), ARROW, {}, 400, "arrow_columns"),
        (_arrow(_table(source=["other"] * 3)), ARROW, {}, 400, "arrow_columns"),
        (
            _arrow(_table(observed_at=pa.array([1] * 3, pa.timestamp("us")))),
            ARROW,
            {},
            400,
            "arrow_columns",
        ),
    ],
)
async def test_an_unreadable_message_is_refused_and_counted(
    door: Any, body: bytes, media: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await door.post(body, media, **headers)

    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["code"] == code
    assert problem["detail"]
    assert problem["remedy"]
    (batch,) = door.ingest.batches
    assert batch.rows.num_rows == 0
    assert [(r.source, r.reason, r.count) for r in batch.rejected] == [("probe-1", code, 1)]
    assert (await door.post(_ndjson(_row()), NDJSON)).json()["stored"] == 1


async def test_arrow_bomb_in_compressed_buffers_is_refused_before_memory_is_taken(
    door: Any,
) -> None:
    body = _arrow(_table(1, text=["0" * 30_000_000]).drop(["number"]), compression="zstd")
    assert len(body) < 10_000
    answer = await door.post(body, ARROW)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_arrow_columns_are_cast_where_nothing_is_lost(door: Any) -> None:
    table = pa.table(
        {
            "entity": pa.array([ENTITY, ENTITY, None]).dictionary_encode(),
            "attribute": pa.array(["a", "b", "c"], pa.large_string()),
            "value": pa.array([1, 2, None], pa.int32()),
            "observedAt": pa.array([0, 2**60, 5], pa.timestamp("s", "Asia/Ho_Chi_Minh")),
            "quality": pa.array([1, 300, None], pa.int64()),
            "unit": pa.nulls(3),
        }
    )
    answer = await door.post(_arrow(table, compression="lz4"), ARROW)
    assert answer.status_code == 200, answer.text
    rows = door.ingest.batches[0].rows.cast(ROW_SCHEMA).to_pylist()
    assert [r["entity"] for r in rows] == [ENTITY, ENTITY, ""]
    assert [r["number"] for r in rows] == [1.0, 2.0, None]
    assert [r["quality"] for r in rows] == [1, 255, 0]
    assert rows[1]["observed_at"].year == 9999


async def test_idempotency_key_becomes_the_batch_of_that_source(door: Any) -> None:
    answer = await door.post(_ndjson(_row()), NDJSON, idempotency_key="k-1")
    assert answer.json()["batch"] == "http:probe-1:k-1"
    bad = await door.post(_ndjson(_row()), NDJSON, idempotency_key="k 1")
    assert bad.json()["code"] == "idempotency_key_invalid"
    first, second = [(await door.post(_ndjson(_row()), NDJSON)).json()["batch"] for _ in "ab"]
    assert first != second


async def test_the_token_decides_the_source(door: Any) -> None:
    post = door.client.post
    body = {"content": _ndjson(_row()), "headers": {"content-type": NDJSON}}
    assert (await post("/api/v1/observations?source=other", **body)).status_code == 403
    assert (await post("/api/v1/observations?source=probe-1", **body)).status_code == 200
    body["headers"]["authorization"] = ""
    assert (await post("/api/v1/observations", **body)).json()["code"] == "source_missing"
    assert (await post("/api/v1/observations?sorce=a", **body)).json()["code"] == (
        "parameter_unknown"
    )
    assert (await post("/api/v1/observations?source=named", **body)).status_code == 200
    assert door.ingest.batches[-1].rows["source"][0].as_py() == "named"


@pytest.mark.parametrize(("error", "status"), [(Overloaded(2), 429), (StoreUnavailable("x"), 503)])
async def test_back_pressure_reaches_the_sender(door: Any, error: Exception, status: int) -> None:
    door.ingest.error = error
    answer = await door.post(_ndjson(_row()), NDJSON)
    assert answer.status_code == status
    assert "retry-after" in answer.headers


async def test_empty_messages_are_fine(door: Any) -> None:
    for body, media in ((b"[]", JSON), (b"", NDJSON), (_arrow(_table(0)), ARROW)):
        answer = await door.post(body, media)
        assert (answer.status_code, answer.json()["received"]) == (200, 0), answer.text
