"""From what a request says about its @context to the effective one."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable
from urllib.parse import urljoin, urlsplit

import msgspec

from dothi.facades.ngsi_ld.context.core import CORE_URL, is_core_url
from dothi.facades.ngsi_ld.context.library import PATH
from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT, LdContext
from dothi.facades.ngsi_ld.context.terms import ContextError, Terms
from dothi.facades.ngsi_ld.errors import bad_request_data

_MAX_DEPTH = 8
_MAX_DOCUMENTS = 32
_MAX_KEPT = 256


class ContextLoader(Protocol):
    """Brings documents from outside."""

    async def load(self, url: str) -> Any:
        """The decoded JSON document. Raises NgsiError LdContextNotAvailable."""
        ...


@runtime_checkable
class Keeper(Protocol):
    """A ContextLoader that keeps what it loaded, and counts its uses."""

    @property
    def generation(self) -> int:
        """Changes when a document that was loaded before is another one now."""
        ...

    def reuse(self, urls: Iterable[str]) -> bool:
        """Whether these documents still hold; counts one more use of each."""
        ...

    async def read(self, url: str) -> Any:
        """Like `load`, but not counted as a use."""
        ...

    async def host(self, value: Any) -> str:
        """Serve the value of an @context from here; gives its local id."""
        ...


class _Kept(NamedTuple):
    context: LdContext
    urls: tuple[str, ...]
    generation: int


class Contexts:
    """Effective @contexts, remembered by what was asked for."""

    def __init__(self, loader: ContextLoader) -> None:
        self._loader = loader
        self._keeper = loader if isinstance(loader, Keeper) else None
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    async def resolve(self, spec: Any) -> LdContext:
        """Context of an @context value (URL, object, array of both) or None.

        Raises:
            NgsiError: BadRequestData for a wrong one, LdContextNotAvailable for a missing one.
        """
        if spec is None or spec == CORE_URL:
            return CORE_CONTEXT
        key = msgspec.json.encode(spec)
        kept = self._kept.get(key)
        if kept is not None and self._holds(kept):
            self._kept.move_to_end(key)
            return kept.context
        generation = self._keeper.generation if self._keeper else 0
        flattener = _Flattener(self._loader)
        context = await self._build(spec, flattener)
        self._kept[key] = _Kept(context, tuple(flattener.urls), generation)
        self._kept.move_to_end(key)
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return context

    async def documents(self, spec: Any) -> dict[str, Any]:
        """The documents that `resolve` needs for this value, by URL; that is no use of them.

        Raises:
            NgsiError: as `resolve`.
        """
        found = _Recorded(self._loader.load if self._keeper is None else self._keeper.read)
        async for _ in _Flattener(found).walk(spec, "", ()):
            pass
        return found.documents

    async def address(self, spec: Any, base: str) -> str:
        """URL at which an @context value can be read: its own, or one here (5.13.1).

        Args:
            spec: value of an @context; None means the core.
            base: the URL of this API, without a slash at the end.
        """
        if spec is None:
            return CORE_URL
        if isinstance(spec, str) or self._keeper is None:
            return spec if isinstance(spec, str) else CORE_URL
        return f"{base}{PATH}{await self._keeper.host(spec)}"

    def _holds(self, kept: _Kept) -> bool:
        keeper = self._keeper
        if keeper is None:
            return True
        return kept.generation == keeper.generation and keeper.reuse(kept.urls)

    async def _build(self, spec: Any, flattener: "_Flattener") -> LdContext:
        terms = Terms()
        try:
            async for local in flattener.walk(spec, "", ()):
                if local is None:
                    terms = Terms()
                else:
                    terms.apply(local)
            return LdContext(terms, _without_core(spec))
        except ContextError as error:
            raise bad_request_data(f"@context: {error}") from error


class _Recorded:
    """A ContextLoader that remembers what it gave."""

    def __init__(self, load: Callable[[str], Awaitable[Any]]) -> None:
        self._load = load
        self.documents: dict[str, Any] = {}

    async def load(self, url: str) -> Any:
        self.documents[url] = await self._load(url)
        return self.documents[url]


class _Flattener:
    def __init__(self, loader: ContextLoader) -> None:
        self._loader = loader
        self.urls: list[str] = []
        """Of the documents that were needed."""

    async def walk(
        self, spec: Any, base: str, trail: tuple[str, ...]
    ) -> AsyncIterator[dict[str, Any] | None]:
        """Context objects in the order of application; None drops what came before."""
        if len(trail) > _MAX_DEPTH:
            raise ContextError(f"contexts are nested more than {_MAX_DEPTH} deep")
        if isinstance(spec, list):
            for part in spec:
                async for found in self.walk(part, base, (*trail, "")):
                    yield found
        elif isinstance(spec, str):
            async for found in self._remote(spec, base, trail):
                yield found
        elif spec is None or (isinstance(spec, dict) and "@import" not in spec):
            yield spec
        elif isinstance(spec, dict):
            raise ContextError("@import is not supported; name the document in an array instead")
        else:
            raise ContextError(f"{spec!r} is neither a URL nor an object nor an array of them")

    async def _remote(
        self, reference: str, base: str, trail: tuple[str, ...]
    ) -> AsyncIterator[dict[str, Any] | None]:
        url = absolute_url(reference, base)
        if is_core_url(url):
            return
        if url in trail:
            raise ContextError(f"{url} leads back to itself")
        self.urls.append(url)
        if len(self.urls) > _MAX_DOCUMENTS:
            raise ContextError(f"more than {_MAX_DOCUMENTS} documents are needed")
        document = await self._loader.load(url)
        if not isinstance(document, dict) or "@context" not in document:
            raise ContextError(f"{url} holds no JSON object with a member @context")
        async for found in self.walk(document["@context"], url, (*trail, url)):
            yield found


def absolute_url(reference: str, base: str = "") -> str:
    """The http(s) URL that a reference means. Raises ContextError."""
    try:
        url = urljoin(base, reference)
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise ContextError(f"{reference!r} is not a URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ContextError(f"{reference!r} is not an http or https URL")
    return url


def _without_core(spec: Any) -> Any:
    """The user's own part of an @context, as answers repeat it; None when nothing is left.

    Who names another version of the core alone is told that one.
    """
    if not isinstance(spec, list):
        return spec
    own = [part for part in spec if not (isinstance(part, str) and is_core_url(part))]
    return own[0] if len(own) == 1 else own or None
