"""One request and its answer, which leaves in one write.

Each write wakes the client and costs a system call; uvicorn's own cycle makes two of them for the
smallest answer, one for the head and one for the body.
"""

import asyncio
from itertools import chain
from typing import Any

from uvicorn._types import ASGISendEvent, HTTPScope
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

_ABOUT_THE_CONNECTION = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_HELD_BYTES = 1 << 16
"""More than this is not held back, nor copied."""
_MOST_LINES, _LONGEST_LINE = 512, 512
_lines: dict[tuple[bytes, bytes], bytes] = {}
"""Headers that were found good, as they are written; most answers have the same ones."""


class Cycle(RequestResponseCycle):
    """As uvicorn's; a small answer, or the head of another, goes out at the end of this turn of the
    event loop.

    The answers of one turn leave one after the other then: a client of several connections is
    woken once for all of them.
    """

    scope: HTTPScope
    loop: asyncio.AbstractEventLoop
    """Set by who makes the cycle."""
    _held = b""
    """What goes out at the end of the turn; `flush` is due as long as there is something."""
    _says_close = False

    async def send(self, message: ASGISendEvent) -> None:
        """Raises RuntimeError: the answer is not as ASGI has it."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start" and not self.response_started:
            self._begin(message)
        elif (
            message["type"] == "http.response.body"
            and self.response_started
            and not self.response_complete
        ):
            self._go_on(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"ASGI message {message['type']!r} comes at the wrong time")

    def _begin(self, message: Any) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        status = message["status"]
        content = [STATUS_LINE[status]]
        for header in chain(self.default_headers, message.get("headers", ())):
            line = _lines.get(header)
            content.append(self._line(*header) if line is None else line)
        if not self.keep_alive and not self._says_close:
            content.append(b"connection: close\r\n")
        has_body = self.scope["method"] != "HEAD" and status not in {204, 304}
        if self.chunked_encoding is None and has_body:
            self.chunked_encoding = True
            content.append(b"transfer-encoding: chunked\r\n")
        content.append(b"\r\n")
        self._held = b"".join(content)
        self.loop.call_soon(self.flush)

    def _go_on(self, body: bytes, has_more: bool) -> None:
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            body = b""
        elif self.chunked_encoding:
            framed = [b"%x\r\n" % len(body), body, b"\r\n"] if body else []
            body = b"".join(framed if has_more else [*framed, b"0\r\n\r\n"])
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("Response content longer than Content-Length")
        self._write(body)
        if has_more:
            return
        if self.expected_content_length:
            self.flush()
            raise RuntimeError("Response content shorter than Content-Length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.flush()
            self.transport.close()
        self.on_response()

    def flush(self) -> None:
        """Write what is held back."""
        held, self._held = self._held, b""
        if held and not self.transport.is_closing():
            self.transport.write(held)

    def _write(self, body: bytes) -> None:
        held = self._held
        if not held:
            self.transport.write(body)
        elif len(held) + len(body) > _HELD_BYTES:
            self._held = b""
            self.transport.writelines((held, body))
        else:
            self._held = held + body

    def _line(self, name: bytes, value: bytes) -> bytes:
        if HEADER_RE.search(name):
            raise RuntimeError("Invalid HTTP header name.")
        if HEADER_VALUE_RE.search(value):
            raise RuntimeError("Invalid HTTP header value.")
        lowered = name.lower()
        line = b"%b: %b\r\n" % (lowered, value)
        if lowered in _ABOUT_THE_CONNECTION:
            self._read(lowered, value)
        elif len(line) <= _LONGEST_LINE:
            if len(_lines) >= _MOST_LINES:
                _lines.clear()
            _lines[name, value] = line
        return line

    def _read(self, name: bytes, value: bytes) -> None:
        """What the answer says of its length and of the connection."""
        if name == b"content-length":
            if self.chunked_encoding is None:
                self.expected_content_length = int(value)
                self.chunked_encoding = False
        elif name == b"transfer-encoding":
            if value.lower() == b"chunked":
                self.expected_content_length = 0
                self.chunked_encoding = True
        elif b"close" in [token.strip() for token in value.lower().split(b",")]:
            self.keep_alive = False
            self._says_close = True
