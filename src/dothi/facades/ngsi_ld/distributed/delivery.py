"""Brings notifications about registrations to their endpoints: one attempt each."""

from collections.abc import Mapping

from dothi.facades.ngsi_ld.distributed.http_client import HttpClient, PeerError
from dothi.facades.ngsi_ld.registrations.subscription import RegistrationSubscription


class HttpDelivery:
    """The Protocol `registrations.notifier.Delivery` over HTTP."""

    def __init__(self, client: HttpClient, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def send(
        self, subscription: RegistrationSubscription, body: bytes, headers: Mapping[str, str]
    ) -> bool:
        """Only 200 says that the notification arrived (clause 6.3.8)."""
        timeout_s = subscription.timeout_s or self._timeout_s
        try:
            answer = await self._client.request("POST", subscription.uri, headers, body, timeout_s)
        except PeerError:
            return False
        return answer.status == 200
