"""A JSON-LD @context as NGSI-LD uses it: names to IRIs and back (JSON-LD 1.1 API, 4.2, 5.2, 6.2).

Only what names need is here: terms, prefixes, @vocab and aliases of @id and @type. Values are not
expanded; attributes keep the JSON that was sent.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

_PREFIX_ENDINGS = tuple(":/?#[]@")
_KEYWORDS = frozenset({"@id", "@type", "@value", "@graph", "@json", "@vocab", "@none", "@index"})


class ContextError(ValueError):
    """The @context itself is wrong; the text says where."""


class Term(Struct, frozen=True):
    iri: str
    """The IRI, or a keyword that the term is another name of."""
    coercion: str = ""
    """@type of its definition: @id, @vocab, @json, a datatype, or empty."""
    is_prefix: bool = False


class Terms(Struct):
    """Definitions gathered from one @context after the other; later ones win."""

    by_name: dict[str, Term] = field(default_factory=dict)
    vocab: str = ""

    def apply(self, local: Mapping[str, Any], is_core: bool = False) -> None:
        """Add the definitions of one context object. Raises ContextError."""
        _Definer(self, local, is_core).run()

    def expand(self, name: str) -> str:
        """IRI of a name; a name that nothing defines belongs to @vocab."""
        term = self.by_name.get(name)
        if term is not None:
            return term.iri
        prefix, colon, suffix = name.partition(":")
        if not colon:
            return self.vocab + name
        known = self.by_name.get(prefix)
        if known is None or suffix.startswith("//"):
            return name
        return known.iri + suffix


class _Definer:
    """Creates the terms of one context object; a definition may use later ones."""

    def __init__(self, terms: Terms, local: Mapping[str, Any], is_core: bool) -> None:
        self._terms = terms
        self._local = local
        self._is_core = is_core
        self._state: dict[str, bool] = {}  # name -> done; False while it is being defined

    def run(self) -> None:
        vocab = self._local.get("@vocab", self._terms.vocab)
        if vocab is not None and not isinstance(vocab, str):
            raise ContextError("@vocab must be a string")
        self._terms.vocab = self._terms.expand(vocab) if vocab and ":" in vocab else vocab or ""
        for name in self._local:
            if not name.startswith("@"):
                self._define(name)

    def _define(self, name: str) -> None:
        if name in self._state:
            if not self._state[name]:
                raise ContextError(f"the definition of {name!r} leads back to itself")
            return
        self._state[name] = False
        if not name:
            raise ContextError("a term has an empty name")
        value = self._local[name]
        self._terms.by_name.pop(name, None)
        if isinstance(value, str):
            iri = self._iri(name, value)
            self._terms.by_name[name] = Term(iri, "", iri.endswith(_PREFIX_ENDINGS))
        elif isinstance(value, dict):
            self._define_object(name, value)
        elif value is not None:
            raise ContextError(f"the definition of {name!r} must be a string or an object")
        self._state[name] = True

    def _define_object(self, name: str, value: dict[str, Any]) -> None:
        if "@context" in value and not self._is_core:
            raise ContextError(f"the definition of {name!r} holds a scoped @context")
        if "@reverse" in value:
            raise ContextError(f"the definition of {name!r} uses @reverse")
        target = value.get("@id", name)
        coercion = value.get("@type", "")
        if target is None:
            return
        if not isinstance(target, str) or not isinstance(coercion, str):
            raise ContextError(f"@id and @type in the definition of {name!r} must be strings")
        iri = self._iri(name, target)
        self._terms.by_name[name] = Term(iri, coercion, value.get("@prefix") is True)

    def _iri(self, name: str, value: str) -> str:
        if value in _KEYWORDS:
            return value
        if value.startswith("@"):
            raise ContextError(f"{name!r} is defined as the unknown keyword {value!r}")
        prefix, colon, suffix = value.partition(":")
        if value != name and value in self._local:
            self._define(value)
        elif colon and prefix in self._local and not suffix.startswith("//"):
            self._define(prefix)
        iri = self._terms.expand(value)
        if ":" not in iri:
            raise ContextError(f"{name!r} has no IRI: {value!r} is neither absolute nor defined")
        return iri
