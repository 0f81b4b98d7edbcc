"""Documents in, rows, documents out: nothing is lost, and any JSON is read or refused by place."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.attribute_reading import AttributeReader, Mode
from dothi.facades.ngsi_ld.wire.body import columns, restore
from dothi.facades.ngsi_ld.wire.merge_reading import PatchReader
from dothi.facades.ngsi_ld.wire.negotiation import choose_media_type, context_link
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.facades.ngsi_ld.wire.representation import Format, Writer
from dothi.model.row import ROW_SCHEMA, Kind
from thorough import examples

_names = st.from_regex(r"[a-z][a-z0-9_]{0,5}x", fullmatch=True)
_leaves = st.one_of(
    st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False)
) | st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=6,
)
_uris = _names.map(lambda name: f"urn:ngsi-ld:{name}")
_times = st.sampled_from(["2026-01-01T00:00:00Z", "1999-12-31T23:59:59.5Z"])


def _attribute(kind: str, key: str, value: Any, *, has_unit: bool = False) -> Any:
    units = {"unitCode": st.sampled_from(["CEL", "GQ", "own unit", "°C"])} if has_unit else {}
    return st.fixed_dictionaries(
        {"type": st.just(kind), key: value},
        optional={
            **units,
            "observedAt": _times,
            "subx": st.fixed_dictionaries({"type": st.just("Property"), "value": _values}),
        },
    )


_attributes = st.one_of(
    _attribute("Property", "value", _values, has_unit=True),
    _attribute("Relationship", "object", _uris | st.lists(_uris, min_size=1, max_size=2)),
    _attribute("LanguageProperty", "languageMap", st.just({"vi": "à", "en": ["a", "b"]})),
    _attribute("VocabProperty", "vocab", _names | st.lists(_names, min_size=1, max_size=2)),
    _attribute("JsonProperty", "json", st.dictionaries(_names, _values | st.none(), max_size=3)),
    _attribute("ListProperty", "valueList", st.lists(_values, max_size=3)),
    _attribute("GeoProperty", "value", st.just({"type": "Point", "coordinates": [1.5, 2]})),
    _attribute("ListRelationship", "objectList", st.lists(_uris.map(lambda u: {"object": u}))),
)


@given(_attributes)
@settings(max_examples=examples(300))
def test_an_attribute_survives_its_row(attribute: dict[str, Any]) -> None:
    [read] = AttributeReader(CORE_CONTEXT).attribute("ax", attribute)
    held = columns(read)
    back = restore(read.name, read.kind, held, read.dataset, read.observed_at)
    assert back == read
    assert Writer(CORE_CONTEXT).normalized(back) == attribute


@given(_attributes)
def test_the_concise_form_means_the_same(attribute: dict[str, Any]) -> None:
    reader = AttributeReader(CORE_CONTEXT)
    concise = {key: value for key, value in attribute.items() if key != "type"}
    [read] = reader.attribute("ax", attribute)
    if read.kind is not Kind.GEO_PROPERTY or isinstance(concise.get("value"), dict):
        assert reader.attribute("ax", concise) == [read]


def test_plain_values_take_no_body() -> None:
    reader = AttributeReader(CORE_CONTEXT)
    for raw, number, text in (
        (5, 5.0, None),
        ("x", None, "x"),
        ({"object": "urn:x:1"}, None, "urn:x:1"),
    ):
        held = columns(reader.attribute("ax", raw)[0])
        assert (held.number, held.text, held.body) == (number, text, None)
    big = columns(reader.attribute("ax", 2**60 + 1)[0])
    assert big.body == '{"value":1152921504606846977}'


_keys = st.sampled_from(
    [
        *("type", "value", "object", "id", "a", "languageMap", "coordinates", "datasetId"),
        *("observedAt", "unitCode", "json", "valueList", "objectList", "vocab", "scope"),
    ]
)
_any_json = st.recursive(
    st.none() | _leaves | st.sampled_from(["urn:ngsi-ld:null", "Property", "Point", "urn:x:1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            _keys,
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_any_json, st.sampled_from(Mode))
@settings(max_examples=examples(500))
def test_any_document_is_read_or_refused(document: Any, mode: Mode) -> None:
    reader = (
        PatchReader(CORE_CONTEXT, mode, lang="vi")
        if mode in {Mode.PARTIAL, Mode.MERGE}
        else Reader(CORE_CONTEXT, mode)
    )
    try:
        draft = reader.fragment(document, "")
    except NgsiError as error:
        assert error.kind == "BadRequestData"
        return
    if mode is not Mode.WHOLE:
        return
    rows = RowBuilder("s")
    for instance in draft.instances:
        rows.assign("urn:x:1", instance)
    assert rows.cells().table().schema == ROW_SCHEMA


def test_several_datasets_in_the_simplified_form() -> None:
    writer = Writer(CORE_CONTEXT, Format.SIMPLIFIED)
    [read] = AttributeReader(CORE_CONTEXT).attribute("ax", {"languageMap": {"vi": "x"}})
    assert writer.simplified(read) == {"languageMap": {"vi": "x"}}


def test_accept() -> None:
    offered = ("application/json", "application/ld+json", "application/geo+json")
    for accept, expected in (
        ("", 0),
        ("*/*", 0),
        ("application/*", 0),
        ("application/ld+json", 1),
        ("application/json;q=0.5, application/ld+json", 1),
        ("application/geo+json, application/ld+json", 1),
        ("*/*, application/json;q=0", 1),
        ("text/html, application/geo+json;q=0.1", 2),
        ("application/ld+json;profile=x;q=nonsense, application/json", 0),
    ):
        assert choose_media_type(accept, offered) == offered[expected], accept


@given(st.text(max_size=60))
def test_any_headers_are_read_or_refused(text: str) -> None:
    for use in (lambda: choose_media_type(text, ("a/b",)), lambda: context_link([text])):
        try:
            use()
        except NgsiError as error:
            assert error.status in {400, 406}


def test_links() -> None:
    rel = 'rel="http://www.w3.org/ns/json-ld#context"'
    url = "https://c.example.org/a,b;c.jsonld"
    for header in (
        f'<{url}>; {rel}; type="application/ld+json"',
        f'</x>; rel="next", <{url}>;type="application/ld+json";{rel}',
        f"<{url}>; rel=http://www.w3.org/ns/json-ld#context",
    ):
        assert context_link([header]) == url
    assert context_link(['</x>; rel="next"']) is None
