"""Admit: every reason, units, flags, and that nothing is lost on the way."""

from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rows import NOW, batch

from dothi.model.attribute_spec import AttributeSpec
from dothi.model.row import Change
from dothi.pipeline.admit import admit

SPECS = {"level": AttributeSpec("level", "MTR", -1.0, 10.0, 0.0, 4.0)}


@pytest.mark.parametrize(
    ("reason", "columns"),
    [
        ("entity_invalid", {"entity": "no uri"}),
        ("entity_invalid", {"entity": "urn:x:" + "y" * 2000}),
        ("attribute_invalid", {"attribute": "two words"}),
        ("attribute_invalid", {"attribute": ""}),
        ("attribute_invalid", {"attribute": "@context"}),
        ("geometry_invalid", {"attribute": "location"}),
        ("entity_type_invalid", {"entity_type": "two words"}),
        ("entity_type_invalid", {"entity_type": ""}),
        ("entity_type_invalid", {"entity_type": "../../../../tmp/evil"}),
        ("entity_type_invalid", {"entity_type": "a/../b"}),
        ("entity_type_invalid", {"entity_type": "T" * 513}),
        ("not_finite", {"number": float("nan")}),
        ("not_finite", {"number": float("-inf")}),
        ("value_missing", {"number": None}),
        ("time_in_future", {"observed_at": NOW + timedelta(minutes=6)}),
        ("time_in_future", {"observed_at": NOW.replace(year=9999)}),
        ("time_out_of_range", {"observed_at": NOW.replace(year=1899)}),
        ("quality_unknown", {"quality": 2}),
        ("kind_unknown", {"kind": 77}),
        ("geometry_invalid", {"attribute": "location", "kind": 3, "body": "{}"}),
        (
            "geometry_invalid",
            {"attribute": "p", "kind": 3, "body": '{"type":"Point","coordinates":[999,0]}'},
        ),
        ("unit_unknown", {"unit": "parsec"}),
        ("unit_mismatch", {"unit": "CEL"}),
        ("value_too_large", {"text": "x" * 1_000_001}),
        ("json_too_deep", {"number": None, "body": "[" * 101 + "]" * 101}),
        ("json_too_deep", {"number": None, "body": '{"a":' * 20_000 + "1" + "}" * 20_000}),
    ],
)
def test_bad_rows_are_refused_with_their_reason(reason: str, columns: dict) -> None:
    good, bad = batch(number=1.0), batch(**({"number": 1.0} | columns))
    group = admit([good, bad], SPECS)
    assert group.rows["batch_no"].to_pylist() == [0]
    assert group.rejected[0] == ()
    [found] = group.rejected[1]
    assert found.reason == reason
    assert found.row == 0
    assert found.source == "s1"
    assert found.detail


@pytest.mark.parametrize("body", ["[" * 100 + "]" * 100, f"[{'[],' * 500}[]]", f'"{"[" * 500}"'])
def test_values_are_nested_as_deep_as_any_document(body: str) -> None:
    assert admit([batch(body=body), batch(number=1.0)], {}).rejected == ((), ())


@pytest.mark.parametrize(
    "name", [None, "WaterObserved", "Trạm_Mưa", "1-wire", "https://example.org/types/Gauge#2"]
)
def test_types_are_names_or_iris_or_left_out(name: str | None) -> None:
    group = admit([batch(number=1.0, entity_type=name), batch(number=2.0)], {})
    assert group.rejected == ((), ())


@pytest.mark.parametrize("us", [-62_135_646_400_000_000, 253_402_351_199_000_000, -(2**62), 2**62])
def test_a_time_beyond_the_years_of_python_disturbs_nobody_else(us: int) -> None:
    good, bad = batch(number=1.0), batch(number=2.0)
    at = bad.rows.schema.get_field_index("observed_at")
    times = pa.array([us], pa.int64()).cast(bad.rows["observed_at"].type)
    group = admit([good, replace(bad, rows=bad.rows.set_column(at, "observed_at", times))], SPECS)
    assert group.rows["batch_no"].to_pylist() == [0]
    [found] = group.rejected[1]
    assert found.reason in {"time_in_future", "time_out_of_range"}


