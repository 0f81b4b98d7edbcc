"""How each channel does, counted since the start."""

from datetime import datetime

from msgspec import Struct

from dothi.model.delivery import DeliveryState
from dothi.ports.channel import Handed


class ChannelTally(Struct):
    """One channel."""

    accepted: int = 0
    failed: int = 0
    """For good."""
    retried: int = 0
    """Attempts after which another follows."""
    reported: int = 0
    """Reports of providers."""
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_error: str = ""

    def note(self, handed: Handed, at: datetime) -> None:
        if handed.state is DeliveryState.WAITING or handed.state is DeliveryState.FAILED:
            self.last_failure_at, self.last_error = at, handed.detail
            if handed.state is DeliveryState.FAILED:
                self.failed += 1
            else:
                self.retried += 1
        else:
            self.accepted += 1
            self.last_success_at = at
