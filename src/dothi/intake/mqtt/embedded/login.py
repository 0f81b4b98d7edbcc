"""Who a connecting client is."""

import asyncio
import ipaddress
import logging
from collections.abc import Sequence
from typing import NamedTuple

from dothi.intake.mqtt.codec.packets import Connect
from dothi.intake.mqtt.codec.reasons import PacketError, Reason
from dothi.ports.registry import Sources

_log = logging.getLogger(__name__)


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
        proven = await self.check([connect])
        if proven is None:
            raise PacketError(Reason.SERVER_UNAVAILABLE, "tokens cannot be checked now, try again")
        source = proven[0]
        if source is None:
            raise PacketError(
                Reason.BAD_USER_NAME_OR_PASSWORD,
                f"the password is no valid device token of source {connect.user!r:.120}",
            )
        return Identity(source)

    async def check(self, connects: Sequence[Connect]) -> list[str | None] | None:
        """Per CONNECT the source that it proves now, or None; None for all when nobody can say."""
        [found] = await asyncio.gather(
            asyncio.to_thread(lambda: [self._source_of(one) for one in connects]),
            return_exceptions=True,
        )
        if isinstance(found, BaseException):
            _log.error("device tokens cannot be checked", exc_info=found)
            return None
        return found

    def _source_of(self, connect: Connect) -> str | None:
        token = (connect.password or b"").decode(errors="replace")
        source = self._sources.source_of_token(token)
        return source.id if source is not None and source.id == connect.user else None


def is_loopback(peer: str) -> bool:
    """Whether an address text means this machine."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
