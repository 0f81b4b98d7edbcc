"""Values in filters: numbers, strings (in quotes, or bare names), true, false, times, URIs."""

import math
import re
from datetime import datetime

import msgspec

from dothi.facades.ngsi_ld.grammar.scanner import Scanner
from dothi.facades.ngsi_ld.wire.times import parse_date_time
from dothi.model.condition import Scalar

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?=\.\.|[;|(),]|$)")
_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?(?=\.\.|[;|(),]|$)"
)
_DATE_OR_TIME = re.compile(r"(?:\d{4}-\d{2}-\d{2}|\d{2}:\d{2}(?::\d{2})?Z?)(?=\.\.|[;|(),]|$)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_BARE_NAME = re.compile(r"[^\W\d_]\w*")
_WORD = re.compile(r"[^\s;|()\",{}<>\[\]]+")


def read_scalar(scanner: Scanner) -> Scalar:
    """The value at the scanner's place. Raises GrammarError when there is none."""
    if scanner.peek('"'):
        return _quoted(scanner)
    at = scanner.position
    found = scanner.match(_DATE_TIME)
    if found:
        return _time(scanner, found, at)
    found = scanner.match(_DATE_OR_TIME)
    if found:
        return found
    found = scanner.match(_NUMBER)
    if found:
        return _finite(scanner, float(found), at)
    found = _word(scanner)
    if found in {"true", "false"}:
        return found == "true"
    if ":" in found or _BARE_NAME.fullmatch(found):
        return found
    scanner.position = at
    raise scanner.error('a value is missing: a number, "text", true, false, a time or a URI')


def _finite(scanner: Scanner, number: float, at: int) -> float:
    if not math.isfinite(number):
        scanner.position = at
        raise scanner.error("the number is too large")
    return number


def _word(scanner: Scanner) -> str:
    """A URI, true or false; `..` ends it."""
    at = scanner.position
    found = scanner.match(_WORD).partition("..")[0]
    scanner.position = at + len(found)
    return found


def _quoted(scanner: Scanner) -> str:
    found = scanner.match(_QUOTED)
    if not found:
        raise scanner.error("the closing quote of a string is missing")
    try:
        return msgspec.json.decode(found.encode(), type=str)
    except (ValueError, msgspec.DecodeError):
        # Patterns hold backslashes that are no JSON escapes; only the quote needs one.
        return found[1:-1].replace('\\"', '"')


def _time(scanner: Scanner, text: str, at: int) -> datetime:
    try:
        return parse_date_time(text)
    except ValueError as error:
        scanner.position = at
        raise scanner.error(f"the time is wrong ({error})") from error
