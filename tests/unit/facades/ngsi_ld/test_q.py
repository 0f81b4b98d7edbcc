"""The parser of q: structure, precedence, places of errors, and anything at all as input."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.facades.ngsi_ld.grammar.geo import parse_georel
from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.model.condition import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Exists,
    HasType,
    Matches,
    OneOf,
    Scalar,
    Target,
)


def _same(name: str) -> str:
    return name


A, B, C = (Exists(Target(name)) for name in "abc")


def test_and_binds_tighter_than_or() -> None:
    assert parse_q("a;b|c", _same) == AnyOf((AllOf((A, B)), C))
    assert parse_q("a|b;c", _same) == AnyOf((A, AllOf((B, C))))
    assert parse_q("(a|b);c", _same) == AllOf((AnyOf((A, B)), C))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.c[d.e]", Exists(Target("a", ("b", "c"), ("d", "e")))),
        ("a[*]==1", Compare(Target("a", (), ("*",)), Comparison.EQUAL, 1.0)),
        ('a=="x;|)y"', Compare(Target("a"), Comparison.EQUAL, "x;|)y")),
        ('a=="say \\"hi\\""', Compare(Target("a"), Comparison.EQUAL, 'say "hi"')),
        ("a==urn:x:1.5", Compare(Target("a"), Comparison.EQUAL, "urn:x:1.5")),
        ("a==1..2", Between(Target("a"), 1.0, 2.0)),
        ('a!="a".."b"', Between(Target("a"), "a", "b", True)),
        ('a==1,true,"x"', OneOf(Target("a"), (1.0, True, "x"))),
        ("a!=1,2", OneOf(Target("a"), (1.0, 2.0), True)),
        ("a~=x.*(y|z)+", Matches(Target("a"), "x.*(y|z)+")),
        ('a!~="^x;y$"', Matches(Target("a"), "^x;y$", True)),
        ("a<-1.5e-3", Compare(Target("a"), Comparison.LESS, -0.0015)),
        (
            "a>=2026-01-02T03:04:05.5+07:00",
            Compare(
                Target("a"),
                Comparison.GREATER_OR_EQUAL,
                datetime(2026, 1, 1, 20, 4, 5, 500_000, UTC),
            ),
        ),
        ("https://ex.org/a.b#c==5", Compare(Target("https://ex.org/a.b#c"), Comparison.EQUAL, 5.0)),
    ],
)
def test_terms(text: str, expected: Condition) -> None:
    assert parse_q(text, _same) == expected


def test_names_are_turned_into_stored_names() -> None:
    condition = parse_q("a.b>1;c[d]", lambda name: f"s:{name}")
    assert condition == AllOf(
        (
            Compare(Target("s:a", ("s:b",)), Comparison.GREATER, 1.0),
            Exists(Target("s:c", (), ("d",))),
        )
    )


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("a==", 3),
        ("a=1", 1),
        ("a;", 2),
        ("a;;b", 2),
        ("(a", 2),
        ("a)", 1),
        ("5>a", 0),
        ("a>true", 2),
        ("a==1..x", 6),
        ("a==1..true", 6),
        ('a=="x', 3),
        ("a~=(", 3),
        ("a{b", 3),
        ("a.b{c}", 3),
        ("a{}", 2),
        ("a{b}}", 4),
        ("a[b", 3),
        ("a[]", 2),
        ("a==2026-13-01T00:00:00Z", 3),
        ("a==1e999", 3),
        ("a .b", 1),
        ("(" * 40 + "a" + ")" * 40, 33),
    ],
)
def test_errors_name_the_place(text: str, position: int) -> None:
    with pytest.raises(GrammarError) as caught:
        parse_q(text, _same)
    assert caught.value.position == position


_names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,6}", fullmatch=True)
_targets = st.builds(
    Target,
    _names,
    st.lists(_names, max_size=2).map(tuple),
    st.lists(_names, max_size=2).map(tuple),
)
_times = st.integers(-(2**31), 2**32).map(lambda s: datetime.fromtimestamp(s, UTC))
_numbers = st.floats(-1e300, 1e300)
_texts = st.text(st.characters(exclude_categories=("Cs",)))
_ordered = st.one_of(_numbers, _texts, _times)
_scalars = st.one_of(_ordered, st.booleans())
_comparisons = st.sampled_from([c for c in Comparison if c not in {"==", "!="}])
_terms = st.one_of(
    st.builds(Exists, _targets),
    st.builds(Compare, _targets, _comparisons, _ordered),
    st.builds(Compare, _targets, st.sampled_from([Comparison.EQUAL, Comparison.UNEQUAL]), _scalars),
    st.builds(
        OneOf, _targets, st.lists(_scalars, min_size=2, max_size=3).map(tuple), st.booleans()
    ),
    st.builds(Between, _targets, _numbers, _numbers, st.booleans()),
    st.builds(Between, _targets, _times, _times, st.booleans()),
)


def _join(kind: type[AllOf] | type[AnyOf], parts: list[Condition]) -> Condition:
    flat = [q for p in parts for q in (p.parts if isinstance(p, kind) else (p,))]
    return kind(tuple(flat))


_conditions = st.recursive(
    _terms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: _join(AllOf, parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: _join(AnyOf, parts)),
    ),
    max_leaves=8,
)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _value(value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case str():
            return _quoted(value)


def _written(condition: Condition) -> str:
    match condition:
        case AllOf(parts):
            return ";".join(
                f"({_written(p)})" if isinstance(p, AnyOf) else _written(p) for p in parts
            )
        case AnyOf(parts):
            return "|".join(_written(p) for p in parts)
        case Exists(target):
            return _place(target)
        case Compare(target, comparison, value):
            return f"{_place(target)}{comparison}{_value(value)}"
        case OneOf(target, values, is_negated):
            return f"{_place(target)}{_equal(is_negated)}{','.join(map(_value, values))}"
        case Between(target, low, high, is_negated):
            return f"{_place(target)}{_equal(is_negated)}{_value(low)}..{_value(high)}"
    raise AssertionError(condition)


def _equal(is_negated: bool) -> str:
    return "!=" if is_negated else "=="


def _place(target: Target) -> str:
    inside = f"[{'.'.join(target.inside)}]" if target.inside else ""
    return ".".join((target.attribute, *target.sub)) + inside


@given(_conditions)
def test_what_is_written_is_read_again(condition: Condition) -> None:
    assert parse_q(_written(condition), _same) == condition


@given(st.text(alphabet='ab1.;|()[]{}<>=!~",:*-\\é ', max_size=40))
def test_any_text_gives_a_condition_or_a_place(text: str) -> None:
    for parse in (parse_q, parse_type_selection):
        try:
            parse(text, _same)
        except GrammarError as error:
            assert 0 <= error.position <= len(text)


def test_a_very_long_text_is_refused() -> None:
    with pytest.raises(GrammarError, match="longer"):
        parse_q("a|" * 20_000, _same)


def test_type_selection() -> None:
    a, b, c = (HasType(name) for name in "ABC")
    assert parse_type_selection("A,B", _same) == AnyOf((a, b))
    assert parse_type_selection("A|B;C", _same) == AnyOf((a, AllOf((b, c))))
    assert parse_type_selection("(A,B);C", _same) == AllOf((AnyOf((a, b)), c))


@pytest.mark.parametrize(
    "text", ["", "near", "near;", "near;maxDistance==", "near;maxDistance==-5", "within;x", "Near"]
)
def test_georel_errors(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_georel(text)


def test_times_far_apart_are_a_range() -> None:
    condition = parse_q("a==2026-01-01T00:00:00Z..2026-01-02T00:00:00Z", _same)
    assert isinstance(condition, Between)
    assert isinstance(condition.high, datetime)
    assert isinstance(condition.low, datetime)
    assert condition.high - condition.low == timedelta(days=1)
