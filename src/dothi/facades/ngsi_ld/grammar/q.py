"""The query language of `q` (ETSI GS CIM 009, clause 4.9).

query  = term *(";" / "|" term)            ";" (and) binds tighter than "|" (or)
term   = "(" query ")" / "!" target / path [operator value]
path   = name "{" [type *("," type) ":"] path "}" / target
target = name *("." name) ["[" member *("." member) "]"]
value  = scalar ".." scalar / scalar *("," scalar) / pattern
"""

import re
from collections.abc import Callable
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from dothi.facades.ngsi_ld.context.core import DEFAULT_VOCAB
from dothi.facades.ngsi_ld.context.names import stored_of_iri
from dothi.facades.ngsi_ld.grammar.scanner import Scanner
from dothi.facades.ngsi_ld.grammar.values import read_scalar
from dothi.facades.ngsi_ld.wire.times import parse_date_time
from dothi.model.condition import (
    Absent,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Exists,
    Linked,
    Matches,
    OneOf,
    Scalar,
    Target,
    Term,
)

StoredName = Callable[[str], str]
"""Turns a name of the request into the stored one."""

_MEMBER = re.compile(r"[^\s;|()\[\]{}<>=!~\",.]+")
_TYPE_HINTS = re.compile(r"(?:[^\W\d_]\w*,)*[^\W\d_]\w*:(?!//)(?=[^\W\d_])")
_TIME_MEMBERS = frozenset({"createdAt", "modifiedAt", "observedAt", "expiresAt", "deletedAt"})
_BARE_PATTERN = re.compile(r"(?:\\.|[^;|()\\])+")
_OPERATORS = ("!~=", "~=", "==", "!=", ">=", "<=", ">", "<")


def parse_q(text: str, stored: StoredName, expanded: frozenset[str] = frozenset()) -> Condition:
    """Condition of a `q` (also of csf, subscriptions, purge).

    Args:
        stored: gives stored names.
        expanded: stored names of the attributes of `expandValues`: what they are compared with is
            a name too, and is expanded with the same @context.
    Raises:
        GrammarError: with the place of what is wrong.
    """
    scanner = Scanner(text)
    condition = _Parser(scanner, stored, expanded).alternatives()
    if not scanner.is_at_end:
        raise scanner.error("an operator ('==', '!=', '>', ..., ';' or '|') is missing")
    return condition


