"""Cuts connections whose request does not arrive: uvicorn itself waits for ever."""

import asyncio
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Cuts:
    """How many connections were cut."""

    count = 0


class DeadlineProtocol(HttpToolsProtocol):
    """A request head must be complete, and a body make progress, within `request_timeout_s`.

    Time that passes because of us (reading is paused, an earlier answer is under way, the client
    waits for our 100 Continue) does not count. Made by `with_deadline`.
    """

    request_timeout_s: ClassVar[float]
    cuts: ClassVar[Cuts]

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None or not self._in_head:
            self._arm()
        super().data_received(data)

    def handle_websocket_upgrade(self) -> None:
        self._disarm()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        self._in_head = True
        if self._deadline is None:
            self._arm()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._disarm()
        super().on_message_complete()

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(self.request_timeout_s, self._expire)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._waits_for_us():
            self._arm()
            return
        self.cuts.count += 1
        self.transport.close()

    def _waits_for_us(self) -> bool:
        answering = self.cycle is not None and not self.cycle.response_complete
        if self._in_head:
            return answering
        return self.flow.read_paused or (answering and self.cycle.waiting_for_100_continue)


def with_deadline(timeout_s: float, cuts: Cuts) -> type[DeadlineProtocol]:
    """The protocol for one server, which counts into `cuts`."""

    class Bound(DeadlineProtocol):
        pass

    Bound.request_timeout_s = timeout_s
    Bound.cuts = cuts
    return Bound
