"""Merging attributes against the algorithm of RFC 7396, with NGSI-LD Null in the place of null."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.wire.attribute_reading import AttributeReader, Mode
from dothi.facades.ngsi_ld.wire.body import canonical
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.merge_reading import PatchReader
from dothi.facades.ngsi_ld.wire.merging import appended, merged, partially_updated

_names = st.sampled_from(["ax", "bx", "cx"])
_leaves = st.integers(0, 9) | st.sampled_from(["x", "y"]) | st.lists(st.integers(), max_size=2)


def _values(leaves: Any) -> Any:
    return st.recursive(leaves, lambda inner: st.dictionaries(_names, inner, max_size=3))


_stored_values = st.dictionaries(_names, _values(_leaves), max_size=3)
_changes = st.dictionaries(_names, _values(_leaves | st.just(NGSI_NULL)), max_size=3)


def _rfc_7396(target: Any, change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    found = dict(target) if isinstance(target, dict) else {}
    for name, part in change.items():
        if part == NGSI_NULL:
            found.pop(name, None)
        else:
            found[name] = _rfc_7396(found.get(name), part)
    return found


def _patch(raw: Any, mode: Mode = Mode.MERGE) -> Any:
    return PatchReader(CORE_CONTEXT, mode).patch("ax", raw, "ax")


def _instance(raw: Any) -> Any:
    return AttributeReader(CORE_CONTEXT).instance("ax", raw, "ax")


@given(_stored_values, _changes)
def test_values_are_merged_as_rfc_7396_says(value: Any, change: Any) -> None:
    old = _instance({"type": "Property", "value": value, "unitCode": "CEL"})
    found = merged(old, _patch({"type": "Property", "value": change}))
    assert found.value == _rfc_7396(value, change)
    assert found.unit == "CEL"


_sub_attributes = st.dictionaries(
    _names,
    st.fixed_dictionaries(
        {"type": st.just("Property"), "value": _stored_values},
        optional={"dx": st.fixed_dictionaries({"type": st.just("Property"), "value": _leaves})},
    ),
    max_size=3,
)
_sub_changes = st.dictionaries(
    _names,
    st.just(NGSI_NULL)
    | st.fixed_dictionaries(
        {"type": st.just("Property"), "value": _changes},
        optional={
            "dx": st.just(NGSI_NULL)
            | st.fixed_dictionaries({"type": st.just("Property"), "value": _leaves})
        },
    ),
    max_size=3,
)


@given(_sub_attributes, _sub_changes)
def test_sub_attributes_are_merged_as_rfc_7396_says(subs: Any, changes: Any) -> None:
    old = _instance({"type": "Property", "value": 1, **subs})
    found = merged(old, _patch(changes | {"type": "Property"}))
    assert canonical(found) == _rfc_7396(canonical(old), changes)


@given(_changes)
def test_what_is_appended_holds_no_null(change: Any) -> None:
    found = appended(_patch({"value": change, "ax": NGSI_NULL}))
    assert found.value == _rfc_7396({}, change)
    assert found.members == {}


@given(_sub_attributes, _sub_attributes, st.sets(_names))
def test_a_partial_update_replaces_members_whole(old: Any, new: Any, gone: set[str]) -> None:
    given = {"type": "Property", "value": 1, **old}
    changes = new | dict.fromkeys(gone, NGSI_NULL)
    found = partially_updated(_instance(given), _patch(changes | {"value": 2}, Mode.PARTIAL))
    expected = {n: m for n, m in (given | changes).items() if m != NGSI_NULL}
    assert canonical(found) == expected | {"value": 2}


def test_instances_of_sub_attributes_are_told_apart_by_dataset() -> None:
    subs = [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}]
    old = _instance({"value": 0, "bx": subs})
    changes = [{"value": NGSI_NULL}, {"value": 3, "datasetId": "urn:d:2"}]
    found = merged(old, _patch({"bx": changes})).members["bx"]
    assert [(part["value"], part["datasetId"]) for part in found] == [
        (2, "urn:d:1"),
        (3, "urn:d:2"),
    ]
    changes = [{"value": NGSI_NULL, "datasetId": "urn:d:1"}, {"value": NGSI_NULL}]
    assert "bx" in merged(old, _patch({"bx": changes[:1]})).members
    assert "bx" not in merged(old, _patch({"bx": changes})).members


def test_another_kind_is_refused_at_any_depth() -> None:
    old = _instance({"value": 0, "bx": {"object": "urn:x:1"}})
    for raw in (
        {"object": "urn:x:1"},
        {"bx": {"value": 1}},
        {"bx": "x"},
        {"cx": {"unitCode": "CEL"}},
    ):
        try:
            merged(old, _patch(raw))
        except NgsiError as error:
            assert error.kind == "BadRequestData"
        else:
            raise AssertionError(raw)