class _Parser:
    def __init__(self, scanner: Scanner, stored: StoredName, expanded: frozenset[str]) -> None:
        self._scanner = scanner
        self._stored = stored
        self._expanded = expanded

    def alternatives(self) -> Condition:
        parts = [self._conjunction()]
        while self._scanner.take("|"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _conjunction(self) -> Condition:
        parts = [self._term()]
        while self._scanner.take(";"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _term(self) -> Condition:
        scanner = self._scanner
        if scanner.take("("):
            scanner.enter()
            inner = self.alternatives()
            scanner.expect(")")
            scanner.leave()
            return inner
        if scanner.take("!"):
            return Absent(self._target())
        links: list[tuple[str, tuple[str, ...]]] = []
        target = self._path(links)
        found = self._test(target)
        for relationship, types in reversed(links):
            found = Linked(relationship, types, found)
        return found

    def _path(self, links: list[tuple[str, tuple[str, ...]]]) -> Target:
        """The target at the end of the braces; the relationships on the way go to `links`."""
        scanner = self._scanner
        target = self._target()
        while scanner.peek("{"):
            if target.sub or target.inside:
                raise scanner.error("only the name of a Relationship leads to linked entities")
            scanner.take("{")
            scanner.enter()
            hints = scanner.match(_TYPE_HINTS)[:-1]
            types = tuple(self._stored(name) for name in hints.split(",")) if hints else ()
            links.append((target.attribute, types))
            target = self._target()
        for _ in links:
            scanner.expect("}")
            scanner.leave()
        return target

    def _test(self, target: Target) -> Condition:
        scanner = self._scanner
        operator = next((o for o in _OPERATORS if scanner.take(o)), "")
        if not operator:
            return Exists(target)
        if operator.endswith("~="):
            return Matches(target, self._pattern(), is_negated=operator == "!~=")
        comparison = Comparison(operator)
        if comparison not in {Comparison.EQUAL, Comparison.UNEQUAL}:
            return Compare(target, comparison, self._ordered(target))
        return self._equality(target, comparison)

    def _equality(self, target: Target, comparison: Comparison) -> Condition:
        scanner = self._scanner
        is_negated = comparison is Comparison.UNEQUAL
        first = self._scalar(target)
        if scanner.take(".."):
            return Between(target, first, self._range_end(target, first), is_negated)
        values = [first]
        while scanner.take(","):
            values.append(self._scalar(target))
        values += [Term(name) for value in values if (name := _short_name(value))]
        if len(values) > 1:
            return OneOf(target, tuple(values), is_negated)
        return Compare(target, comparison, first)

    def _scalar(self, target: Target) -> Scalar:
        """A value, as the attribute holds such values: expanded, or a time."""
        value = read_scalar(self._scanner)
        if not isinstance(value, str):
            return value
        if target.attribute in self._expanded:
            return Term(self._stored(value))
        last = target.sub[-1] if target.sub else target.attribute
        return _time_of(value) if last in _TIME_MEMBERS else value

    def _range_end(self, target: Target, first: Scalar) -> Scalar:
        at = self._scanner.position
        last = self._scalar(target)
        if isinstance(first, bool) or type(first) is not type(last):
            self._scanner.position = at
            raise self._scanner.error("both ends of a range must be numbers, times or strings")
        return last

    def _ordered(self, target: Target) -> Scalar:
        at = self._scanner.position
        value = self._scalar(target)
        if isinstance(value, bool):
            self._scanner.position = at
            raise self._scanner.error("true and false have no order; use '==' or '!='")
        return value

    def _target(self) -> Target:
        return read_target(self._scanner, self._stored)

    def _pattern(self) -> str:
        scanner = self._scanner
        at = scanner.position
        pattern = str(read_scalar(scanner)) if scanner.peek('"') else self._bare_pattern()
        if not pattern:
            raise scanner.error("a pattern is missing")
        problem = pattern_problem(pattern)
        if problem:
            scanner.position = at
            raise scanner.error(f"the pattern is wrong ({problem})")
        return pattern

    def _bare_pattern(self) -> str:
        """A pattern without quotes ends at `;`, `|` or `)` outside its own parentheses."""
        scanner = self._scanner
        start, depth = scanner.position, 0
        while not scanner.is_at_end:
            if scanner.match(_BARE_PATTERN):
                continue
            if scanner.take("("):
                depth += 1
            elif depth and scanner.take(")"):
                depth -= 1
            elif depth and (scanner.take("|") or scanner.take(";")):
                continue
            else:
                break
        return scanner.text[start : scanner.position]


def read_target(scanner: Scanner, stored: StoredName) -> Target:
    """An attribute path: `a.b[c.d]`. Raises GrammarError."""
    names = [stored(scanner.name("the name of an attribute"))]
    while scanner.peek(".") and not scanner.peek(".."):
        scanner.take(".")
        names.append(stored(scanner.name("the name of a sub-attribute")))
    inside: list[str] = []
    if scanner.take("["):
        inside.append(_member(scanner))
        while scanner.take("."):
            inside.append(_member(scanner))
        scanner.expect("]")
    return Target(names[0], tuple(names[1:]), tuple(inside))


def _member(scanner: Scanner) -> str:
    found = scanner.match(_MEMBER)
    if not found:
        raise scanner.error("the name of a member is missing")
    return found


def _short_name(value: Scalar) -> str:
    """How a VocabProperty holds an IRI of the default @context; empty for other values."""
    if not isinstance(value, str) or not value.startswith(DEFAULT_VOCAB):
        return ""
    short = stored_of_iri(value)
    return "" if short == value else short


def _time_of(text: str) -> Scalar:
    """System times are times, also when somebody writes them in quotes."""
    try:
        found: datetime = parse_date_time(text)
    except ValueError:
        return text
    return found


def pattern_problem(pattern: str) -> str:
    """What is wrong with a regular expression (RE2: linear time); empty when nothing is."""
    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except pa.ArrowInvalid as error:
        return str(error)
    return ""
