"""Documents to one receiver as signed POST (ports.notifier.DocumentNotifier)."""

import time
from collections.abc import Callable

from dothi.notify.webhook.channel import signed
from dothi.notify.webhook.client import HttpClient
from dothi.notify.webhook.outcome import exchanged, is_success
from dothi.ports.channel import Handed
from dothi.ports.notifier import Message, Outcome

_REFUSED = frozenset({400, 406, 413, 415, 422})
"""Status codes that speak about the document itself: it will not be taken later either."""


class DocumentWebhook:
    """Whatever is amiss with the receiver or its settings may be mended: it is tried again."""

    def __init__(
        self,
        client: HttpClient,
        url: str,
        key: bytes,
        timeout_s: float,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._url = url
        self._key = key
        self._timeout_s = timeout_s
        self._now_s = now_s

    async def send(self, key: str, document: bytes, media_type: str) -> Outcome:
        """See ports.notifier.DocumentNotifier."""
        headers = signed(self._key, key, int(self._now_s()), document, media_type)
        message = Message(self._url, document, headers, timeout_s=self._timeout_s)
        answer = await exchanged(self._client, message)
        if isinstance(answer, Handed):
            return Outcome(False, answer.detail, may_retry=True)
        if is_success(answer.status):
            return Outcome(True)
        detail = f"answered with status {answer.status}"
        return Outcome(False, detail, may_retry=answer.status not in _REFUSED)

    async def close(self) -> None:
        """See ports.notifier.DocumentNotifier."""
        await self._client.close()


class CapturedDocuments:
    """Stands for a receiver in a drill; opens nothing."""

    async def send(self, key: str, document: bytes, media_type: str) -> Outcome:
        """It is kept with its warning anyway."""
        del key, document, media_type
        return Outcome(True, "kept, not sent")

    async def close(self) -> None:
        """Nothing is open."""
