"""Keeps a drill inside: this process reaches nothing but its own doors on this machine.

The switches of the settings (nothing pulled, notices captured) are for order; the fence is for
certainty. It hooks into the interpreter below every library (PEP 578) and cannot be taken away
again while the process lives, so that a channel that somebody adds later is held too.
"""

import sys
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

_NAMES = frozenset({"localhost", "127.0.0.1", "::1", ""})


class FenceError(ConnectionRefusedError):
    """Something tried to leave a drill."""


class Fence:
    """Which connections may be opened; counts those that were refused."""

    def __init__(self) -> None:
        self._ports: frozenset[int] = frozenset()
        self.refused: list[str] = []

    def open_for(self, *ports: int) -> None:
        """The doors of this process, on loopback."""
        self._ports |= frozenset(ports)

    def raise_(self) -> None:
        """From now on, for the whole process, for good."""
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        check = _CHECKS.get(event)
        if check is None:
            return
        what = check(arguments, self._ports)
        if what:
            self.refused.append(what)
            raise FenceError(f"a drill is fenced in: {what} was refused")


def _connect(arguments: tuple[Any, ...], ports: frozenset[int]) -> str:
    """(socket, address) of connect, sendto and sendmsg."""
    address = arguments[1]
    if not isinstance(address, tuple):
        # A path: a socket of this machine's file system may lead to any service of it.
        return f"a connection to {address!r}" if address else ""
    host, port = address[:2]
    return "" if _is_here(host) and port in ports else f"a connection to {host}:{port}"


def _look_up(arguments: tuple[Any, ...], _ports: frozenset[int]) -> str:
    """A name that is asked for outside tells the outside something."""
    host = arguments[0]
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host or ""
    return "" if _is_here(name) else f"a look-up of {name}"


def _start(arguments: tuple[Any, ...], _ports: frozenset[int]) -> str:
    """Another program would be outside the fence."""
    return f"the program {arguments[0]}"


def _is_here(host: object) -> bool:
    if host in _NAMES:
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


_CHECKS: dict[str, Callable[[tuple[Any, ...], frozenset[int]], str]] = {
    "socket.connect": _connect,
    "socket.sendto": _connect,
    "socket.sendmsg": _connect,
    "socket.getaddrinfo": _look_up,
    "socket.gethostbyname": _look_up,
    "subprocess.Popen": _start,
    "os.system": _start,
    "os.exec": _start,
    "os.posix_spawn": _start,
}
