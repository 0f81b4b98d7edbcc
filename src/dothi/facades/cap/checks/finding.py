"""How the checks say what they found."""

from collections.abc import Iterator

from dothi.model.warning import Finding, FindingLevel

Findings = Iterator[Finding]


def wrong(element: str, code: str, detail: str, remedy: str) -> Finding:
    """It cannot be released so."""
    return Finding(element, code, detail, remedy)


def note(element: str, code: str, detail: str, remedy: str) -> Finding:
    """Somebody should look."""
    return Finding(element, code, detail, remedy, FindingLevel.NOTE)
