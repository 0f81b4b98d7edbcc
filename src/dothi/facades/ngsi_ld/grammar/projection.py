"""Attribute projection language (ETSI GS CIM 009, clause 4.21): pick and omit.

list = term *(("," / "|") term);  term = name ["{" list "}"]
"""

from dothi.facades.ngsi_ld.grammar.q import StoredName
from dothi.facades.ngsi_ld.grammar.scanner import Scanner
from dothi.facades.ngsi_ld.wire.projection import Names

ENTITY_MEMBERS = frozenset({"id", "type", "scope"})


def parse_projection(text: str, stored: StoredName) -> Names:
    """Names of a `pick` or `omit`. Raises GrammarError."""
    scanner = Scanner(text)
    found = _list(scanner, stored)
    if not scanner.is_at_end:
        raise scanner.error("',' or '|' is missing")
    return found


def depth(names: Names) -> int:
    """How many links deep the names reach."""
    return max((1 + depth(below) for below in names.values() if below is not None), default=0)


def _list(scanner: Scanner, stored: StoredName) -> Names:
    found: dict[str, Names | None] = {}
    while True:
        at = scanner.position
        written = scanner.name("the name of a member")
        name = written if written in ENTITY_MEMBERS else stored(written)
        if name in found:
            scanner.position = at
            raise scanner.error("this member is named a second time")
        found[name] = _below(scanner, stored)
        if not (scanner.take(",") or scanner.take("|")):
            return found


def _below(scanner: Scanner, stored: StoredName) -> Names | None:
    if not scanner.take("{"):
        return None
    scanner.enter()
    inner = _list(scanner, stored)
    scanner.expect("}")
    scanner.leave()
    return inner
