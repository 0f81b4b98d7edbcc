"""Who a connecting client is."""

import asyncio
import ipaddress
from typing import NamedTuple

from dothi.intake.mqtt.codec.packets import Connect
from dothi.intake.mqtt.codec.reasons import PacketError, Reason
from dothi.ports.registry import Sources


class Identity(NamedTuple):
    source: str | None
    """Id of the source that the device token proves; None: anonymous."""


class Login:
    """User name = source id, password = device token."""

    def __init__(self, sources: Sources, allow_anonymous: bool) -> None:
        self._sources = sources
        self._allow_anonymous = allow_anonymous

    async def identify(self, connect: Connect, peer: str) -> Identity:
        """Raises PacketError with the reason for CONNACK."""
        if connect.user is None and connect.password is None:
            if self._allow_anonymous and is_loopback(peer):
                return Identity(None)
            raise PacketError(
                Reason.NOT_AUTHORIZED, "no user name; it is the source id, the password its token"
            )
        token = (connect.password or b"").decode(errors="replace")
        source = await asyncio.to_thread(self._sources.source_of_token, token)
        if source is None or source.id != connect.user:
            raise PacketError(
                Reason.BAD_USER_NAME_OR_PASSWORD,
                f"the password is no valid device token of source {connect.user!r:.120}",
            )
        return Identity(source.id)


def is_loopback(peer: str) -> bool:
    """Whether an address text means this machine."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
