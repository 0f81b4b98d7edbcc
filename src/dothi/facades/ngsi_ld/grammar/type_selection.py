"""Type selection language (ETSI GS CIM 009, clause 4.17): `A,B` or `A|B` any, `A;B` all, `( )`."""

from dothi.facades.ngsi_ld.grammar.q import StoredName
from dothi.facades.ngsi_ld.grammar.scanner import Scanner
from dothi.model.condition import AllOf, AnyOf, Condition, HasType


def parse_type_selection(text: str, stored: StoredName) -> Condition:
    """Condition of a `type` parameter. Raises GrammarError."""
    scanner = Scanner(text)
    condition = _alternatives(scanner, stored)
    if not scanner.is_at_end:
        raise scanner.error("',', '|' or ';' is missing")
    return condition


def _alternatives(scanner: Scanner, stored: StoredName) -> Condition:
    parts = [_conjunction(scanner, stored)]
    while scanner.take(",") or scanner.take("|"):
        parts.append(_conjunction(scanner, stored))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _conjunction(scanner: Scanner, stored: StoredName) -> Condition:
    parts = [_type(scanner, stored)]
    while scanner.take(";"):
        parts.append(_type(scanner, stored))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _type(scanner: Scanner, stored: StoredName) -> Condition:
    if not scanner.take("("):
        return HasType(stored(scanner.name("the name of a type")))
    scanner.enter()
    inner = _alternatives(scanner, stored)
    scanner.expect(")")
    scanner.leave()
    return inner
