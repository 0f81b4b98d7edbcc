"""From a host name to an address that the egress policy lets us call."""

import asyncio
import os
import socket

from dothi.access.egress import EgressPolicy


class ForbiddenAddress(OSError):
    """The policy does not let us call the host."""


async def allowed_address(
    host: str, port: int, policy: EgressPolicy, setting: str = "[ngsi_ld.notify] allow"
) -> str:
    """The checked address itself is to be dialled: a second look-up could give another one.

    `setting`: which one opens what the policy forbids.

    Raises OSError: no such host, or ForbiddenAddress.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if policy.permits(address):
            return address
    raise ForbiddenAddress(
        f"the egress policy forbids {host} ({', '.join(addresses)}); open it with {setting}"
    )


def reason(error: Exception) -> str:
    """What went wrong in words, without the number of the system's error."""
    # The event loop words some errors itself ("Connect call failed …"); the number is the system's.
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number and number > 0 else str(error) or type(error).__name__
