"""The query language of `q` (ETSI GS CIM 009, clause 4.9).

query  = term *(";" / "|" term)            ";" (and) binds tighter than "|" (or)
term   = "(" query ")" / target [operator value]
target = name *("." name) ["[" member *("." member) "]"]
value  = scalar ".." scalar / scalar *("," scalar) / pattern
"""

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from dothi.facades.ngsi_ld.grammar.scanner import Scanner
from dothi.facades.ngsi_ld.grammar.values import read_scalar
from dothi.model.condition import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Exists,
    Matches,
    OneOf,
    Scalar,
    Target,
)

StoredName = Callable[[str], str]
"""Turns a name of the request into the stored one."""

_MEMBER = re.compile(r"[^\s;|()\[\]{}<>=!~\",.]+")
_BARE_PATTERN = re.compile(r"(?:\\.|[^;|()\\])+")
_OPERATORS = ("!~=", "~=", "==", "!=", ">=", "<=", ">", "<")


def parse_q(text: str, stored: StoredName) -> Condition:
    """Condition of a `q`. Raises GrammarError with the place of what is wrong."""
    scanner = Scanner(text)
    condition = _Parser(scanner, stored).alternatives()
    if not scanner.is_at_end:
        raise scanner.error("an operator ('==', '!=', '>', ..., ';' or '|') is missing")
    return condition


class _Parser:
    def __init__(self, scanner: Scanner, stored: StoredName) -> None:
        self._scanner = scanner
        self._stored = stored

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
        target = self._target()
        operator = next((o for o in _OPERATORS if scanner.take(o)), "")
        if not operator:
            return Exists(target)
        if operator.endswith("~="):
            return Matches(target, self._pattern(), is_negated=operator == "!~=")
        comparison = Comparison(operator)
        if comparison not in {Comparison.EQUAL, Comparison.UNEQUAL}:
            return Compare(target, comparison, self._ordered())
        return self._equality(target, comparison)

    def _equality(self, target: Target, comparison: Comparison) -> Condition:
        scanner = self._scanner
        is_negated = comparison is Comparison.UNEQUAL
        first = read_scalar(scanner)
        if scanner.take(".."):
            return Between(target, first, self._range_end(first), is_negated)
        values = [first]
        while scanner.take(","):
            values.append(read_scalar(scanner))
        if len(values) > 1:
            return OneOf(target, tuple(values), is_negated)
        return Compare(target, comparison, first)

    def _range_end(self, first: Scalar) -> Scalar:
        at = self._scanner.position
        last = read_scalar(self._scanner)
        if isinstance(first, bool) or type(first) is not type(last):
            self._scanner.position = at
            raise self._scanner.error("both ends of a range must be numbers, times or strings")
        return last

    def _ordered(self) -> Scalar:
        at = self._scanner.position
        value = read_scalar(self._scanner)
        if isinstance(value, bool):
            self._scanner.position = at
            raise self._scanner.error("true and false have no order; use '==' or '!='")
        return value

    def _target(self) -> Target:
        scanner = self._scanner
        names = [self._stored(scanner.name("the name of an attribute"))]
        while scanner.peek(".") and not scanner.peek(".."):
            scanner.take(".")
            names.append(self._stored(scanner.name("the name of a sub-attribute")))
        if scanner.peek("{"):
            raise scanner.error("filters on linked entities are not supported")
        return Target(names[0], tuple(names[1:]), self._inside())

    def _inside(self) -> tuple[str, ...]:
        scanner = self._scanner
        if not scanner.take("["):
            return ()
        members = [self._member()]
        while scanner.take("."):
            members.append(self._member())
        scanner.expect("]")
        return tuple(members)

    def _member(self) -> str:
        found = self._scanner.match(_MEMBER)
        if not found:
            raise self._scanner.error("the name of a member is missing")
        return found

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


def pattern_problem(pattern: str) -> str:
    """What is wrong with a regular expression (RE2: linear time); empty when nothing is."""
    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except pa.ArrowInvalid as error:
        return str(error)
    return ""
