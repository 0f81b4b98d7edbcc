"""Topics and payloads to rows."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.intake.mqtt.mapping.inbound import Inbound
from dothi.intake.mqtt.mapping.mapper import Mapped, Mapper
from dothi.intake.mqtt.settings import FieldRule, MqttSettings, Rule
from dothi.model.problem import Problem
from dothi.model.quality import Quality
from dothi.model.row import ROW_SCHEMA, Kind

RECEIVED_US = 1_760_000_000_000_000
EMPTY = {"number": None, "text": None, "body": None, "unit": None}


def mapper(*rules: Rule, **settings: Any) -> Mapper:
    return Mapper(MqttSettings(rules=rules, **settings))


def put(mapper: Mapper, topic: str, payload: object, **fields: Any) -> Mapped:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return mapper.map([Inbound(topic, raw, RECEIVED_US, **fields)])


def rows(mapped: Mapped) -> list[dict[str, Any]]:
    assert mapped.rows.schema == ROW_SCHEMA
    assert mapped.rejected == ()
    return mapped.rows.to_pylist()


def values(mapped: Mapped) -> dict[str, Any]:
    return {
        row["attribute"]: next(
            row[column] for column in ("number", "text", "body") if row[column] is not None
        )
        for row in rows(mapped)
    }


def reasons(mapped: Mapped) -> list[str]:
    return [one.reason for one in mapped.rejected]


def test_a_flat_object_gives_one_row_per_attribute() -> None:
    found = rows(put(mapper(), "dothi/v1/pump-1", {"flow": 3, "state": "on", "alarm": True}))
    assert [row["attribute"] for row in found] == ["flow", "state", "alarm"]
    assert {row["entity"] for row in found} == {"urn:ngsi-ld:Device:pump-1"}
    assert {row["entity_type"] for row in found} == {"Device"}
    flow, state, alarm = found
    assert (flow["number"], state["text"], alarm["body"]) == (3.0, "on", '{"value":true}')
    assert alarm["number"] == 1.0
    assert flow["observed_at"].timestamp() * 1e6 == RECEIVED_US
    assert flow["source"] == "mqtt"


def test_a_value_with_its_own_unit_time_and_quality() -> None:
    payload = {
        "type": "WaterObserved",
        "observedAt": "2025-01-01T00:00:00Z",
        "level": {"value": 1.5, "unit": "m", "quality": "bad"},
        "rain": [
            {"value": 1, "observedAt": "2025-01-01T07:00:00+07:00", "unitCode": "MMT"},
            {"value": 2, "observedAt": 1735693200, "quality": 3, "datasetId": "urn:x:2"},
        ],
    }
    level, first, second = rows(put(mapper(), "dothi/v1/phu-an", payload))
    assert level["entity"] == "urn:ngsi-ld:WaterObserved:phu-an"
    assert (level["number"], level["unit"], level["quality"]) == (1.5, "m", Quality.BAD)
    assert first["observed_at"] == level["observed_at"]
    assert (first["number"], first["unit"]) == (1, "MMT")
    assert second["observed_at"].isoformat() == "2025-01-01T01:00:00+00:00"
    assert (second["quality"], second["dataset"]) == (Quality.UNCERTAIN, "urn:x:2")


def test_an_array_of_messages() -> None:
    mapped = put(mapper(), "dothi/v1/a", [{"x": 1, "observedAt": 1}, {"x": 2, "observedAt": 2}, 3])
    assert [row["observed_at"].timestamp() for row in mapped.rows.to_pylist()] == [1, 2]
    assert [(one.reason, one.row) for one in mapped.rejected] == [("shape_unexpected", 2)]
    assert mapped.reasons == ("",)


def test_other_kinds_of_attributes() -> None:
    point = {"type": "Point", "coordinates": [106.7, 10.8]}
    payload = {
        "location": point,
        "route": {"type": "GeoProperty", "value": point},
        "refDevice": {"type": "Relationship", "object": "urn:ngsi-ld:Device:1"},
        "settings": {"a": [1, 2]},
        "levels": [1, 2, 3],
        "speed": {"value": 3, "accuracy": 0.1},
        "off": None,
    }
    found = {row["attribute"]: row for row in rows(put(mapper(), "dothi/v1/a", payload))}
    assert json.loads(found["location"]["body"]) == point
    assert found["location"]["kind"] == found["route"]["kind"] == Kind.GEO_PROPERTY
    assert found["refDevice"]["kind"] == Kind.RELATIONSHIP
    assert found["refDevice"]["text"] == "urn:ngsi-ld:Device:1"
    assert json.loads(found["settings"]["body"]) == {"value": {"a": [1, 2]}}
    assert json.loads(found["levels"]["body"]) == {"value": [1, 2, 3]}
    assert json.loads(found["speed"]["body"]) == {"value": 3, "accuracy": 0.1}
    assert found["speed"]["number"] == 3
    assert found["off"]["quality"] == Quality.MISSING


def test_one_bad_attribute_leaves_its_neighbours() -> None:
    mapped = put(mapper(), "dothi/v1/a", {"x": {"value": 1, "quality": "superb"}, "y": 2})
    assert [row["attribute"] for row in mapped.rows.to_pylist()] == ["y"]
    [rejected] = mapped.rejected
    assert rejected.reason == "quality_unknown"
    assert "`x`" in rejected.detail
    assert "dothi/v1/a" in rejected.detail
    assert mapped.reasons == ("",)


@pytest.mark.parametrize(
    ("given_id", "expected"),
    [
        ("urn:ngsi-ld:Pump:7", ("urn:ngsi-ld:Pump:7", "Pump")),
        ("urn:dev:mac:0024befffe804ff1", ("urn:dev:mac:0024befffe804ff1", "Device")),
        ("AA:BB", ("urn:ngsi-ld:Device:AA:BB", "Device")),
        ("cầu số 1", ("urn:ngsi-ld:Device:c%E1%BA%A7u%20s%E1%BB%91%201", "Device")),
    ],
)
def test_entity_ids(given_id: str, expected: tuple[str, str]) -> None:
    [row] = rows(put(mapper(), f"dothi/v1/{given_id}/x", b"1"))
    assert (row["entity"], row["entity_type"]) == expected


@pytest.mark.parametrize(
    ("payload", "number", "text"),
    [
        (b"21.5", 21.5, None),
        (b" -3e2\n", -300.0, None),
        (b"on", None, "on"),
        (b"1_000", None, "1_000"),
        (b'"21.5"', None, "21.5"),
        (b'{"value": 4, "observedAt": 5}', 4, None),
        ("nước lớn".encode(), None, "nước lớn"),
    ],
)
def test_plain_values(payload: bytes, number: float | None, text: str | None) -> None:
    [row] = rows(put(mapper(), "dothi/v1/a/x", payload))
    assert (row["number"], row["text"]) == (number, text)


@pytest.mark.parametrize(
    ("time", "iso"),
    [
        ("2025-01-01T07:00:00+07:00", "2025-01-01T00:00:00+00:00"),
        ("2025-01-01T00:00:00.123456Z", "2025-01-01T00:00:00.123456+00:00"),
        (1_735_689_600, "2025-01-01T00:00:00+00:00"),
        (1_735_689_600.25, "2025-01-01T00:00:00.250000+00:00"),
        (1_735_689_600_000, "2025-01-01T00:00:00+00:00"),
        (1_735_689_600_000_000, "2025-01-01T00:00:00+00:00"),
        (1_735_689_600_000_000_000, "2025-01-01T00:00:00+00:00"),
    ],
)
def test_times(time: object, iso: str) -> None:
    [row] = rows(put(mapper(), "dothi/v1/a", {"x": 1, "observedAt": time}))
    assert row["observed_at"].isoformat() == iso


@pytest.mark.parametrize(
    "time", ["", "tomorrow", "2025-01-01T00:00:00", "2025-13-01T00:00:00Z", True, [], 1e30]
)
def test_times_that_are_none(time: object) -> None:
    assert reasons(put(mapper(), "dothi/v1/a", {"x": 1, "observedAt": time})) == ["time_invalid"]


def test_a_zone_for_times_without_offset() -> None:
    rule = Rule(topic="own/{entity}", zone="Asia/Ho_Chi_Minh")
    [row] = rows(put(mapper(rule), "own/a", {"x": 1, "observedAt": "2025-01-01T07:00:00"}))
    assert row["observed_at"].isoformat() == "2025-01-01T00:00:00+00:00"


def test_a_gateway_payload_with_its_own_names() -> None:
    rule = Rule(
        topic="v3/{app}/devices/{entity}/up",
        type="{payload.kind|Sensor}",
        source="ttn-{app}",
        root="uplink_message.decoded_payload",
        time="uplink_message.received_at",
        fields={"t": FieldRule(attribute="temperature", unit="CEL", scale=0.1), "h": "humidity"},
        keep_other_fields=False,
    )
    payload = {
        "end_device_ids": {"device_id": "x"},
        "uplink_message": {
            "received_at": "2025-01-01T00:00:00Z",
            "decoded_payload": {"t": 215, "h": 60, "debug": 1},
        },
    }
    found = rows(put(mapper(rule), "v3/city/devices/s-9/up", payload))
    assert [(row["attribute"], row["number"], row["unit"]) for row in found] == [
        ("temperature", 21.5, "CEL"),
        ("humidity", 60.0, None),
    ]
    assert {row["entity"] for row in found} == {"urn:ngsi-ld:Sensor:s-9"}
    assert {row["source"] for row in found} == {"ttn-city"}
    assert found[0]["observed_at"].isoformat() == "2025-01-01T00:00:00+00:00"


def test_the_entity_inside_the_payload() -> None:
    rule = Rule(topic="+/telemetry", entity="{payload.dev.id}", type="Meter")
    assert values(put(mapper(rule), "any/telemetry", {"dev": {"id": 7}, "x": 1}))["x"] == 1
    mapped = put(mapper(rule), "any/telemetry", {"x": 1})
    assert reasons(mapped) == ["variable_missing"]


def test_the_proven_source_goes_before_the_template() -> None:
    rule = Rule(topic="s/{source}/{entity}", source="{source}")
    assert rows(put(mapper(rule), "s/claimed/a", {"x": 1}))[0]["source"] == "claimed"
    proven = put(mapper(rule), "s/claimed/a", {"x": 1}, source="proven")
    assert rows(proven)[0]["source"] == "proven"
    assert reasons(put(mapper(rule), "s/bad name/a", {"x": 1})) == ["source_invalid"]


def test_a_stale_message_is_uncertain_unless_it_says_otherwise() -> None:
    stale = put(mapper(), "dothi/v1/a", {"x": 1, "y": {"value": 1, "quality": 1}}, is_stale=True)
    assert [row["quality"] for row in rows(stale)] == [Quality.UNCERTAIN, Quality.GOOD]


SENML_EXAMPLES = {
    # RFC 8428, clauses 5.1.2, 5.1.3 and 5.1.4, shortened
    "single": (
        [{"n": "urn:dev:ow:10e2073a01080063", "u": "Cel", "v": 23.1}],
        [("urn:dev:ow:10e2073a01080063", "value", 23.1, "Cel", RECEIVED_US)],
    ),
    "base name": (
        [
            {"bn": "urn:dev:ow:10e2073a01080063:", "n": "voltage", "u": "V", "v": 120.1},
            {"n": "current", "u": "A", "v": 1.2},
        ],
        [
            ("urn:dev:ow:10e2073a01080063", "voltage", 120.1, "V", RECEIVED_US),
            ("urn:dev:ow:10e2073a01080063", "current", 1.2, "A", RECEIVED_US),
        ],
    ),
    "base time and unit": (
        [
            {"bn": "urn:dev:ow:10e2073a0108006:", "bt": 1.276020076001e9, "bu": "A", "bver": 5},
            {"n": "voltage", "u": "V", "v": 120.1},
            {"n": "current", "t": -5, "v": 1.2},
        ],
        [
            ("urn:dev:ow:10e2073a0108006", "voltage", 120.1, "V", 1276020076001000),
            ("urn:dev:ow:10e2073a0108006", "current", 1.2, "A", 1276020071001000),
        ],
    ),
    "relative time": (
        [{"n": "dev1/t", "v": 1, "t": -60}],
        [("urn:ngsi-ld:Device:dev1", "t", 1.0, None, RECEIVED_US - 60_000_000)],
    ),
    "base value and sum": (
        [{"bn": "dev1/", "bv": 20, "bs": 100, "n": "t", "v": 1.5, "s": 5}, {"n": "u"}],
        [
            ("urn:ngsi-ld:Device:dev1", "t", 21.5, None, RECEIVED_US),
            ("urn:ngsi-ld:Device:dev1", "tSum", 105.0, None, RECEIVED_US),
            ("urn:ngsi-ld:Device:dev1", "u", 20.0, None, RECEIVED_US),
        ],
    ),
}


@pytest.mark.parametrize(("pack", "expected"), SENML_EXAMPLES.values(), ids=SENML_EXAMPLES.keys())
def test_senml(pack: object, expected: list[tuple[object, ...]]) -> None:
    found = rows(put(mapper(), "dothi/senml", pack))
    shown = [
        (
            row["entity"],
            row["attribute"],
            row["number"],
            row["unit"],
            round(row["observed_at"].timestamp() * 1e6),
        )
        for row in found
    ]
    assert shown == expected


def test_senml_of_other_types_under_the_entity_of_the_topic() -> None:
    pack = [{"n": "open", "vb": True}, {"n": "label", "vs": "x"}, {"n": "raw", "vd": "aGkg"}]
    found = rows(put(mapper(), "dothi/senml/door-1", pack))
    assert {row["entity"] for row in found} == {"urn:ngsi-ld:Device:door-1"}
    assert [row["body"] or row["text"] for row in found] == ['{"value":true}', "x", "aGkg"]


@pytest.mark.parametrize(
    "pack",
    [
        {"n": "a", "v": 1},
        [],
        [1],
        [{"n": "a", "v": "1"}],
        [{"n": "a", "v": True}],
        [{"n": "a", "v": 1, "vs": "x"}],
        [{"n": "a", "v": 1, "later_": 1}],
        [{"n": "a", "bver": 11, "v": 1}],
        [{"n": "-a", "v": 1}],
        [{"n": "ă", "v": 1}],
        [{"n": "a"}],
    ],
)
def test_senml_that_is_none(pack: object) -> None:
    assert reasons(put(mapper(), "dothi/senml/x", pack)) == ["senml_malformed"]


def test_equal_rejections_are_counted_in_one() -> None:
    found = mapper().map([Inbound("dothi/v1/a/b", b"nan", RECEIVED_US)] * 1000)
    [rejected] = found.rejected
    assert (rejected.count, rejected.reason, rejected.sample) == (1000, "not_finite", "nan")


def test_the_first_rule_that_fits_is_taken_and_defaults_come_last() -> None:
    own = Rule(topic="dothi/v1/{entity}", type="Own")
    assert rows(put(mapper(own), "dothi/v1/a", {"x": 1}))[0]["entity_type"] == "Own"
    bare = mapper(default_rules=False)
    assert reasons(put(bare, "dothi/v1/a", {"x": 1})) == ["topic_unknown"]
    assert bare.filters == ()
    assert mapper(own).filters[0] == "dothi/v1/+"


@pytest.mark.parametrize(
    "rule", [Rule(topic="a/#/b"), Rule(topic=""), Rule(topic="a/{entity}", zone="Mars/Base")]
)
def test_unusable_rules_are_problems_with_a_remedy(rule: Rule) -> None:
    with pytest.raises(Problem) as caught:
        mapper(rule)
    assert caught.value.remedy


ALL_TOPICS = st.sampled_from(
    ["dothi/v1/a", "dothi/v1/a/b", "dothi/senml/a", "dothi/senml", "x", "dothi/v1//"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(
    ["value", "observedAt", "unit", "quality", "type", "object", "coordinates", "n", "v", "bt", "s"]
) | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


def _accounted(mapped: Mapped) -> None:
    assert mapped.rows.schema == ROW_SCHEMA
    assert mapped.rows.num_rows or mapped.rejected
    mapped.rows.validate(full=True)
    for one in mapped.rejected:
        assert one.reason
        assert one.detail
        assert len(one.sample) <= 700


@given(ALL_TOPICS, st.binary(min_size=1, max_size=200))
def test_any_bytes_become_rows_or_a_rejection(topic: str, payload: bytes) -> None:
    _accounted(put(MAPPER, topic, payload))


@given(ALL_TOPICS, JSON)
def test_any_json_becomes_rows_or_a_rejection(topic: str, payload: object) -> None:
    _accounted(put(MAPPER, topic, payload))


@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=6), st.floats(-1e9, 1e9), min_size=1))
def test_numbers_arrive_as_they_were_sent(payload: dict[str, float]) -> None:
    assert values(put(MAPPER, "dothi/v1/a", payload)) == payload


MAPPER = mapper()
