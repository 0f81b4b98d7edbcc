"""The hook of distributed operations (clause 4.3.6): `Distribution.rows` wraps a table of routes.

It takes the table of what makes the local handlers over a broker, and puts a handler that also asks
or tells registered sources in the place of those that `spreads.SPREADS` names. Local handlers know
nothing of that:

- without a matching registration, or with `local=true`, the local handler gets the request as is;
  with no registration at all that costs one look at an empty dictionary;
- a request is first given to the local handler over stores that hold and write nothing
  (`overlay.checking`): what it finds wrong is answered before anybody else is bothered;
- reads go to the sources, then to the local handler over a store that shows what they gave among
  our own entities (`overlay.with_remote`);
- writes are split attribute by attribute (`plan`); the local handler gets a copy of the request
  with what stays here, and the outcomes become one answer (`outcomes`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.caller import Caller, caller_of
from dothi.facades.ngsi_ld.distributed.forward import Forwarder
from dothi.facades.ngsi_ld.distributed.http_client import HttpClient
from dothi.facades.ngsi_ld.distributed.overlay import checking
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded

Row = tuple[str, str, Permission, Handler, str]
"""Method, path, permission, handler, summary."""
Make = Callable[[Broker], Handler]
Operation = tuple[str, str, Permission, Make, str]
"""A row before it is known over which broker: what makes the handler in its place."""
Spread = Callable[["Spreading", Request], Awaitable[Response]]


class Spreading(Struct, frozen=True):
    """What a distributed operation works with."""

    broker: Broker
    forwarder: Forwarder
    make: Make
    """Of the handler that does the operation here, over other stores."""
    local: Handler
    checker: Callable[[], Handler]

    def check(self, request: Request) -> Awaitable[Response]:
        """Find what is wrong with a request, and do nothing."""
        return self.checker()(request)

    def caller(self, request: Request, context: LdContext) -> Caller:
        return caller_of(request, context, self.broker.sources.alias)


class Distribution:
    """Wraps the handlers of one broker. `client` may serve other brokers of the program too."""

    def __init__(self, broker: Broker, client: HttpClient) -> None:
        self._broker = broker
        self._forwarder = Forwarder(
            client, broker.sources, broker.contexts, broker.settings.forward_timeout_s
        )

    def rows(
        self, operations: Sequence[Operation], spreads: Mapping[tuple[str, str], Spread]
    ) -> list[Row]:
        """The operations over the broker; those that `spreads` names are distributed."""
        found = []
        for method, path, permission, make, summary in operations:
            spread, local = spreads.get((method, path)), make(self._broker)
            handler = local if spread is None else self._wrap(make, local, spread)
            found.append((method, path, permission, handler, summary))
        return found

    def _wrap(self, make: Make, local: Handler, spread: Spread) -> Handler:
        broker = self._broker
        sources = broker.sources

        @cache
        def check() -> Handler:
            """Most brokers never distribute."""
            return make(checking(broker))

        spreading = Spreading(broker, self._forwarder, make, local, check)

        async def distribute(request: Request) -> Response:
            return await spread(spreading, request)

        spreads = guarded(distribute)

        def handle(request: Request) -> Awaitable[Response]:
            if sources.is_empty or request.query_params.get("local") == "true":
                return local(request)
            return spreads(request)

        return handle


def warned(response: Response, warnings: list[str]) -> Response:
    """Add what went wrong at sources, once each (clause 6.3.17)."""
    for text in dict.fromkeys(warnings):
        response.headers.append("NGSILD-Warning", text)
    return response
