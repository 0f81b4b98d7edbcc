"""Which doors let secrets cross the network in clear, and how others reach this machine."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from dothi.app.config.sections import is_loopback
from dothi.app.config.settings import Settings

_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104
_ELSEWHERE = ("192.0.2.1", 9)
"""An address that nobody has (RFC 5737): asking for the way to it sends nothing."""


class PlainDoor(Struct, frozen=True):
    """A door that others on the network reach, without TLS."""

    name: str
    host: str
    secrets: str
    """What can be read on the way."""
    secrets_vi: str
    remedy: str


def plain_doors(settings: Settings) -> Iterator[PlainDoor]:
    """Doors that listen beyond this machine without TLS."""
    server, mqtt = settings.server, settings.mqtt
    if not is_loopback(server.host) and not server.public_url.startswith("https://"):
        yield PlainDoor(
            "HTTP",
            server.host,
            "sign-ins and device tokens",
            "phiên đăng nhập và mã thiết bị",
            "listen on 127.0.0.1 behind a proxy with TLS and set "
            'server.public_url = "https://..." (docs/guide/en/operate.md)',
        )
    embedded = mqtt.embedded
    if mqtt.mode == "embedded" and not is_loopback(embedded.host) and not embedded.tls_certificate:
        yield PlainDoor(
            "MQTT",
            embedded.host,
            "device tokens",
            "mã thiết bị",
            "set mqtt.embedded.tls_certificate and tls_key (docs/guide/en/operate.md)",
        )


def reachable(url: str, listens_on: str) -> str:
    """`url` as other machines open it: the address of this one, where all are listened on."""
    if listens_on not in _WILDCARDS:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{own_address()}:{parts.port}"))


def own_address() -> str:
    """The IPv4 address with which this machine reaches others; loopback where it reaches none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
