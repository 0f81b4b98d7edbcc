"""Scope query language (ETSI GS CIM 009, clause 4.19).

query = all *(("," / "|") all);  all = one *(";" one);  one = "(" query ")" / scope
scope = "/#" / level *(level) ["/#"];  level = "/" ("+" / name)
"""

import re

from dothi.facades.ngsi_ld.grammar.scanner import Scanner
from dothi.model.condition import AllOf, AnyOf, Condition, HasScope

_LEVEL = re.compile(r"\+|[^\W\d_]\w*")


def parse_scope_query(text: str) -> Condition:
    """Condition of a `scopeQ`. Raises GrammarError."""
    scanner = Scanner(text)
    condition = _alternatives(scanner)
    if not scanner.is_at_end:
        raise scanner.error("',', '|' or ';' is missing")
    return condition


def _alternatives(scanner: Scanner) -> Condition:
    parts = [_conjunction(scanner)]
    while scanner.take(",") or scanner.take("|"):
        parts.append(_conjunction(scanner))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _conjunction(scanner: Scanner) -> Condition:
    parts = [_one(scanner)]
    while scanner.take(";"):
        parts.append(_one(scanner))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _one(scanner: Scanner) -> Condition:
    if scanner.take("("):
        scanner.enter()
        inner = _alternatives(scanner)
        scanner.expect(")")
        scanner.leave()
        return inner
    if scanner.take("/#"):
        return HasScope((), has_descendants=True)
    # Like a stored scope, one in a query may lack the slash it begins with.
    scanner.take("/")
    levels = [_level(scanner)]
    while scanner.peek("/") and not scanner.peek("/#"):
        scanner.take("/")
        levels.append(_level(scanner))
    return HasScope(tuple(levels), has_descendants=scanner.take("/#"))


def _level(scanner: Scanner) -> str:
    found = scanner.match(_LEVEL)
    if not found:
        raise scanner.error("the level of a scope (a name, or +) is missing")
    return found
