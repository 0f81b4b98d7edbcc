"""@contexts: names both ways, documents from outside, rules that are kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.facades.ngsi_ld.context.core import CORE_URL
from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT, LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.context.terms import Terms
from dothi.facades.ngsi_ld.errors import NgsiError, context_not_available

DEFAULT = "https://uri.etsi.org/ngsi-ld/default-context/"


class Documents:
    def __init__(self, **documents: Any) -> None:
        self.documents = {f"https://c.example.org/{name}": d for name, d in documents.items()}
        self.loaded: list[str] = []

    async def load(self, url: str) -> Any:
        self.loaded.append(url)
        if url not in self.documents:
            raise context_not_available(url)
        return self.documents[url]


def _context(*locals_: dict[str, Any]) -> LdContext:
    terms = Terms()
    for local in locals_:
        terms.apply(local)
    return LdContext(terms)


def test_core_names_are_short_in_the_store() -> None:
    assert CORE_CONTEXT.stored("pm25") == "pm25"
    assert CORE_CONTEXT.stored(f"{DEFAULT}pm25") == "pm25"
    assert CORE_CONTEXT.stored("https://uri.etsi.org/ngsi-ld/location") == "location"
    assert CORE_CONTEXT.stored("ngsi-ld:location") == "location"
    assert CORE_CONTEXT.stored("https://example.org/x") == "https://example.org/x"
    assert CORE_CONTEXT.expand("title") == "http://purl.org/dc/terms/title"
    assert CORE_CONTEXT.stored(f"{DEFAULT}title") == f"{DEFAULT}title"


def test_user_terms_prefixes_and_protected_core() -> None:
    context = _context(
        {
            "ex": "https://ex.org/",
            "pm25": "ex:pm25",
            "brand": {"@id": "ex:brand", "@type": "@vocab"},
            "location": "https://other.org/location",
            "later": "first",
            "first": "ex:first",
        }
    )
    assert context.stored("pm25") == "https://ex.org/pm25"
    assert context.stored("ex:other") == "https://ex.org/other"
    assert context.stored("later") == "https://ex.org/first"
    assert context.stored("location") == "location"
    assert context.wire("https://ex.org/pm25") == "pm25"
    assert context.wire("https://ex.org/other") == "ex:other"
    assert context.wire("pm25") == "ngsi-ld:default-context/pm25"
    assert context.wire("no2") == "no2"
    assert context.wire("urn:unknown:x") == "urn:unknown:x"


def test_aliases_of_id_and_type() -> None:
    context = _context({"identifier": "@id", "kind": "@type"})
    assert (context.keyword("identifier"), context.keyword("kind")) == ("@id", "@type")
    assert context.has_aliases
    assert not CORE_CONTEXT.has_aliases


def test_vocab_of_a_definition_is_used_for_its_own_terms() -> None:
    context = _context({"@vocab": "https://v.org/", "a": {"@type": "@id"}})
    assert context.stored("a") == "https://v.org/a"
    assert context.stored("b") == "b"


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}", fullmatch=True))
def test_every_name_survives_the_way_to_the_store_and_back(name: str) -> None:
    context = _context({"ex": "https://ex.org/", "a": "ex:a", "b": f"{DEFAULT}a"})
    for one in (context, CORE_CONTEXT):
        assert one.expand(one.wire(one.stored(name))) == one.expand(name)


@pytest.mark.parametrize(
    "local",
    [
        {"a": "b", "b": "a"},
        {"a": {"@id": "https://x.org/a", "@context": {}}},
        {"a": {"@reverse": "https://x.org/a"}},
        {"a": 5},
        {"a": "@nonsense"},
        {"a": {"@id": 5}},
        {"": "https://x.org/"},
        {"@vocab": 5},
        {"@import": "https://c.example.org/one"},
    ],
)
async def test_wrong_definitions_are_refused(local: dict[str, Any]) -> None:
    with pytest.raises(NgsiError) as caught:
        await Contexts(Documents()).resolve(local)
    assert caught.value.kind == "BadRequestData"


async def test_arrays_references_and_the_core() -> None:
    loader = Documents(
        one={"@context": ["two", {"a": "https://one.org/a"}]},
        two={"@context": {"a": "https://two.org/a", "b": "https://two.org/b"}},
    )
    contexts = Contexts(loader)
    spec = ["https://c.example.org/one", {"c": "https://own.org/c"}, CORE_URL]
    context = await contexts.resolve(spec)
    stored = [context.stored(name) for name in "abc"]
    assert stored == ["https://one.org/a", "https://two.org/b", "https://own.org/c"]
    assert context.user == spec[:2]
    assert await contexts.resolve(spec) is context
    assert loader.loaded == ["https://c.example.org/one", "https://c.example.org/two"]
    for nothing in (None, CORE_URL):
        assert await contexts.resolve(nothing) is CORE_CONTEXT
    for url in (CORE_URL.replace("-v1.9", ""), CORE_URL.replace("9", "3")):
        context = await contexts.resolve(url)
        assert (context.url, context.stored("a"), context.wire("a")) == (url, "a", "a")
    assert len(loader.loaded) == 2


async def test_loops_bombs_and_nonsense_end() -> None:
    many = {f"d{i}": {"@context": [f"d{i + 1}", f"d{i + 2}"]} for i in range(60)}
    loader = Documents(
        loop={"@context": "https://c.example.org/loop"}, bare=[1], nothing={"x": 1}, **many
    )
    deep: Any = {}
    for _ in range(50):
        deep = [deep]
    for spec, kind in (
        ("https://c.example.org/loop", "BadRequestData"),
        ("https://c.example.org/d0", "BadRequestData"),
        (deep, "BadRequestData"),
        ("ftp://c.example.org/x", "BadRequestData"),
        ("no url", "BadRequestData"),
        ("http://[bad", "BadRequestData"),
        (5, "BadRequestData"),
        ("https://c.example.org/bare", "BadRequestData"),
        ("https://c.example.org/nothing", "BadRequestData"),
        ("https://c.example.org/missing", "LdContextNotAvailable"),
    ):
        with pytest.raises(NgsiError) as caught:
            await Contexts(loader).resolve(spec)
        assert caught.value.kind == kind, spec
