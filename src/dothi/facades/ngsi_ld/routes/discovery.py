"""/types and /attributes (clauses 6.25 to 6.28)."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.operations import discovery
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.wire.answers import answer
from dothi.facades.ngsi_ld.wire.names import check_name
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import request_context

_LIST = frozenset({"details", "local"})
_ONE = frozenset({"local"})
_List = Callable[[Broker, LdContext], Awaitable[Any]]
_Describe = Callable[[Broker, LdContext, str], Awaitable[dict[str, Any]]]


def types_handler(broker: Broker) -> Handler:
    return _listing(broker, discovery.list_types, discovery.describe_types)


def attributes_handler(broker: Broker) -> Handler:
    return _listing(broker, discovery.list_attributes, discovery.describe_attributes)


def type_handler(broker: Broker) -> Handler:
    return _describing(broker, discovery.describe_type, "the name of a type in the path")


def attribute_handler(broker: Broker) -> Handler:
    return _describing(broker, discovery.describe_attribute, "the attribute name in the path")


def _listing(broker: Broker, names: _List, details: _List) -> Handler:
    async def listing(request: Request) -> Response:
        parameters = Parameters(request, _LIST)
        parameters.is_true("local")
        media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        context = await request_context(request, broker.contexts)
        wanted = details if parameters.is_true("details") else names
        return answer(await wanted(broker, context), media, context)

    return guarded(listing)


def _describing(broker: Broker, describe: _Describe, where: str) -> Handler:
    async def describing(request: Request) -> Response:
        Parameters(request, _ONE).is_true("local")
        name: str = request.path_params["name"].removesuffix("/")
        check_name(name, where)
        media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        context = await request_context(request, broker.contexts)
        return answer(await describe(broker, context, name), media, context)

    return guarded(describing)
