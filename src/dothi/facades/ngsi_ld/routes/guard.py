"""Every failure of a handler becomes the answer that NGSI-LD prescribes."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from dothi.access.principal import Principal
from dothi.facades.ngsi_ld.errors import NgsiError, unavailable
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.wire.answers import empty, problem
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.facades.ngsi_ld.wire.request import LengthRequired
from dothi.model.problem import Overloaded, StoreUnavailable

Handler = Callable[[Request], Awaitable[Response]]


def guarded(handler: Handler) -> Handler:
    """The handler with its errors mapped."""

    @wraps(handler)
    async def answering(request: Request) -> Response:
        try:
            return await handler(request)
        except NgsiError as error:
            return problem(error)
        except LengthRequired:
            return empty(411)
        except Overloaded as error:
            response = problem(unavailable(str(error)))
            response.headers["retry-after"] = f"{error.retry_after_s:.0f}"
            return response
        except StoreUnavailable as error:
            return problem(unavailable(str(error)))

    return answering


def source_of(request: Request, broker: Broker) -> str:
    """The source that the rows of this request name."""
    principal: Principal = request.state.principal
    return principal.source or broker.settings.source


def entity_id_of(request: Request) -> str:
    """The entity id of the path. Raises BadRequestData."""
    found: str = request.path_params["entity_id"].removesuffix("/")
    check_uri(found, "the entity id in the path")
    return found


def attribute_of(request: Request) -> str:
    """The attribute name of the path, as written there. Raises BadRequestData."""
    found: str = request.path_params["attribute"].removesuffix("/")
    check_name(found, "the attribute name in the path")
    return found
