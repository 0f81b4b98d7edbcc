"""Cuts connections whose request does not arrive: uvicorn itself waits for ever."""

import asyncio
from typing import Any, ClassVar, cast
from urllib.parse import unquote

import httptools

from dothi.app.http.cycle import Cycle
from dothi.app.http.offer import OfferProtocol

_SOON_S = 0.001


class Cuts:
    """How many connections were cut."""

    count = 0


class DeadlineProtocol(OfferProtocol):
    """A request head must be complete, and a body make progress, within `request_timeout_s`.

    Time that passes because of us (reading is paused, an earlier answer is under way, the client
    waits for our 100 Continue) does not count. A connection that waits for its next request is
    closed after uvicorn's `timeout_keep_alive`. One timer per connection looks at both times, for
    setting timers costs more than noting times. Made by `with_deadline`.
    """

    request_timeout_s: ClassVar[float]
    cuts: ClassVar[Cuts]
    cycle: Cycle | None  # type: ignore[assignment]

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._arrives_by: float | None = None
        """Loop time at which the rest of a request is late."""
        self._idle_until: float | None = None
        self._in_head = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._arrives_by = self.loop.time() + self.request_timeout_s
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_looking()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._arrives_by is None or not self._in_head:
            self._arrives_by = self.loop.time() + self.request_timeout_s
        if self.cycle is not None:
            self.cycle.flush()  # before what this may make us write
        super().data_received(data)

    def handle_websocket_upgrade(self) -> None:
        self._stop_looking()
        super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        if self.cycle is not None:
            self.cycle.flush()
        super().shutdown()

    def on_message_begin(self) -> None:
        self._in_head = True
        if self._arrives_by is None:
            self._arrives_by = self.loop.time() + self.request_timeout_s
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the answer, or put it behind the one that is under way."""
        self._in_head = False
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        if parser.should_upgrade() and self._should_upgrade():
            return
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        scope["raw_path"] = self.root_path.encode("ascii") + url.path
        scope["query_string"] = url.query or b""
        before = self.cycle
        self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self.cycle.loop = self.loop
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_message_complete(self) -> None:
        if self.passes_over:
            return
        self._in_head = True
        self._arrives_by = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin the next answer that waits, else wait for the next request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self._idle_until = self.loop.time() + self.timeout_keep_alive

    def _unset_keepalive_if_required(self) -> None:
        self._idle_until = None

    def _look_later(self) -> None:
        """Not later than the next time that may be set from now on."""
        now = self.loop.time()
        times = [now + min(self.request_timeout_s, self.timeout_keep_alive)]
        times += [time for time in (self._arrives_by, self._idle_until) if time is not None]
        self._timer = self.loop.call_later(max(min(times) - now, _SOON_S), self._look)

    def _stop_looking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self.cycle is not None:
            self.cycle.flush()
        now = self.loop.time()
        if self._idle_until is not None and now >= self._idle_until:
            self.transport.close()
            return
        if self._arrives_by is not None and now >= self._arrives_by:
            if not self._waits_for_us():
                self.cuts.count += 1
                self.transport.close()
                return
            self._arrives_by = now + self.request_timeout_s
        self._look_later()

    def _waits_for_us(self) -> bool:
        cycle = self.cycle
        answering = cycle is not None and not cycle.response_complete
        if self._in_head:
            return answering
        return self.flow.read_paused or (
            cycle is not None and answering and cycle.waiting_for_100_continue
        )


def with_deadline(timeout_s: float, cuts: Cuts) -> type[DeadlineProtocol]:
    """The protocol for one server, which counts into `cuts`."""

    class Bound(DeadlineProtocol):
        pass

    Bound.request_timeout_s = timeout_s
    Bound.cuts = cuts
    return Bound
