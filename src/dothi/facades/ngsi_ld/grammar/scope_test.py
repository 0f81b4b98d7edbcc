"""Scope queries (clause 4.19) on the scopes of one entity.

query   = conjunction *(("," / "|") conjunction)
conjunction = term *(";" term)
term    = "(" query ")" / scope            "+" stands for one level, a last "#" for the rest
"""

import re
from collections.abc import Callable, Sequence

from dothi.facades.ngsi_ld.grammar.scanner import Scanner

ScopeTest = Callable[[Sequence[str]], bool]
_LEVELS = re.compile(r"/?(?:[^\W\d_]\w*|\+)(?:/(?:[^\W\d_]\w*|\+))*(?:/#)?|/?#")


def parse_scope_query(text: str) -> ScopeTest:
    """A test on the scopes of an entity (each begins with a slash). Raises GrammarError."""
    scanner = Scanner(text)
    test = _alternatives(scanner)
    if not scanner.is_at_end:
        raise scanner.error("',', '|' or ';' is missing")
    return test


def _alternatives(scanner: Scanner) -> ScopeTest:
    parts = [_conjunction(scanner)]
    while scanner.take(",") or scanner.take("|"):
        parts.append(_conjunction(scanner))
    return lambda scopes: any(part(scopes) for part in parts)


def _conjunction(scanner: Scanner) -> ScopeTest:
    parts = [_term(scanner)]
    while scanner.take(";"):
        parts.append(_term(scanner))
    return lambda scopes: all(part(scopes) for part in parts)


def _term(scanner: Scanner) -> ScopeTest:
    if scanner.take("("):
        scanner.enter()
        inner = _alternatives(scanner)
        scanner.expect(")")
        scanner.leave()
        return inner
    found = scanner.match(_LEVELS)
    if not found:
        raise scanner.error("a scope such as /City/Ward1, /City/+ or /City/# is missing")
    wanted = found.removeprefix("/").split("/")
    return lambda scopes: any(_is_within(scope, wanted) for scope in scopes)


def _is_within(scope: str, wanted: Sequence[str]) -> bool:
    levels = scope.removeprefix("/").split("/")
    is_open = wanted[-1] == "#"
    steps = wanted[:-1] if is_open else wanted
    if len(levels) < len(steps) or (not is_open and len(levels) > len(steps)):
        return False
    return all(step in ("+", level) for step, level in zip(steps, levels, strict=False))
