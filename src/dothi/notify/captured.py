"""Keeps letters instead of sending them: drills reach nobody."""

from dothi.model.delivery import DeliveryState
from dothi.ports.channel import Handed, Letter


class CapturedChannel:
    """Stands for a channel; opens nothing."""

    def __init__(self, contact: str) -> None:
        self.contact = contact

    def lane(self, address: str) -> str:
        """See ports.channel.Channel."""
        del address
        return ""

    async def send(self, letter: Letter) -> Handed:
        """The text is stored with the delivery, as that of every letter."""
        del letter
        return Handed(DeliveryState.CAPTURED, "kept, not sent")

    async def close(self) -> None:
        """Nothing is open."""
