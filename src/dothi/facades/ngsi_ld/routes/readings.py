"""What requests ask for, read once: most come again letter by letter."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from starlette.requests import Request

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.operations.entity_maps import MAP_HEADER
from dothi.facades.ngsi_ld.wire.request import request_context

_MOST = 512
_LONG = 2_000
_HEADERS = frozenset({b"accept", b"link", b"prefer", MAP_HEADER.lower().encode()})
"""All headers that a reading of a request without body depends on."""
T = TypeVar("T")
Reader = Callable[[Request], Awaitable[tuple[LdContext, T]]]


class Readings(Generic[T]):
    """Of one route. On the event loop alone."""

    def __init__(self, contexts: Contexts, read: Reader[T]) -> None:
        """`read`: pure but for the @context; it raises what is wrong with the request."""
        self._contexts = contexts
        self._read = read
        self._kept: OrderedDict[object, tuple[LdContext, T]] = OrderedDict()

    async def of(self, request: Request) -> T:
        """What the request asks for; raises like `read`."""
        text: bytes = request.scope["query_string"]
        headers = tuple(pair for pair in request.scope["headers"] if pair[0] in _HEADERS)
        key = (text, *map(tuple, headers))
        kept = self._kept.get(key)
        if kept is not None and kept[0] is await request_context(request, self._contexts):
            self._kept.move_to_end(key)
            return kept[1]
        context, reading = await self._read(request)
        if len(text) + sum(len(value) for _, value in headers) < _LONG:
            self._kept[key] = context, reading
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return reading
