"""Stored @contexts over the real table: restarts, expiry, bounds, implicit ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from databases import lay_database
from dothi.facades.ngsi_ld.context.core import CORE_URL
from dothi.facades.ngsi_ld.context.library import (
    ContextLibrary,
    Fetched,
    Limits,
    TenantContexts,
)
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import NgsiError, context_not_available
from dothi.ports.ld_contexts import ContextKind
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.ld_contexts import RelationalLdContexts

URL = "https://c.example.org/"


class Watch:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class World:
    """A database, a clock, and a web of documents."""

    def __init__(self, path: Path) -> None:
        self.engine = open_sqlite(lay_database(path / "dothi.db"))
        self.clock = Watch()
        self.documents: dict[str, Any] = {}
        self.asked: list[str] = []

    def library(self, **limits: Any) -> ContextLibrary:
        """As the next start of the program has it."""
        store = RelationalLdContexts(self.engine)
        return ContextLibrary(self._fetch, store, self.clock, Limits(**limits))

    async def _fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        if url not in self.documents:
            raise context_not_available(url)
        return Fetched({"@context": self.documents[url]})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_everything_outlives_a_restart(world: World) -> None:
    world.documents[URL] = {"a": "x:a"}
    library = world.library()
    await library.load(URL, "")
    hosted = await library.host({"b": "x:b"}, "hue", ContextKind.HOSTED)
    library.note_use(hosted)
    await library.flush()
    world.documents.clear()
    again = world.library()
    assert await again.load(URL, "") == {"@context": {"a": "x:a"}}
    assert world.asked == [URL]
    found = await again.find(hosted.id, "hue")
    assert found is not None
    assert (found.kind, found.hits, found.tenant) == (ContextKind.HOSTED, 1, "hue")
    assert found.used_at == world.clock.at
    assert await again.document(found) == {"@context": {"b": "x:b"}}
    await again.remove(found)
    assert await world.library().find(hosted.id, "hue") is None


async def test_an_old_copy_is_fetched_again_and_serves_while_its_origin_is_silent(
    world: World,
) -> None:
    world.documents[URL] = {"a": "x:old"}
    library = world.library(keep_s=100)
    contexts = Contexts(TenantContexts(library, ""))
    assert (await contexts.resolve(URL)).stored("a") == "x:old"
    world.documents[URL] = {"a": "x:new"}
    world.clock.at += timedelta(seconds=99)
    assert (await contexts.resolve(URL)).stored("a") == "x:old"
    world.clock.at += timedelta(seconds=2)
    assert (await contexts.resolve(URL)).stored("a") == "x:new"
    del world.documents[URL]
    world.clock.at += timedelta(seconds=101)
    assert (await contexts.resolve(URL)).stored("a") == "x:new"
    assert (await contexts.resolve(URL)).stored("a") == "x:new"
    assert len(world.asked) == 3


async def test_the_one_used_longest_ago_makes_room(world: World) -> None:
    library = world.library(most_cached=2)
    for name in "abc":
        world.documents[URL + name] = {}
        world.clock.at += timedelta(seconds=1)
        await library.load(URL + name, "")
    assert [c.url for c in await library.everything("")] == [URL + "b", URL + "c"]


async def test_there_is_a_limit_to_hosted_ones(world: World) -> None:
    library = world.library(most_hosted=1)
    await library.host({}, "", ContextKind.HOSTED)
    with pytest.raises(NgsiError, match="1 @contexts"):
        await library.host({}, "", ContextKind.HOSTED)


async def test_an_implicit_one_is_made_once_and_read_by_everybody(world: World) -> None:
    """5.13.1: an @context without a URL that notifications have to name."""
    library = world.library()
    contexts = Contexts(TenantContexts(library, "hue"))
    base = "http://broker/ngsi-ld/v1"
    assert await contexts.address(None, base) == CORE_URL
    assert await contexts.address(URL, base) == URL
    spec = [{"a": "x:a"}, {"b": "x:b"}]
    url = await contexts.address(spec, base)
    assert url == await contexts.address(spec, base)
    local = url.removeprefix(f"{base}/jsonldContexts/")
    found = await library.find(local, "")
    assert found is not None
    assert found.kind is ContextKind.IMPLICIT
    assert (await contexts.resolve(url)).stored("b") == "x:b"
    assert (await Contexts(TenantContexts(library, "")).resolve(url)).stored("a") == "x:a"
    assert [c.id for c in await library.everything("hue")] == [local]
    assert await library.everything("") == []
    assert await Contexts(TenantContexts(library, "")).address(spec, base) != url
