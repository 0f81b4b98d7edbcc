"""The settings of what app itself runs: server, access, log."""

import ipaddress
from typing import Literal

import msgspec


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The HTTP server."""

    host: str = "127.0.0.1"
    """Address to listen on. The default is reachable from this machine only."""
    port: int = 8400
    """TCP port; 0 takes a free one."""
    public_url: str = ""
    """How browsers reach the server when a proxy stands before it, e.g. `https://hub.example.vn`."""
    max_body_mb: int = 128
    """Requests with a larger body are refused (status 413)."""
    request_timeout_s: float = 30.0
    """A connection is cut when the head of a request is not complete after this time, or a body
    makes no progress for so long."""
    graceful_stop_s: float = 10.0
    """How long open requests may go on after a stop was asked for."""


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may come in."""

    mode: Literal["login", "open"] = "login"
    """`open` makes everybody administrator; only allowed when listening on loopback."""
    link_lifetime_s: float = 3600.0
    """How long a one-time login link works."""
    person_link_lifetime_s: float = 86400.0
    """How long a login link works that is made for a person, who must be handed it first."""
    session_lifetime_s: float = 30 * 86400.0
    """How long a browser stays signed in."""
    positions_file: str = ""
    """TOML file with the positions that people may hold, what each may do, and the patterns of
    shifts; empty: those that come with dothi."""


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the program says about itself, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Messages below this level are left out."""
    format: Literal["auto", "text", "json"] = "auto"
    """`auto`: text on a terminal, else one JSON object per line."""
    requests: bool = True
    """Log every HTTP request (never its query string)."""


class ProvinceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of the province before it reports."""

    attributes_file: str = ""
    """TOML file with unit and limits of belief per attribute; empty: the proposal that comes with
    dothi (an empty file: no limits, units stay as they are sent)."""
    layers_file: str = ""
    """JSON file with the layers of the live map; empty: those that come with dothi, for air, water
    and weather."""


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
