"""Channel `web_push`: a message to a browser, by the push service of its maker (RFC 8030)."""

import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec

from dothi.model.delivery import DeliveryState
from dothi.notify.settings import WebPushSettings
from dothi.notify.web_push.encryption import MOST_BYTES, encrypted, from_base64url
from dothi.notify.web_push.vapid import Vapid
from dothi.notify.webhook.client import HttpClient
from dothi.notify.webhook.outcome import exchanged, is_success, refused
from dothi.ports.channel import Handed, Letter
from dothi.ports.notices import PushSubscription
from dothi.ports.notifier import Message

_URGENCY = {1: "high", 2: "high", 3: "normal", 4: "low"}
_GONE = frozenset({404, 410})
_OURS_TO_MEND = frozenset({401, 403})


class WebPushChannel:
    """The address is a PushSubscription as JSON."""

    contact = "web_push"

    def __init__(
        self,
        settings: WebPushSettings,
        vapid: Vapid,
        client: HttpClient,
        gone: Callable[[str], Awaitable[None]],
    ) -> None:
        """`gone`: called with an endpoint that no longer exists."""
        self._settings = settings
        self._vapid = vapid
        self._client = client
        self._gone = gone

    def lane(self, address: str) -> str:
        """The push service of the browser's maker."""
        return _origin(msgspec.json.decode(address, type=PushSubscription).endpoint)

    async def send(self, letter: Letter) -> Handed:
        """See ports.channel.Channel."""
        try:
            browser = msgspec.json.decode(letter.address, type=PushSubscription)
            keys = from_base64url(browser.public_key), from_base64url(browser.secret)
            body = encrypted(_content(letter), *keys)
        except ValueError as error:  # of msgspec too
            return Handed(DeliveryState.FAILED, f"the browser's keys cannot be used: {error}")
        authorization = self._vapid.authorization(_origin(browser.endpoint), time.time())
        headers = (
            ("Authorization", authorization),
            ("Content-Encoding", "aes128gcm"),
            ("Content-Type", "application/octet-stream"),
            ("TTL", str(self._settings.lifetime_s)),
            ("Urgency", _URGENCY[int(letter.priority)]),
            # The service keeps one message of a topic: a second attempt replaces the first.
            ("Topic", letter.key.replace("-", "")),
        )
        message = Message(browser.endpoint, body, headers, timeout_s=self._settings.timeout_s)
        answer = await exchanged(self._client, message)
        if isinstance(answer, Handed):
            return answer
        if is_success(answer.status):
            return Handed(DeliveryState.ACCEPTED, f"status {answer.status}")
        if answer.status in _GONE:
            await self._gone(browser.endpoint)
            return Handed(DeliveryState.FAILED, "the browser is no longer registered")
        if answer.status in _OURS_TO_MEND:
            detail = f"the push service refuses our key (status {answer.status})"
            return Handed(DeliveryState.WAITING, detail)
        return refused(answer)

    async def close(self) -> None:
        """See ports.channel.Channel."""
        await self._client.close()


def _content(letter: Letter) -> bytes:
    """What the service worker of the console shows; the text is cut where it would not fit."""
    shown = {
        "key": letter.key,
        "kind": letter.kind,
        "title": letter.title[:300],
        "text": letter.text,
        "url": letter.url,
        "language": letter.language,
        "priority": int(letter.priority),
    }
    while len(body := msgspec.json.encode(shown)) > MOST_BYTES:
        text = str(shown["text"])
        shown["text"] = text[: len(text) * 3 // 4]
    return body


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
