"""Language filter (ETSI GS CIM 009, clause 4.15; RFC 4647): `fr-CH,fr;q=0.9,*;q=0.5`."""

import re

from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.wire.language import LanguageFilter

_RANGE = re.compile(
    r"\s*(?P<tag>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*"
    r"(?:;\s*q=(?P<weight>0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*"
)
_MAX_LENGTH = 512


def parse_language(text: str) -> LanguageFilter:
    """The filter of a `lang`. Raises GrammarError."""
    weighted: list[tuple[float, str]] = []
    at = 0
    for part in text[:_MAX_LENGTH].split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise GrammarError("no language such as en, fr-CH or * begins", text, at)
        weighted.append((float(found["weight"] or 1), found["tag"].lower()))
        at += len(part) + 1
    weighted.sort(key=lambda pair: -pair[0])
    return LanguageFilter(tuple(tag for weight, tag in weighted if weight))
