"""A real server with the bulk door, over an ingest that keeps what it is given."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from dothi.intake.http.door import HttpIntakeDeps, endpoints
from dothi.intake.http.settings import HttpIntakeSettings
from dothi.model.batch import Batch, CommitResult
from dothi.ports.clock import SystemClock
from serving import client_of, serve

SMALL = HttpIntakeSettings(
    max_body_bytes=200_000,
    max_decoded_bytes=1_000_000,
    max_json_bytes=500_000,
    max_rows=5_000,
    max_in_flight_bytes=300_000,
    rejects_shown=5,
)


@dataclass
class KeptBatches:
    """ports.Ingest in memory."""

    batches: list[Batch] = field(default_factory=list)
    error: Exception | None = None

    async def submit(self, batch: Batch) -> CommitResult:
        if self.error is not None:
            raise self.error
        self.batches.append(batch)
        rejected = sum(r.count for r in batch.rejected)
        stored = batch.rows.num_rows
        return CommitResult(batch.id, stored + rejected, stored, 0, batch.rejected)


@dataclass
class Door:
    client: httpx.AsyncClient
    ingest: KeptBatches

    async def post(self, content: object, media: str, **headers: str) -> httpx.Response:
        return await self.client.post(
            "/api/v1/observations",
            content=content,  # type: ignore[arg-type]
            headers={"content-type": media, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    ingest = KeptBatches()
    routes = endpoints(HttpIntakeDeps(ingest, SystemClock(), SMALL))
    async with (
        serve(routes) as address,
        client_of(address, headers={"authorization": "Bearer probe-1"}) as client,
    ):
        yield Door(client, ingest)
