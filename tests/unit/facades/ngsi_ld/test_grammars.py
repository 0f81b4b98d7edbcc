"""Scope queries, orders, collations, projections, language filters: what is read, any input."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.facades.ngsi_ld.grammar.geo import parse_geo, parse_georel
from dothi.facades.ngsi_ld.grammar.language import parse_language
from dothi.facades.ngsi_ld.grammar.order import parse_collation, parse_order
from dothi.facades.ngsi_ld.grammar.projection import depth, parse_projection
from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.scope import parse_scope_query
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.model.condition import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Exists,
    GeoRelation,
    HasScope,
    HasType,
    Linked,
    OneOf,
    Target,
    Term,
)
from dothi.model.order import Collation, OrderTerm, Strength

POINT = '{"type":"Point","coordinates":[1,2]}'


def _same(name: str) -> str:
    return name


A, B, C = (HasScope((name,)) for name in "ABC")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/A", A),
        ("A", A),
        ("/#", HasScope((), True)),
        ("/A/B/#", HasScope(("A", "B"), True)),
        ("/A/+/C", HasScope(("A", "+", "C"))),
        ("/+/#", HasScope(("+",), True)),
        ("/A,/B|/C", AnyOf((A, B, C))),
        ("/A;/B", AllOf((A, B))),
        ("(/A;/B)|/C", AnyOf((AllOf((A, B)), C))),
        ("(/A;/B),C", AnyOf((AllOf((A, B)), C))),
    ],
)
def test_scope_queries(text: str, expected: Condition) -> None:
    assert parse_scope_query(text) == expected


_levels = st.one_of(st.just("+"), st.from_regex(r"[a-zA-Z]\w{0,4}", fullmatch=True))
_scopes = st.builds(HasScope, st.lists(_levels, min_size=1, max_size=3).map(tuple), st.booleans())


@given(_scopes)
def test_scopes_are_read_as_written(scope: HasScope) -> None:
    text = "".join(f"/{level}" for level in scope.levels) + "/#" * scope.has_descendants
    assert parse_scope_query(text) == scope


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", Linked("r", (), Exists(Target("a")))),
        ("T:a.b[c]", Linked("r", ("T",), Exists(Target("a", ("b",), ("c",))))),
        ("T,U:a", Linked("r", ("T", "U"), Exists(Target("a")))),
        ("s{U:a}", Linked("r", (), Linked("s", ("U",), Exists(Target("a"))))),
        ("https://ex.org/a", Linked("r", (), Exists(Target("https://ex.org/a")))),
    ],
)
def test_linked_terms(text: str, expected: Condition) -> None:
    assert parse_q(f"r{{{text}}}", _same) == expected


def test_values_of_names() -> None:
    """Clause 4.9, example 12: a value of `expandValues` is a name of the @context."""
    equal = Comparison.EQUAL
    assert parse_q("a==Male", _same) == Compare(Target("a"), equal, "Male")
    expanded = parse_q("a==Male", lambda n: f"x:{n}", frozenset({"x:a"}))
    assert expanded == Compare(Target("x:a"), equal, Term("x:Male"))
    assert isinstance(expanded, Compare) and isinstance(expanded.value, Term)
    iri = "https://uri.etsi.org/ngsi-ld/default-context/Male"
    found = parse_q(f"a=={iri}", _same)
    assert found == OneOf(Target("a"), (iri, Term("Male")))
    assert isinstance(found, OneOf) and [type(v) for v in found.values] == [str, Term]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [OrderTerm(Target("a"))]),
        ("a;desc,b;asc", [OrderTerm(Target("a"), True), OrderTerm(Target("b"))]),
        ("a.b[c.d];desc", [OrderTerm(Target("a", ("b",), ("c", "d")), True)]),
        ("a;dist-desc", [OrderTerm(Target("a"), True, POINT)]),
    ],
)
def test_orders(text: str, expected: list[OrderTerm]) -> None:
    assert list(parse_order(text, _same, POINT)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("und", Collation()),
        ("und-x-icu", Collation()),
        ("vi", Collation("vi")),
        ("de-DE-u-co-phonebk", Collation("de-phonebk")),
        ("und-u-ks-identic", Collation("und", Strength.IDENTICAL)),
        ("en-u-ks-level1-kf-upper", Collation("en", Strength.LETTERS, True)),
    ],
)
def test_collations(text: str, expected: Collation) -> None:
    assert parse_collation(text) == expected


_names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,3}", fullmatch=True)
_trees: st.SearchStrategy[Mapping[str, Any]] = st.recursive(
    st.dictionaries(_names, st.none(), min_size=1, max_size=3),
    lambda inner: st.dictionaries(_names, st.one_of(st.none(), inner), min_size=1, max_size=3),
    max_leaves=6,
)


def _written(names: Mapping[str, Any]) -> str:
    return ",".join(
        name if below is None else f"{name}{{{_written(below)}}}" for name, below in names.items()
    )


@given(_trees)
def test_projections_are_read_as_written(names: Mapping[str, Any]) -> None:
    assert parse_projection(_written(names), _same) == names


def test_depth_of_a_projection() -> None:
    assert depth(parse_projection("a,b", _same)) == 0
    assert depth(parse_projection("a{b},c{d{e}}", _same)) == 2


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("en", ("en",)),
        ("fr-CH, fr;q=0.9,en;q=0.8,*;q=0.5", ("fr-ch", "fr", "en", "*")),
        ("fr;q=0.2,nl;q=0.9,de;q=0", ("nl", "fr")),
    ],
)
def test_language_filters(text: str, ranges: tuple[str, ...]) -> None:
    assert parse_language(text).ranges == ranges


_SIGNS = {AnyOf: (",", "|"), AllOf: (";",)}
_types: st.SearchStrategy[Condition] = st.recursive(
    st.builds(HasType, _names),
    lambda inner: st.one_of(
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@given(_types, st.data())
def test_type_selections_are_read_as_written(condition: Condition, data: st.DataObject) -> None:
    """Clause 4.17, any of the two signs for "or"; `;` binds tighter."""

    def written(part: Condition, *, is_inner: bool = False) -> str:
        if isinstance(part, HasType):
            return part.type
        assert isinstance(part, AnyOf | AllOf)
        sign = data.draw(st.sampled_from(_SIGNS[type(part)]))
        text = sign.join(written(one, is_inner=True) for one in part.parts)
        return f"({text})" if is_inner else text

    assert parse_type_selection(written(condition), _same) == condition


_places = st.tuples(st.integers(-180, 180), st.integers(-90, 90)).map(list)
_metres = st.floats(0.001, 1e7)


@given(st.sampled_from(GeoRelation), st.sampled_from(["minDistance", "maxDistance"]), _metres)
def test_georels_are_read_as_written(relation: GeoRelation, bound: str, metres: float) -> None:
    is_near = relation is GeoRelation.NEAR
    low = metres if is_near and bound == "minDistance" else None
    high = metres if is_near and bound == "maxDistance" else None
    text = f"{relation};{bound}=={metres!r}" if is_near else str(relation)
    assert parse_georel(text) == (relation, low, high)


_GEORELS = ["within", "equals", "near;maxDistance==5"]


@given(st.sampled_from(_GEORELS), _places, _names)
def test_geo_queries_are_read_as_written(georel: str, place: list[int], name: str) -> None:
    found = parse_geo(georel, "Point", json.dumps(place), name)
    assert (found.relation, found.min_distance_m, found.max_distance_m) == parse_georel(georel)
    assert found.attribute == name
    assert json.loads(found.geometry) == {"type": "Point", "coordinates": place}


_json_texts = st.one_of(
    st.text(alphabet='[]{},.-+0123456789eE" ntrue', max_size=40),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=3)),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=12,
    ).map(json.dumps),
)


_KINDS = ["Point", "Polygon", "LineString", "MultiPolygon", "Circle", ""]


@given(st.sampled_from(_KINDS), _json_texts)
def test_any_coordinates_are_a_geometry_or_refused(geometry: str, coordinates: str) -> None:
    try:
        parse_geo("within", geometry, coordinates, "location")
    except ValueError as error:
        assert str(error)


_PARSERS: list[Callable[[str], Any]] = [
    parse_scope_query,
    parse_georel,
    parse_collation,
    parse_language,
    lambda text: parse_order(text, _same),
    lambda text: parse_projection(text, _same),
    lambda text: parse_q(text, _same, frozenset({"a"})),
]


@given(st.text(alphabet='ab1.;|()[]{}<>=!~",:*-\\é +#/q', max_size=40))
def test_any_text_gives_something_or_a_place(text: str) -> None:
    for parse in _PARSERS:
        try:
            parse(text)
        except GrammarError as error:
            assert 0 <= error.position <= len(text)
