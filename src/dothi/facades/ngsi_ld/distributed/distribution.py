"""The hook of distributed operations (clause 4.3.6): `Distribution.rows` wraps a table of routes.

It takes the function that makes the table of local handlers over a broker, and puts a handler that
also asks or tells registered sources in the place of those that `spreads.SPREADS` names. Local
handlers know nothing of that:

- without a matching registration, or with `local=true`, the local handler gets the request as is;
  with no registration at all that costs one look at an empty dictionary;
- a request is first given to the local handler over stores that hold and write nothing
  (`overlay.checking`): what it finds wrong is answered before anybody else is bothered;
- reads go to the sources, then to the local handler over a store that shows what they gave among
  our own entities (`overlay.with_remote`);
- writes are split attribute by attribute (`plan`); the local handler gets a copy of the request
  with what stays here, and the outcomes become one answer (`outcomes`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

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
Table = Callable[[Broker], list[Row]]
Make = Callable[[Broker], Handler]
Spread = Callable[["Spreading", Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Spreading:
    """What a distributed operation works with."""

    broker: Broker
    forwarder: Forwarder
    make: Make
    """Of the handler that does the operation here, over other stores."""
    check: Handler
    """Finds what is wrong with a request and does nothing."""
    local: Handler

    def caller(self, request: Request, context: LdContext) -> Caller:
        return caller_of(request, context, self.broker.sources.alias)


class Distribution:
    """Wraps the handlers of one broker. `client` may serve other brokers of the program too."""

    def __init__(self, broker: Broker, client: HttpClient, table: Table) -> None:
        self._broker = broker
        self._table = table
        self._checks = [row[3] for row in table(checking(broker))]
        self._forwarder = Forwarder(
            client, broker.sources, broker.contexts, broker.settings.forward_timeout_s
        )

    def rows(self, spreads: Mapping[tuple[str, str], Spread]) -> list[Row]:
        """The table over the broker; the operations that `spreads` names are distributed."""
        found = []
        for at, row in enumerate(self._table(self._broker)):
            spread = spreads.get(row[:2])
            handler = row[3] if spread is None else self._wrap(at, row[3], spread)
            found.append((*row[:3], handler, row[4]))
        return found

    def _wrap(self, at: int, local: Handler, spread: Spread) -> Handler:
        broker, table = self._broker, self._table
        spreading = Spreading(
            broker, self._forwarder, lambda other: table(other)[at][3], self._checks[at], local
        )

        async def distribute(request: Request) -> Response:
            return await spread(spreading, request)

        spreads = guarded(distribute)

        async def handle(request: Request) -> Response:
            if broker.sources.is_empty or request.query_params.get("local") == "true":
                return await local(request)
            return await spreads(request)

        return handle


def warned(response: Response, warnings: list[str]) -> Response:
    """Add what went wrong at sources, once each (clause 6.3.17)."""
    for text in dict.fromkeys(warnings):
        response.headers.append("NGSILD-Warning", text)
    return response
