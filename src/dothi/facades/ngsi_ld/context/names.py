"""Names on the wire and names in the store.

The store keeps names short when they belong to the default @context (`pm25`, `location`), and as
full IRIs otherwise, so that every door means the same attribute by the same name.
"""

from typing import Any

from dothi.facades.ngsi_ld.context.core import CORE_URL, DEFAULT_VOCAB, apply_core
from dothi.facades.ngsi_ld.context.terms import Terms


def _inverse(terms: Terms) -> dict[str, str]:
    """IRI -> its best name: the shortest, then the first in the alphabet."""
    found: dict[str, str] = {}
    for name, term in terms.by_name.items():
        other = found.get(term.iri)
        if other is None or (len(name), name) < (len(other), other):
            found[term.iri] = name
    return found


_CORE = Terms()
apply_core(_CORE)
_CORE_INVERSE = _inverse(_CORE)
_MAX_REMEMBERED = 10_000


def stored_of_iri(iri: str) -> str:
    """How the store writes an IRI."""
    short = _CORE_INVERSE.get(iri)
    if short is not None:
        return short
    suffix = iri.removeprefix(DEFAULT_VOCAB)
    if suffix != iri and suffix and ":" not in suffix and suffix not in _CORE.by_name:
        return suffix
    return iri


def iri_of_stored(name: str) -> str:
    return name if ":" in name else _CORE.expand(name)


class LdContext:
    """One effective @context: the user's, then the core over it."""

    def __init__(self, terms: Terms, user: Any = None) -> None:
        """`terms` holds the user's definitions only; `user` is what the user sent."""
        self.user = user
        self._is_core = not terms.by_name
        apply_core(terms)
        self._terms = terms
        self._names = _CORE_INVERSE if self._is_core else _inverse(terms)
        self._prefixes = [(t.iri, n) for n, t in terms.by_name.items() if t.is_prefix]
        self._stored: dict[str, str] = {}
        self._wire: dict[str, str] = {}
        self._checked: dict[str, str] = {}
        self.has_aliases = any(
            t.iri in {"@id", "@type"} and n not in {"id", "type"} for n, t in terms.by_name.items()
        )

    @property
    def url(self) -> str:
        """For the Link header: the user's URL, else the core's."""
        return self.user if isinstance(self.user, str) else CORE_URL

    @property
    def has_url(self) -> bool:
        """Whether `url` says all of it."""
        return self.user is None or isinstance(self.user, str)

    def expand(self, name: str) -> str:
        return self._terms.expand(name)

    def keyword(self, name: str) -> str:
        """@id or @type when the name is an alias of it, else the name itself."""
        term = self._terms.by_name.get(name)
        return term.iri if term is not None and term.iri in {"@id", "@type"} else name

    def stored(self, name: str) -> str:
        """Stored name of a name in a request."""
        if self._is_core and ":" not in name:
            return name
        found = self._stored.get(name)
        if found is None:
            found = stored_of_iri(self._terms.expand(name))
            _remember(self._stored, name, found)
        return found

    def checked(self, name: str) -> str | None:
        """Stored name of a name that `keep_checked` was called with; None of others."""
        return self._checked.get(name)

    def keep_checked(self, name: str, stored: str) -> None:
        """This name is good for an attribute."""
        _remember(self._checked, name, stored)

    def wire(self, stored: str) -> str:
        """Name in an answer of a stored name."""
        if self._is_core and ":" not in stored:
            return stored
        found = self._wire.get(stored)
        if found is None:
            found = self.compact(iri_of_stored(stored))
            _remember(self._wire, stored, found)
        return found

    def compact(self, iri: str) -> str:
        """Shortest name that expands to the IRI: a term, a @vocab suffix, prefix:rest, the IRI."""
        term = self._names.get(iri)
        if term is not None:
            return term
        known = self._terms.by_name
        suffix = iri.removeprefix(self._terms.vocab)
        if suffix != iri and suffix and suffix not in known and ":" not in suffix:
            return suffix
        candidates = [
            f"{name}:{iri[len(start) :]}"
            for start, name in self._prefixes
            if iri.startswith(start) and len(iri) > len(start)
        ]
        usable = [
            c for c in candidates if c not in known and not c.partition(":")[2].startswith("//")
        ]
        return min(usable, key=lambda c: (len(c), c), default=iri)


def _remember(memory: dict[str, str], key: str, value: str) -> None:
    if len(memory) >= _MAX_REMEMBERED:
        memory.clear()
    memory[key] = value


CORE_CONTEXT = LdContext(Terms())
