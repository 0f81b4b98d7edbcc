"""A channel over any HTTP interface: SMS gateways, Zalo and the like, by configuration."""

import re

from dothi.model.delivery import DeliveryState
from dothi.notify.gateway.receipts import GatewayReceipts
from dothi.notify.gateway.templates import (
    SECRET,
    check_templates,
    escape_for,
    filled,
    in_header,
    in_url,
)
from dothi.notify.pace import Pace
from dothi.notify.settings import GatewaySettings
from dothi.notify.webhook.client import HttpClient
from dothi.notify.webhook.outcome import exchanged, is_success, refused
from dothi.ports.channel import Handed, Letter, Report
from dothi.ports.notifier import Message

_MOST_DETAIL = 300


class GatewayChannel:
    """One gateway: when it is down, all its letters wait."""

    def __init__(
        self,
        name: str,
        settings: GatewaySettings,
        secret: str,
        client: HttpClient,
        receipt_secret: str = "",
    ) -> None:
        """Raises Problem: templates or expressions cannot be used."""
        check_templates(name, settings)
        self.contact = settings.contact or name
        self._settings = settings
        self._secret = secret
        self._client = client
        self.receipts = GatewayReceipts(settings, receipt_secret) if settings.receipt else None
        """What the service posts to us; None: nothing."""
        self._pace = Pace(settings.per_second)
        self._success = re.compile(settings.success) if settings.success else None
        self._retry = re.compile(settings.retry) if settings.retry else None
        self._reference = re.compile(settings.reference) if settings.reference else None

    def lane(self, address: str) -> str:
        """See ports.channel.Channel."""
        del address
        return ""

    async def send(self, letter: Letter) -> Handed:
        """See ports.channel.Channel."""
        await self._pace.turn()
        settings, message = self._settings, self._message(letter)
        answer = await exchanged(self._client, message, settings.method)
        if isinstance(answer, Handed):
            # A forbidden address is one of the settings: the letter waits until they are mended.
            return Handed(DeliveryState.WAITING, self._safe(answer.detail), is_reached=False)
        text = answer.body.decode("utf-8", "replace")
        said = self._safe(f"status {answer.status}: {text}"[:_MOST_DETAIL].strip(": "))
        if not is_success(answer.status):
            return refused(answer, said)
        if self._success is not None and not self._success.search(text):
            may_pass = self._retry is not None and self._retry.search(text) is not None
            return Handed(DeliveryState.WAITING if may_pass else DeliveryState.FAILED, said)
        found = self._reference.search(text) if self._reference else None
        return Handed(DeliveryState.ACCEPTED, said, references=(found[1],) if found else ())

    async def listen(self, report: Report) -> None:
        """See ports.channel.Reporting."""
        if self.receipts is not None:
            self.receipts.listen(report)

    async def close(self) -> None:
        """See ports.channel.Channel."""
        if self.receipts is not None:
            self.receipts.listen(None)
        await self._client.close()

    def _message(self, letter: Letter) -> Message:
        settings = self._settings
        values = {
            "address": letter.address,
            "title": letter.title,
            "text": letter.text,
            "short": letter.short,
            "key": letter.key,
            "person": letter.person,
            "notice": letter.notice,
            "url": letter.url,
        }
        with_secret = values | {SECRET: self._secret}
        headers = [
            ("Content-Type", settings.content_type),
            ("User-Agent", "dothi"),
            ("Idempotency-Key", f'"{letter.key}"'),
            *(
                (name, filled(value, with_secret, in_header))
                for name, value in settings.headers.items()
            ),
        ]
        body = filled(settings.body, with_secret, escape_for(settings.content_type))
        uri = filled(settings.url, values, in_url)
        return Message(uri, body.encode(), headers, timeout_s=settings.timeout_s)

    def _safe(self, text: str) -> str:
        """Some services repeat in their answer what they were sent."""
        return text.replace(self._secret, "***") if self._secret else text
