"""@contexts of subscriptions, kept with all they need: notifications outlive a network."""

from typing import Any

import msgspec

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import context_not_available


class KeptContexts:
    """Effective @contexts by their kept text, each made once."""

    def __init__(self) -> None:
        self._made: dict[str, LdContext] = {}

    async def keep(self, spec: Any, contexts: Contexts) -> str:
        """The text from which `context` makes the @context again. Raises NgsiError."""
        documents = {} if spec is None else await contexts.documents(spec)
        kept = {"spec": spec, "documents": dict(sorted(documents.items()))}
        return msgspec.json.encode(kept).decode()

    async def context(self, text: str) -> LdContext:
        """The @context of a kept text."""
        found = self._made.get(text)
        if found is None:
            kept = msgspec.json.decode(text)
            found = await Contexts(_Kept(kept["documents"])).resolve(kept["spec"])
            self._made[text] = found
        return found


class _Kept:
    """A ContextLoader of documents at hand."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self._documents = documents

    async def load(self, url: str) -> Any:
        if url not in self._documents:
            raise context_not_available(f"{url} was not kept with the subscription")
        return self._documents[url]