def test_only_telemetry_is_refused_for_a_time_ahead() -> None:
    ahead = {"observed_at": NOW + timedelta(days=9), "number": 1.0}
    assert admit([batch(**ahead, change=int(Change.ASSIGN))], SPECS).rows.num_rows == 1
    assert admit([batch(**ahead, change=int(Change.UPSERT))], SPECS).rows.num_rows == 0


def test_a_reject_shows_the_unit_that_was_sent() -> None:
    [found] = admit([batch(number=1.0, unit="furlong")], SPECS).rejected[0]
    assert "furlong" in found.sample


def test_units_of_senml_are_known() -> None:
    columns = {"attribute": "humidity", "number": 61.0, "unit": "%RH"}
    assert admit([batch(**columns)], SPECS).rows["unit"].to_pylist() == ["P1"]


def test_units_are_converted_and_flags_follow_the_limits() -> None:
    columns = {"number": [150.0, 500.0, -500.0, 3.0, 2.0], "unit": ["cm", "cm", "cm", "m", None]}
    rows = admit([batch(**columns)], SPECS).rows
    assert rows["number"].to_pylist() == pytest.approx([1.5, 5.0, -5.0, 3.0, 2.0])
    assert rows["unit"].to_pylist() == ["MTR"] * 5
    assert rows["quality"].to_pylist() == [1, 3, 4, 1, 1]


def test_what_ngsi_ld_clients_tell_is_not_lost() -> None:
    """4.6.4: no unit is added; of a converted number the body keeps what was told."""
    units = ["cm", "m", None]
    for change in (Change.ASSIGN, Change.RECORD):
        columns = {"number": [150.0, 3.0, 2.0], "unit": units, "body": ['{"a":1}', None, None]}
        rows = admit([batch(**columns, change=change)], SPECS).rows
        assert rows["number"].to_pylist() == pytest.approx([1.5, 3.0, 2.0])
        assert rows["unit"].to_pylist() == ["MTR", "MTR", None]
        assert rows["body"].to_pylist() == ['{"value":150,"unitCode":"cm","a":1}', None, None]
    exact = admit([batch(number=12.5, unit="cm", change=Change.ASSIGN)], SPECS).rows
    assert exact["body"].to_pylist() == ['{"value":12.5,"unitCode":"cm"}']


def test_the_senders_flag_is_kept() -> None:
    rows = admit([batch(number=[50.0, 1.0], quality=[5, 4])], SPECS).rows
    assert rows["quality"].to_pylist() == [5, 4]


def test_text_becomes_nfc() -> None:
    decomposed = "Thu\u0309 Dâ\u0300u"
    rows = admit([batch(attribute="name", text=decomposed, observed_at=None)], {}).rows
    assert rows["text"].to_pylist() == ["Thủ Dầu"]


def test_many_bad_rows_are_told_one_by_one_and_then_counted() -> None:
    [found] = admit([batch(number=[float("nan")] * 1000)], {}).rejected
    assert sum(r.count for r in found) == 1000
    assert len(found) == 21


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(), st.floats(-1e6, 1e6)),
            st.one_of(st.just("urn:a:b"), st.text(max_size=20)),
            st.one_of(st.just("level"), st.text(max_size=8)),
            st.one_of(st.none(), st.text(max_size=5)),
            st.datetimes().map(lambda t: t.replace(tzinfo=NOW.tzinfo)),
            st.integers(0, 255),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_row_is_either_admitted_or_refused(rows: list[tuple]) -> None:
    number, entity, attribute, unit, observed_at, quality = zip(*rows, strict=True)
    made = batch(
        number=list(number),
        entity=list(entity),
        attribute=list(attribute),
        unit=list(unit),
        observed_at=list(observed_at),
        quality=list(quality),
    )
    group = admit([made], SPECS)
    refused = sum(r.count for r in group.rejected[0])
    assert group.rows.num_rows + refused == len(rows)
    assert set(group.rows["quality"].to_pylist()) <= {1, 3, 4, 5, 6, 9}
