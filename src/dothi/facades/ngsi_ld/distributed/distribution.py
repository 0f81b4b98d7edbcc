"""The hooks of distributed operations (clause 4.3.6): what endpoints.py wraps handlers with.

Each method takes the maker of a local handler (`make(broker) -> handler`) and gives a maker of a
handler that also asks or tells registered sources. Handlers themselves know nothing of that:

- without a matching registration, or with `local=true`, the local handler gets the request as is;
  with no registration at all that costs one look at an empty dictionary;
- a request is first given to the local handler over stores that hold and write nothing
  (`overlay.checking`): what it finds wrong is answered before anybody else is bothered;
- reads go to the sources, then to the local handler over a store that shows what they gave among
  our own entities (`overlay.with_remote`);
- writes are split attribute by attribute (`plan`); the local handler gets a copy of the request
  with what stays here, and the outcomes become one answer (`outcomes`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.caller import Caller, caller_of
from dothi.facades.ngsi_ld.distributed.forward import Forwarder
from dothi.facades.ngsi_ld.distributed.http_client import HttpClient
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded

Make = Callable[[Broker], Handler]
Spread = Callable[["Spreading", Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Spreading:
    """What a distributed operation works with."""

    broker: Broker
    forwarder: Forwarder
    make: Make
    """Of the handler that does the operation here."""
    local: Handler

    def caller(self, request: Request, context: LdContext) -> Caller:
        return caller_of(request, context, self.broker.sources.alias)


class Distribution:
    """Wraps handlers of one broker. `client` may be shared with other brokers of the program."""

    def __init__(self, broker: Broker, client: HttpClient) -> None:
        self._broker = broker
        self._forwarder = Forwarder(
            client, broker.sources, broker.contexts, broker.settings.forward_timeout_s
        )

    def wrap(self, make: Make, spread: Spread) -> Handler:
        """A handler that spreads the operation whenever there are registrations."""
        broker = self._broker
        local = make(broker)
        spreading = Spreading(broker, self._forwarder, make, local)

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
