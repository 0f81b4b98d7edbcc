"""Where gateways tell what became of a message: no session, but a secret of its own."""

from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.notice_deps import NoticeDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_query, read_body
from dothi.model.problem import Overloaded, Problem
from dothi.ports.channel import CalledBack, Receipts

HEADER = "x-receipt-secret"
_MOST_BYTES = 64 * 1024


class ReceiptHandler:
    """POST /api/v1/notices/receipts/{gateway}."""

    def __init__(self, deps: NoticeDeps) -> None:
        self._gateways = deps.gateways

    async def take(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        gateway = self._admitted(request)
        if wait_s := gateway.wait_s():
            raise Overloaded(wait_s)
        body = await read_body(request, _MOST_BYTES)
        found = await gateway.take(body.decode("utf-8", "replace"))
        if found is None:
            raise Problem(
                "receipt_unreadable",
                "There is no report in this",
                "the expression `receipt` of the gateway does not match it",
                422,
                where="body",
                remedy="compare it with [notices.gateways.<channel>] receipt",
            )
        return answer(found)

    def _admitted(self, request: Request) -> CalledBack:
        """One answer without the secret, whether there is such a gateway or not."""
        gateway = self._gateways.get(request.path_params["gateway"])
        if gateway is None or not gateway.admits(request.headers.get(HEADER, "")):
            raise Problem(
                "receipt_forbidden",
                "Nobody may report here so",
                "no gateway of this name takes reports with this secret",
                403,
                where="header X-Receipt-Secret",
                remedy="set receipt and receipt_secret_file of the gateway, and send the secret",
            )
        return gateway


def endpoints(deps: NoticeDeps) -> list[Endpoint]:
    """The one route; without gateways that report it refuses everybody."""
    return [
        Endpoint(
            "POST",
            "/api/v1/notices/receipts/{gateway}",
            Permission.PUBLIC,
            ReceiptHandler(deps).take,
            "A gateway tells what became of messages, with its secret in X-Receipt-Secret",
            NoQuery,
            None,
            Receipts,
            ("notices",),
        )
    ]
