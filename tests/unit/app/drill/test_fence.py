"""The fence holds whatever library tries; each case runs in a process of its own."""

import socket
import subprocess
import sys

import pytest

_BEGIN = """
import asyncio, socket, subprocess, urllib.request
from dothi.app.drill.fence import Fence
fence = Fence(); fence.open_for({open_port}); fence.raise_()
out = ("127.0.0.1", {port})
"""

TRIES = {
    "a socket": "socket.create_connection(out)",
    "a datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', out)",
    "asyncio": "asyncio.run(asyncio.open_connection(*out))",
    "urllib": "urllib.request.urlopen('http://127.0.0.1:%d/' % out[1])",
    "httpx": "import httpx; httpx.get('http://127.0.0.1:%d/' % out[1], trust_env=False)",
    "smtp": "import smtplib; smtplib.SMTP(*out)",
    "mqtt": "import paho.mqtt.client as m; m.Client(m.CallbackAPIVersion.VERSION2).connect(*out)",
    "a name": "socket.getaddrinfo('example.org', 80)",
    "a program": "subprocess.run(['true'])",
}


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("way", TRIES)
def test_nothing_leaves(way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        outside.settimeout(0.05)
        port = outside.getsockname()[1]
        done = _run(_BEGIN.format(open_port=1, port=port) + TRIES[way])
        assert "fenced in" in done.stderr, done.stderr
        with pytest.raises(TimeoutError):
            outside.accept()


def test_its_own_doors_are_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        port = inside.getsockname()[1]
        done = _run(_BEGIN.format(open_port=port, port=port) + TRIES["asyncio"])
        assert done.returncode == 0, done.stderr


def test_loopback_of_another_port_is_outside() -> None:
    """A mail relay of this machine would carry it on."""
    done = _run(
        _BEGIN.format(open_port=1, port=25)
        + "\ntry:\n    socket.create_connection(('127.0.0.1', 25))\n"
        "except ConnectionError:\n    print(fence.refused)"
    )
    assert "127.0.0.1:25" in done.stdout
