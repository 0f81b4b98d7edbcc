"""The world outside a program: a real receiver for each way out, behind a door that counts."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

from http_sink import sinking
from mqtt_peers import RecordingIngest, embedded, free_port
from push_service import Browser
from smsc import message_centre


@dataclass
class Door:
    """What came to one receiver; `letters` are what it understood."""

    port: int = 0
    connections: int = 0
    bytes: int = 0
    letters: list[Any] = field(default_factory=list)


@dataclass
class Outside:
    """One door for each way out."""

    doors: dict[str, Door] = field(default_factory=dict)
    browser: Browser = field(default_factory=Browser)
    """That takes web push."""

    @property
    def traffic(self) -> dict[str, tuple[int, int]]:
        """Connections and bytes of each door."""
        return {name: (door.connections, door.bytes) for name, door in self.doors.items()}

    def toml(self) -> str:
        """A configuration with a channel for each way out and a feed that is asked twice a
        second."""
        ports = {name: door.port for name, door in self.doors.items()}
        return f"""
[notices]
allow = ["127.0.0.0/8"]
retry_s = 0.2

[notices.email]
host = "127.0.0.1"
port = {ports["email"]}
security = "none"
sender = "truc@example.vn"

[notices.smpp]
host = "127.0.0.1"
port = {ports["sms"]}
system_id = "dothi"
password_file = "env:TEST_SMPP_PASSWORD"
source = "TINH"

[notices.gateways.zalo]
url = "http://127.0.0.1:{ports["zalo"]}/send"
body = '{{"to": "{{address}}", "text": "{{text}}"}}'

[notices.webhook]
secret_file = "env:TEST_WEBHOOK_KEY"

[notices.web_push]
subject = "mailto:truc@example.vn"

[notices.mqtt]
url = "mqtt://127.0.0.1:{ports["mqtt"]}"

[warnings.receivers.tv]
url = "http://127.0.0.1:{ports["cap_push"]}/cap"
secret_file = "env:TEST_WEBHOOK_KEY"
statuses = ["Actual", "Exercise"]

[ngsi_ld.notify]
allow = ["127.0.0.0/8"]
retry_s = 0.2

[pull]
use_system_proxy = false

[pull.connectors.neighbour]
kind = "cap_feed"
base_url = "http://127.0.0.1:{ports["cap_feed"]}/feed.atom"
every_s = 0.5
retries = 0
"""

    def contacts(self) -> dict[str, str]:
        """Of somebody who can be reached on every channel."""
        return {
            "email": "lan@example.org",
            "sms": "+84900000001",
            "zalo": "84900000001",
            "webhook": f"http://127.0.0.1:{self.doors['webhook'].port}/hook",
            "mqtt": "people/lan",
        }

    def push(self) -> dict[str, Any]:
        """What the console sends when that browser is registered."""
        endpoint = f"http://127.0.0.1:{self.doors['web_push'].port}/push/abc"
        subscription = self.browser.subscription(endpoint)
        keys = {"p256dh": subscription.public_key, "auth": subscription.secret}
        return {"endpoint": endpoint, "keys": keys, "name": "Firefox"}


SECRETS = {
    "TEST_SMPP_PASSWORD": "s3cret",
    "TEST_WEBHOOK_KEY": "b3V0c2lkZS1vdXRzaWRlLW91dHNpZGUtb3V0c2lkZQ==",
}


class _Mailbox:
    def __init__(self, door: Door) -> None:
        self._door = door

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        self._door.letters.append(envelope.original_content)
        return "250 OK"


@contextmanager
def outside() -> Iterator[Outside]:
    """Runs in a thread of its own, so that a test may wait for a program meanwhile."""
    found, ready, loop = Outside(), threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with _receivers(found):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert ready.wait(20)
        yield found
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


@asynccontextmanager
async def _receivers(found: Outside) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for name in ("webhook", "web_push", "zalo", "cap_feed", "cap_push", "subscription"):
            sink = await stack.enter_async_context(sinking())
            door = await _opened(stack, found, name, urlsplit(sink.url).port or 0)
            door.letters = sink.requests
        centre = await stack.enter_async_context(message_centre())
        (await _opened(stack, found, "sms", centre.port)).letters = centre.submitted
        broker = await stack.enter_async_context(embedded(RecordingIngest(), relay_only=("#",)))
        await _opened(stack, found, "mqtt", broker.port)
        mail = Door()
        controller = Controller(_Mailbox(mail), hostname="127.0.0.1", port=free_port())
        controller.start()
        stack.callback(controller.stop)
        (await _opened(stack, found, "email", controller.port)).letters = mail.letters = []
        yield


async def _opened(stack: AsyncExitStack, found: Outside, name: str, behind: int) -> Door:
    """A door in front of a receiver: counts, and hands everything on."""
    door = found.doors[name] = Door()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        door.connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", behind)

        def count(size: int) -> None:
            door.bytes += size

        with suppress(ConnectionError):
            await asyncio.gather(_carry(reader, back, count), _carry(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stack.callback(server.close)
    door.port = server.sockets[0].getsockname()[1]
    return door


async def _carry(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, count: Any = lambda _size: None
) -> None:
    while part := await source.read(65536):
        count(len(part))
        target.write(part)
        await target.drain()
    target.close()
