"""Entity ordering language and collations (ETSI GS CIM 009, clause 4.23; RFC 6067).

order = term *("," term);  term = target [";" ("asc" / "desc" / "dist-asc" / "dist-desc")]
"""

import re

from dothi.facades.ngsi_ld.grammar.q import StoredName, read_target
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError, Scanner
from dothi.model.order import Collation, OrderTerm, Strength

_MEMBERS = frozenset({"id", "type", "scope"})
_DIRECTION = re.compile(r"dist-asc|dist-desc|asc|desc")
_COLLATION = re.compile(
    r"(?P<language>und|[A-Za-z]{2,3})(?:-(?!u-|x-)[A-Za-z0-9]{2,8})*"
    r"(?:-u(?P<keywords>(?:-[A-Za-z0-9]{2,8})+))?(?:-x-icu)?"
)
_STRENGTHS = {
    "level1": Strength.LETTERS,
    "primary": Strength.LETTERS,
    "level2": Strength.ACCENTS,
    "secondary": Strength.ACCENTS,
    "level3": Strength.CASE,
    "level4": Strength.CASE,
    "tertiary": Strength.CASE,
    "identic": Strength.IDENTICAL,
}
_TYPES = frozenset({"standard", "search", "phonebk"})


def parse_order(text: str, stored: StoredName, distance_from: str = "") -> tuple[OrderTerm, ...]:
    """Keys of an `orderBy`; `distance_from`: the GeoJSON geometry of orderFrom.

    Raises:
        GrammarError: with the place; also when a distance has nothing to be measured from.
    """
    scanner = Scanner(text)
    terms = [_term(scanner, stored, distance_from)]
    while scanner.take(","):
        terms.append(_term(scanner, stored, distance_from))
    if not scanner.is_at_end:
        raise scanner.error("',' or ';' is missing")
    return tuple(terms)


def _term(scanner: Scanner, stored: StoredName, distance_from: str) -> OrderTerm:
    target = read_target(scanner, lambda name: name if name in _MEMBERS else stored(name))
    if not scanner.take(";"):
        return OrderTerm(target)
    direction = scanner.match(_DIRECTION)
    if not direction:
        raise scanner.error("asc, desc, dist-asc or dist-desc is missing")
    if direction.startswith("dist") and not distance_from:
        raise scanner.error("an order by distance needs coordinates to measure from (orderFrom)")
    reference = distance_from if direction.startswith("dist") else ""
    return OrderTerm(target, direction.endswith("desc"), reference)


def parse_collation(text: str) -> Collation:
    """A collation such as `und`, `vi`, `und-u-ks-level1`. Raises GrammarError."""
    found = _COLLATION.fullmatch(text)
    if found is None:
        raise GrammarError("no collation (such as und, vi or und-u-ks-level2) begins", text, 0)
    keywords = _keywords(found["keywords"] or "")
    wrong = [
        value
        for key, value in keywords.items()
        if (key == "ks" and value not in _STRENGTHS)
        or (key == "co" and value not in _TYPES)
        or (key == "kf" and value not in {"upper", "lower", "false"})
    ]
    if wrong:
        raise GrammarError("an unknown setting of a collation begins", text, text.index(wrong[0]))
    language = found["language"].lower()
    if keywords.get("co") == "phonebk":
        language = f"{language}-phonebk"
    strength = _STRENGTHS[keywords.get("ks", "level3")]
    return Collation(language, strength, keywords.get("kf") == "upper")


def _keywords(text: str) -> dict[str, str]:
    """Key -> value of the -u- extension: keys have two characters, values more."""
    found: dict[str, str] = {}
    key = ""
    for part in text.lower().split("-")[1:]:
        if len(part) == 2:
            key = part
            found[key] = ""
        elif key:
            found[key] = part
    return found
