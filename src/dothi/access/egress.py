"""Which addresses the program may call on behalf of somebody who only gave a URL."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct

Network = IPv4Network | IPv6Network


class EgressPolicy(Struct, frozen=True):
    """Public addresses are open; loopback, link-local, private and other special ones are not.

    `allowed` opens networks (or single addresses) that an operator trusts nevertheless.
    """

    allowed: tuple[Network, ...] = ()

    def permits(self, address: str) -> bool:
        """Whether a connection to this IP address may be opened."""
        ip = _unmapped(ip_address(address.partition("%")[0]))
        if any(ip in network for network in self.allowed if network.version == ip.version):
            return True
        return ip.is_global and not ip.is_multicast


def egress_policy(allowed: tuple[str, ...] = ()) -> EgressPolicy:
    """Policy from settings. Raises ValueError when an entry is neither address nor network."""
    return EgressPolicy(tuple(ip_network(entry, strict=False) for entry in allowed))


def _unmapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, so that it cannot be used to get round the rules."""
    if isinstance(ip, IPv4Address):
        return ip
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip
