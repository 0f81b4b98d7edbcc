"""Runs the connectors at their times and remembers how far each is."""

import asyncio
import hashlib
import logging
import random
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import httpx
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from dothi import __version__
from dothi.intake.pull.cap_feed import CapPorts
from dothi.intake.pull.connector import Connector, Malformed, Page, Request, Span
from dothi.intake.pull.fetch import Fetcher, FetchFailed, NotModified
from dothi.intake.pull.schedule import after_failure, after_success, due_at, span_of
from dothi.model.batch import Batch, Rejection
from dothi.model.measure import Measure
from dothi.model.problem import Overloaded, StoreUnavailable
from dothi.model.uri import without_login
from dothi.ports.clock import Clock
from dothi.ports.ingest import Ingest
from dothi.ports.pulls import PullRun, PullRuns
from dothi.ports.registry import Sources

log = logging.getLogger("dothi.pull")

_LONGEST_SLEEP_S = 60.0
"""The clock may be set while a connector waits: it looks again after this."""
_MOST_REQUESTS = 10_000
"""A service whose pages never end is cut off."""


class Ports(Struct, frozen=True):
    """What the scheduler needs from the rest of the program."""

    ingest: Ingest
    runs: PullRuns
    sources: Sources
    clock: Clock
    cap: CapPorts | None = None
    """What feeds of public warnings need; None: there are none."""


class PullService:
    """Service: every connector in its own rhythm; after a downtime each runs once."""

    def __init__(
        self, connectors: dict[str, Connector], ports: Ports, use_system_proxy: bool = True
    ) -> None:
        self._connectors = {n: c for n, c in connectors.items() if c.settings.is_enabled}
        self._ports = ports
        self._use_system_proxy = use_system_proxy
        self._tasks: list[asyncio.Task[None]] = []
        self._described: set[str] = set()
        self._latest: dict[str, PullRun] = {}
        self._validators: dict[str, dict[str, dict[str, str]]] = {}
        """By connector, of its last good run; after a restart everything is asked once."""

    @property
    def name(self) -> str:
        return "pull"

    async def start(self) -> None:
        await asyncio.to_thread(self._register)
        self._tasks = [
            asyncio.create_task(self._keep_running(name), name=f"pull-{name}")
            for name in self._connectors
        ]

    async def wait(self) -> None:
        """Until the service is stopped; raises what broke a connector's loop."""
        if not self._tasks:
            return
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled():
                task.result()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def measures(self) -> Sequence[Measure]:
        """Failures in a row and the time that is covered, per connector."""
        latest = sorted(self._latest.items())
        return [
            Measure(
                "dothi_pull_failures",
                "gauge",
                "Failed runs of a pull connector since its last good one",
                [({"connector": name}, run.failures) for name, run in latest],
            ),
            Measure(
                "dothi_pull_covered_timestamp_seconds",
                "gauge",
                "Everything up to this time was pulled",
                [
                    ({"connector": name}, run.covered_to_at.timestamp())
                    for name, run in latest
                    if run.covered_to_at is not None
                ],
            ),
        ]

    def _register(self) -> None:
        for connector in self._connectors.values():
            if self._ports.sources.get(connector.source.id) is None:
                self._ports.sources.put(connector.source)

    async def _keep_running(self, name: str) -> None:
        while True:
            run = await asyncio.to_thread(self._ports.runs.get, name)
            if run is not None:
                self._latest[name] = run
            await self._sleep_until(due_at(run, self._ports.clock.now()))
            try:
                await self.run_once(name)
            except StoreUnavailable as error:
                # What was fetched is stored or not; that it ran cannot be remembered now.
                log.warning("pull %s: %s", name, error)
                await asyncio.sleep(_LONGEST_SLEEP_S)

    async def _sleep_until(self, at: datetime) -> None:
        while (left_s := (at - self._ports.clock.now()).total_seconds()) > 0:
            await asyncio.sleep(min(left_s, _LONGEST_SLEEP_S))

    async def run_once(self, name: str) -> PullRun:
        """Fetch and store what is new; gives what was remembered of the run."""
        connector = self._connectors[name]
        clock, settings = self._ports.clock, connector.settings
        before = await asyncio.to_thread(self._ports.runs.get, name)
        span = replace(span_of(before, clock.now(), settings), is_first=name not in self._described)
        chance = random.random()  # noqa: S311
        try:
            await self._fetch(name, connector, span)
        except (FetchFailed, Malformed, StoreUnavailable, OSError) as error:
            log.warning("pull %s failed: %s", name, error)
            run = after_failure(name, before, str(error), clock.now(), settings, chance)
        else:
            self._described.add(name)
            run = after_success(name, span, clock.now(), settings, chance)
        self._latest[name] = run
        await asyncio.to_thread(self._ports.runs.put, run)
        return run

    async def _fetch(self, name: str, connector: Connector, span: Span) -> None:
        key = await asyncio.to_thread(_read_key, connector.key_file)
        headers = {"User-Agent": f"dothi/{__version__}", **connector.headers(key)}
        waiting = deque(connector.plan(span))
        asked = 0
        async with httpx.AsyncClient(
            follow_redirects=False, trust_env=self._use_system_proxy
        ) as client:
            known = self._validators.get(name, {})
            fetcher = Fetcher(client, connector.settings, headers, dict(known))
            while waiting:
                asked += 1
                if asked > _MOST_REQUESTS:
                    raise FetchFailed(f"more than {_MOST_REQUESTS} requests in one run")
                request = waiting.popleft()
                page = await self._page(name, connector, fetcher, request, span)
                await self._store(name, page)
                waiting.extendleft(reversed(page.following))
        self._validators[name] = fetcher.validators

    async def _page(
        self, name: str, connector: Connector, fetcher: Fetcher, request: Request, span: Span
    ) -> Page:
        try:
            payload = await fetcher.get(request)
        except NotModified:
            return Page()
        except FetchFailed as error:
            if not request.is_optional:
                raise
            detail = f"{without_login(request.url)}: {error}"
            refused = Rejection(connector.source.id, "link_unusable", detail)
            return Page(rejected=(refused,))
        return await self._decode(name, connector, request, payload, span)

    async def _decode(
        self, name: str, connector: Connector, request: Request, payload: bytes, span: Span
    ) -> Page:
        try:
            return await asyncio.to_thread(connector.decode, request, payload, span)
        except Malformed as error:
            # The answer counts as received and rejected, then the run fails.
            sample = payload[:300].decode("utf-8", "replace")
            detail = f"{without_login(request.url)}: {error}"
            rejection = Rejection(connector.source.id, "payload_malformed", detail, sample=sample)
            await self._store(name, Page(rejected=(rejection,)))
            raise

    async def _store(self, name: str, page: Page) -> None:
        if page.description.num_rows:
            await self._submit(f"pull:{name}:about", page.description, ())
        if page.rows.num_rows or page.rejected:
            await self._submit(f"pull:{name}", page.rows, page.rejected)
        if page.after_stored is not None:
            await asyncio.to_thread(page.after_stored)

    async def _submit(self, stem: str, rows: pa.Table, rejected: tuple[Rejection, ...]) -> None:
        """The id follows from the content: the same answer again changes nothing."""
        digest = hashlib.sha256(repr(rejected).encode())
        for batch in rows.combine_chunks().to_batches():
            digest.update(batch.serialize())
        batch_id = f"{stem}:{digest.hexdigest()[:40]}"
        while True:
            try:
                now_at = self._ports.clock.now()
                await self._ports.ingest.submit(Batch(batch_id, rows, now_at, rejected))
                return
            except Overloaded as busy:
                await asyncio.sleep(busy.retry_after_s)


def _read_key(key_file: str) -> str:
    if not key_file:
        return ""
    try:
        return Path(key_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FetchFailed(f"the API key cannot be read: {error}") from error
