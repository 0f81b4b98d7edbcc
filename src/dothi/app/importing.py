"""Where an import goes: into the data directory, or to the server that holds it."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pyarrow as pa

from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.province import read_province
from dothi.app.stores import open_registers, open_stores
from dothi.app.supervisor import Supervisor
from dothi.model.attribute_spec import AttributeSpec
from dothi.model.batch import Batch, CommitResult, Rejection
from dothi.model.problem import Overloaded, Problem, StoreUnavailable
from dothi.model.source import Source
from dothi.pipeline.intake import Intake
from dothi.ports.clock import SystemClock
from dothi.ports.ingest import Ingest

_PATH = "/api/v1/observations"
_TIMEOUT_S = 300.0
_STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Target:
    """Where batches go."""

    ingest: Ingest
    server: str
    """Address of the running server; empty: this process writes."""


def attribute_specs(settings: Settings) -> Mapping[str, AttributeSpec]:
    """Units and limits as the server would apply them, for a dry run."""
    return read_province(settings.province, settings.console).specs


@asynccontextmanager
async def open_target(
    settings: Settings, folder: DataFolder, source: Source
) -> AsyncIterator[Target]:
    """Register the source and open the way in.

    Raises Problem: the directory cannot be used.
    """
    running = folder.running()
    if running is not None and running.url.startswith("http"):
        with open_registers(folder, SystemClock()) as registers:
            if registers.sources.get(source.id) is None:
                registers.sources.put(source)
            token = registers.sources.issue_token(source.id)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            base_url=running.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False
        ) as client:
            yield Target(RemoteIngest(client), running.url)
        return
    async with _here(settings, folder, source) as ingest:
        yield Target(ingest, "")


@asynccontextmanager
async def _here(settings: Settings, folder: DataFolder, source: Source) -> AsyncIterator[Ingest]:
    folder.create()
    folder.lock(f"import-{secrets.token_hex(4)}", datetime.now(UTC).isoformat())
    clock = SystemClock()
    try:
        with open_stores(folder, clock, settings.lake) as stores:
            if stores.sources.get(source.id) is None:
                stores.sources.put(source)
            intake = Intake(stores.writer, attribute_specs(settings), settings.pipeline)
            # A long import is sealed as it goes, so that the hot log stays small.
            lake = stores.lake.services(stores.seal_source, stores.cursors, clock)
            supervisor = Supervisor([intake, *lake], clock, _STOP_TIMEOUT_S)
            await supervisor.start()
            try:
                yield intake
            finally:
                await supervisor.stop()
    finally:
        folder.unlock()


class _Answer(msgspec.Struct):
    batch: str
    received: int
    stored: int
    duplicates: int
    rejected: int
    rejects: list[dict[str, Any]]
    replayed: bool = False


class RemoteIngest:
    """ports.Ingest over the bulk door of a running server."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def submit(self, batch: Batch) -> CommitResult:
        """See ports.ingest.Ingest. What this side refused is added to the answer's counts; the
        server's receipts hold what reached the server."""
        refused = sum(r.count for r in batch.rejected)
        if not batch.rows.num_rows:
            return CommitResult(batch.id, refused, 0, 0, batch.rejected)
        source = batch.rows["source"][0].as_py()
        answer = await self._post(batch)
        there = tuple(
            Rejection(source, r["reason"], r["detail"], r.get("row"), count=r.get("count", 1))
            for r in answer.rejects
        )
        return CommitResult(
            batch.id,
            answer.received + refused,
            answer.stored,
            answer.duplicates,
            (*batch.rejected, *there),
            answer.replayed,
        )

    async def _post(self, batch: Batch) -> _Answer:
        # The server knows the source from the token, and takes no other.
        columns = ["entity", "entity_type", "attribute", "dataset", "observed_at", "number"]
        rows = batch.rows.select([*columns, "text", "unit", "quality"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        headers = {
            "Content-Type": "application/vnd.apache.arrow.stream",
            "Idempotency-Key": batch.id,
        }
        try:
            response = await self._client.post(
                _PATH, content=sink.getvalue().to_pybytes(), headers=headers
            )
        except httpx.TransportError as error:
            raise StoreUnavailable(f"the server does not answer: {error}") from error
        if response.status_code in {429, 503}:
            raise Overloaded(float(response.headers.get("retry-after", "1")))
        if response.status_code not in {200, 422}:
            raise Problem(
                "server_refused",
                "The server refuses the import",
                f"{response.status_code}: {response.text[:500]}",
                where=str(response.url),
                remedy="stop dothi and import again: then this command writes by itself",
            )
        return msgspec.json.decode(response.content, type=_Answer)
