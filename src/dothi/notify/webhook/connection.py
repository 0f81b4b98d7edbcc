"""One HTTP/1.1 connection: a request, its answer, and again."""

import asyncio
from typing import NamedTuple, cast

import httptools

_MAX_ANSWER_BYTES = 1 << 20
_KEPT_BYTES = 1 << 16


class Answer(NamedTuple):
    """What the receiver said."""

    status: int
    body: bytes
    """Its beginning."""


class ClosedEarly(ConnectionError):
    """The receiver closed the connection before it answered."""


class Connection(asyncio.Protocol):
    """Of the bodies of answers the beginning is kept, the rest read and dropped."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._has_headers = False
        self._received = 0
        self._body = bytearray()
        self.is_open = False
        """Whether another request may be sent on it."""
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self.is_open = True

    async def exchange(self, request: bytes) -> Answer:
        """Send the bytes of a request; gives the answer. Raises OSError."""
        if self._transport is None or not self.is_open:
            raise ClosedEarly("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._has_headers, self._received = False, 0
        self._body.clear()
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None

    def close(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(OSError(f"the answer is no HTTP/1.1: {error}"))
            return
        if self._answer is None or self._received > _MAX_ANSWER_BYTES:
            # Nobody asked, or the answer is endless: its status may be known, no more is read.
            self._finish()
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._has_headers:
            self._finish()  # an answer without a length ends with the connection
        else:
            self._fail(ClosedEarly(str(exc or "the receiver closed the connection")))

    def on_headers_complete(self) -> None:
        self._has_headers = self._parser.get_status_code() >= 200

    def on_body(self, data: bytes) -> None:
        if len(self._body) < _KEPT_BYTES:
            self._body += data

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            if not self._parser.should_keep_alive():
                self.is_open = False
            self._finish()

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            self.answers += 1
            self._answer.set_result(Answer(self._parser.get_status_code(), bytes(self._body)))

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()
