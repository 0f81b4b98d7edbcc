"""Offers of another protocol (RFC 9110, 7.8): a WebSocket is taken, any other is passed over.

A parser stops behind the head of a request that makes an offer and leaves its body to the other
protocol. Where nobody takes the offer, the body would be lost, or read as a request of its own.
"""

from typing import Protocol, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_FRAMING = (b"content-length", b"transfer-encoding")
_INVALID = "Invalid HTTP request received."


class _Listener(Protocol):
    """Who is told what a parser finds."""

    def on_message_begin(self) -> None: ...
    def on_url(self, url: bytes) -> None: ...
    def on_header(self, name: bytes, value: bytes) -> None: ...
    def on_headers_complete(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...


class _BehindHead:
    """Keeps the first head from a listener, who knows it already."""

    def __init__(self, listener: _Listener) -> None:
        self._listener = listener
        self._is_known = True

    def on_message_begin(self) -> None:
        if not self._is_known:
            self._listener.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_known:
            self._listener.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_known:
            self._listener.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_known:
            self._is_known = False
        else:
            self._listener.on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._listener.on_body(body)

    def on_message_complete(self) -> None:
        self._listener.on_message_complete()


class OfferProtocol(HttpToolsProtocol):
    """Answers a request whose offer is not taken as if it had made none."""

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        rest: bytes | memoryview = data
        try:
            while True:
                try:
                    self.parser.feed_data(rest)
                except httptools.HttpParserUpgrade as offer:
                    if self._should_upgrade():
                        self.handle_websocket_upgrade()
                        return
                    rest = memoryview(rest)[offer.args[0] :]
                    self._read_on()
                else:
                    return
        except httptools.HttpParserError:
            self.logger.warning(_INVALID)
            self.send_400_response(_INVALID)

    @property
    def passes_over(self) -> bool:
        """The parser stands at an offer that nobody takes: the end it tells is not the end."""
        return self.parser.should_upgrade() and not self._should_upgrade()

    def _should_upgrade(self) -> bool:
        """A handshake has no body, and the WebSocket library answers no other request."""
        return (
            super()._should_upgrade()
            and self.scope["method"] == "GET"
            and self.scope["http_version"] == "1.1"
            and not any(name in _FRAMING for name, _ in self.headers)
        )

    def _read_on(self) -> None:
        """Another parser takes over behind the head: it is told only how the body is framed."""
        head = [b"POST / HTTP/", self.scope["http_version"].encode("ascii"), b"\r\n"]
        for name, value in self.headers:
            if name in _FRAMING:
                head += [name, b": ", value, b"\r\n"]
        self.parser = httptools.HttpRequestParser(_BehindHead(cast("_Listener", self)))
        self.parser.feed_data(b"".join([*head, b"\r\n"]))
