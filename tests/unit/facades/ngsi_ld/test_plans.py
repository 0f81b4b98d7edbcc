"""What is read by a plan is what the reader of all attributes makes of it, errors included."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.wire import attribute_reading
from dothi.facades.ngsi_ld.wire.attribute_reading import AttributeReader, Mode
from dothi.facades.ngsi_ld.wire.kinds import BY_NAME, NGSI_NULL
from dothi.facades.ngsi_ld.wire.plans import plan_of
from dothi.facades.ngsi_ld.wire.request import decode
from thorough import examples

_values = st.sampled_from(
    [
        *(1, 2.5, True, None, "à", "", NGSI_NULL, 2**60, [], {}, [1, None], "urn:x:1", "no uri"),
        *([NGSI_NULL], ["urn:x:1"], {"vi": "à"}, {"vi": ["à", 1]}, {"no tag": "x"}, {"vi": []}),
        *({"@none": NGSI_NULL}, {"type": "Point", "coordinates": [106.5, 10.5]}),
        *({"type": "Point", "coordinates": [200.0, 1.0]}, {"a": NGSI_NULL}, {"type": "Property"}),
        *({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, {"value": 1}),
        *([{"object": "urn:x:1"}], '{"type":"Point","coordinates":[1,2]}'),
    ]
)
_members = {
    "unitCode": st.sampled_from(["CEL", "own unit", "", 1, None, NGSI_NULL]),
    "observedAt": st.sampled_from(
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.50Z", "2026-13-01T00:00:00Z", 5, NGSI_NULL]
    ),
    "createdAt": st.just("2026-01-01T00:00:00Z"),
    "datasetId": st.just("urn:x:dataset"),
    "coordinates": st.just([1, 2]),
    "accuracy": st.just({"value": 1}),
}
_kinds = st.sampled_from([*BY_NAME, "Nothing", "Point", None, 1, []])
_keys = ["value", "object", "languageMap", "vocab", "json", "valueList", "objectList"]
_attributes = st.fixed_dictionaries(
    {}, optional={"type": _kinds, **dict.fromkeys(_keys, _values), **_members}
) | st.builds(
    lambda kind, value, more: {"type": kind, BY_NAME[kind].value_key: value, **more},
    st.sampled_from(list(BY_NAME)),
    _values,
    st.fixed_dictionaries({}, optional=_members),
)


def _read(mode: Mode, name: str, raw: Any) -> Any:
    try:
        return AttributeReader(CORE_CONTEXT, mode).instance(name, raw, name)
    except NgsiError as error:
        return error.body()


@given(_attributes, st.sampled_from(Mode), st.sampled_from(["a", "location", "ngsildproof"]))
@settings(max_examples=examples(600))
def test_a_plan_reads_what_the_reader_of_all_attributes_reads(
    raw: dict[str, Any], mode: Mode, name: str
) -> None:
    planned = _read(mode, name, raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attribute_reading, "plan_of", lambda _raw: None)
        assert planned == _read(mode, name, raw)


def test_plain_attributes_have_a_plan() -> None:
    assert plan_of({"type": "Property", "value": 1, "unitCode": "CEL"}) is not None
    assert plan_of({"observedAt": "2026-01-01T00:00:00Z", "value": 1}) is not None
    assert plan_of({"value": 1, "accuracy": {"value": 2}}) is None
    assert plan_of({"type": "Property", "object": "urn:x:1"}) is None


@given(
    st.lists(st.integers(0, 102), min_size=1, max_size=3),
    st.lists(st.integers(0, 99), max_size=3),
    st.booleans(),
)
@settings(max_examples=examples(100))
def test_a_body_is_refused_when_it_is_nested_more_than_100_deep(
    depths: list[int], flat: list[int], is_array: bool
) -> None:
    parts = ["[" * depth + "]" * depth for depth in depths if depth]
    parts += [f'"{"{" * count}"' for count in flat]
    raw = f" [{','.join(parts)}]" if is_array else f'{{"a": [{",".join(parts)}]}}'
    if max(depths) + (1 if is_array else 2) <= 100:
        assert decode(raw.encode()) == msgspec.json.decode(raw)
    else:
        with pytest.raises(NgsiError):
            decode(raw.encode())
