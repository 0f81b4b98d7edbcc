"""Pages of lists that are held in memory: the slice, links to its neighbours, the count."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.negotiation import LD_JSON
from dothi.facades.ngsi_ld.wire.parameters import Parameters

LIST_PARAMETERS = frozenset({"limit", "offset", "count"})
_MAX_OFFSET = 1 << 40
T = TypeVar("T")


class ListPage(Generic[T]):
    """One page of a list (clauses 5.5.9, 6.3.10 and 6.3.13)."""

    def __init__(self, parameters: Parameters, default_limit: int, max_limit: int) -> None:
        """Raises BadRequestData for numbers out of range, TooManyResults for too large a page."""
        self._counts = parameters.is_true("count")
        self._limit = parameters.limit(default_limit, max_limit)
        self._offset = parameters.count("offset", 0, _MAX_OFFSET)
        self._total = 0
        if not self._limit and not self._counts:
            raise bad_request_data("parameter limit may be 0 only together with count=true")

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """The items of this page."""
        self._total = len(items)
        return items[self._offset : self._offset + self._limit]

    def describe(self, request: Request, response: Response, media: str) -> Response:
        """Add the headers that tell of the other pages; call it after `of`."""
        if self._counts:
            response.headers["NGSILD-Results-Count"] = str(self._total)
        if not self._limit:
            return response
        steps = []
        if self._offset:
            steps.append(("prev", max(self._offset - self._limit, 0)))
        if self._offset + self._limit < self._total:
            steps.append(("next", self._offset + self._limit))
        # Who asks for no media type is told of the one that clause 6.3.10 shows: the list has both.
        hint = media if media in request.headers.get("accept", "") else LD_JSON
        for relation, offset in steps:
            link = page_link(request, self._limit, offset)
            response.headers.append("link", f'<{link}>;rel="{relation}";type="{hint}"')
        return response


def page_link(request: Request, limit: int, offset: int) -> str:
    """Path of another page: the filters as they were sent, then limit and offset."""
    kept = [
        part
        for part in request.url.query.split("&")
        if part and part.partition("=")[0] not in {"limit", "offset"}
    ]
    query = "&".join([*kept, f"limit={limit}", f"offset={offset}"])
    return f"{request.url.path.rstrip('/')}?{query}"
