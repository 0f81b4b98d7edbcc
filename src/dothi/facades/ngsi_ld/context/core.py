"""The core @context that ships with the program; it is never fetched."""

import re
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.context.terms import Terms

CORE_URL = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"
DEFAULT_VOCAB = "https://uri.etsi.org/ngsi-ld/default-context/"
_CORE = re.compile(
    r"https?://uri\.etsi\.org/ngsi-ld/v1/ngsi-ld-core-context(-v1\.[3-9](\.\d+)?)?\.jsonld"
)


def is_core_url(url: str) -> bool:
    """Whether the URL names a version of the core @context."""
    return _CORE.fullmatch(url) is not None


@cache
def core_document(url: str = CORE_URL) -> dict[str, Any]:
    """The document of a core @context; versions before 1.8 get the text of 1.8."""
    name = "core-v1.9.jsonld" if url == CORE_URL or "-v1." not in url else "core-v1.8.jsonld"
    raw = files("dothi.facades.ngsi_ld.context").joinpath(name).read_bytes()
    return msgspec.json.decode(raw, type=dict[str, Any])


def apply_core(terms: Terms) -> None:
    """Lay the core over what users defined: its terms are protected and win."""
    terms.apply(core_document()["@context"], is_core=True)
