"""Channel `webhook`: a signed POST, after the Standard Webhooks specification 1.0.

Headers: `webhook-id` (the idempotency key), `webhook-timestamp` (seconds since 1970) and
`webhook-signature` (`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`).
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable

import msgspec

from dothi.model.delivery import DeliveryState
from dothi.model.problem import Problem
from dothi.model.uri import without_login
from dothi.notify.webhook.client import HttpClient
from dothi.notify.webhook.outcome import exchanged, is_success, refused
from dothi.pipeline.gates import receiver_of
from dothi.ports.channel import Handed, Letter
from dothi.ports.notifier import Message

_PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64


class WebhookChannel:
    """A receiver that gets the same id twice answers 2xx and does nothing."""

    contact = "webhook"

    def __init__(
        self,
        client: HttpClient,
        key: bytes,
        timeout_s: float,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._key = key
        self._timeout_s = timeout_s
        self._now_s = now_s

    def lane(self, address: str) -> str:
        """See ports.channel.Channel."""
        return receiver_of(without_login(address))

    async def send(self, letter: Letter) -> Handed:
        """See ports.channel.Channel."""
        if not letter.address.startswith(("https://", "http://")):
            return Handed(DeliveryState.FAILED, "the address is no http or https URL")
        body = content(letter)
        headers = signed(self._key, letter.key, int(self._now_s()), body, "application/json")
        message = Message(letter.address, body, headers, timeout_s=self._timeout_s)
        answer = await exchanged(self._client, message)
        if isinstance(answer, Handed):
            return answer
        if is_success(answer.status):
            return Handed(DeliveryState.DELIVERED, f"status {answer.status}")
        return refused(answer)

    async def close(self) -> None:
        """See ports.channel.Channel."""
        await self._client.close()


def content(letter: Letter) -> bytes:
    """The letter as JSON."""
    return msgspec.json.encode(
        {
            "type": letter.kind,
            "timestamp": letter.at,
            "data": {
                "id": letter.key,
                "notice": letter.notice,
                "subject": letter.subject,
                "priority": int(letter.priority),
                "person": letter.person,
                "language": letter.language,
                "title": letter.title,
                "text": letter.text,
                "url": letter.url,
            },
        }
    )


def signed(
    key: bytes, message_id: str, at_s: int, body: bytes, media_type: str
) -> tuple[tuple[str, str], ...]:
    """Headers of a request whose receiver can see who made it."""
    at = str(at_s)
    return (
        ("Content-Type", media_type),
        ("User-Agent", "dothi"),
        ("webhook-id", message_id),
        ("webhook-timestamp", at),
        ("webhook-signature", signature(key, message_id, at, body)),
        ("Idempotency-Key", f'"{message_id}"'),
    )


def signature(key: bytes, message_id: str, at: str, body: bytes) -> str:
    """Value of `webhook-signature`."""
    signed = b".".join((message_id.encode(), at.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def signing_key(secret: str, setting: str = "[notices.webhook] secret_file") -> bytes:
    """The key of a secret (base64, with or without `whsec_`). Raises Problem."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise Problem(
            "webhook_secret_wrong",
            "The key of the webhook signature cannot be used",
            f"it must be {_LEAST_BYTES} to {_MOST_BYTES} bytes as base64",
            500,
            where=setting,
            remedy="make one with: openssl rand -base64 32",
        )
    return key
