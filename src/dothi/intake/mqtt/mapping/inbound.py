"""A message as it came from a connection."""

from typing import NamedTuple


class Inbound(NamedTuple):
    topic: str
    payload: bytes
    received_us: int
    """UTC microseconds since 1970, of the read that completed it."""
    source: str | None = None
    """The source that the connection proved; None: the mapping names it."""
    is_stale: bool = False
    """A retained message that waited at the broker: nobody knows how long."""
    is_silent: bool = False
    """Nothing to observe: it clears a retained message, or is for subscribers only."""
    cut: int = 0
    """Size in bytes when it was too large to keep."""
    fault: str = ""
    """What was wrong with the packet, when it was no message at all."""
