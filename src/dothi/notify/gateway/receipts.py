"""What a gateway tells later about a message, as the settings say it is to be read."""

import hmac
import re
import time
from collections.abc import Callable

from dothi.model.delivery import DeliveryState
from dothi.notify.settings import GatewaySettings
from dothi.ports.channel import Receipts, Report

_MOST_DETAIL = 100


class GatewayReceipts:
    """ports.channel.CalledBack."""

    def __init__(
        self,
        settings: GatewaySettings,
        secret: str,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """The settings are checked: see check_templates."""
        self._pattern = re.compile(settings.receipt)
        self._delivered = re.compile(settings.receipt_delivered)
        self._failed = re.compile(settings.receipt_failed) if settings.receipt_failed else None
        self._secret = secret.encode()
        self._per_second = settings.receipts_per_second
        self._elapsed_s = elapsed_s
        self._left = self._most
        self._at_s = elapsed_s()
        self._report: Report | None = None

    def listen(self, report: Report | None) -> None:
        """Whom to tell; None: nobody any longer."""
        self._report = report

    def admits(self, secret: str) -> bool:
        """See ports.channel.CalledBack."""
        return bool(self._secret) and hmac.compare_digest(self._secret, secret.encode())

    def wait_s(self) -> float:
        """See ports.channel.CalledBack."""
        now_s = self._elapsed_s()
        gained = (now_s - self._at_s) * self._per_second
        self._left, self._at_s = min(self._most, self._left + gained), now_s
        if self._left < 1:
            return (1 - self._left) / self._per_second
        self._left -= 1
        return 0.0

    async def take(self, text: str) -> Receipts | None:
        """See ports.channel.CalledBack."""
        found = {one["id"]: one["state"] for one in self._pattern.finditer(text)}
        if not found:
            return None
        taken = unknown = ignored = 0
        for reference, said in found.items():
            state = self._state(said)
            if state is None or self._report is None:
                ignored += 1
            elif await self._report((reference,), state, said[:_MOST_DETAIL]):
                taken += 1
            else:
                unknown += 1
        return Receipts(taken, unknown, ignored)

    @property
    def _most(self) -> float:
        return max(1.0, self._per_second)

    def _state(self, said: str) -> DeliveryState | None:
        if self._delivered.fullmatch(said):
            return DeliveryState.DELIVERED
        if self._failed is not None and self._failed.fullmatch(said):
            return DeliveryState.FAILED
        return None
