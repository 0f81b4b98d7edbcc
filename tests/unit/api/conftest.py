"""The console's API over a real socket and the real store."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from dothi.api.deps import ApiDeps
from dothi.api.layers import Layer, Title
from dothi.api.routes import endpoints
from dothi.live.settings import LiveSettings
from dothi.model.series import AggregateQuery, RawQuery
from province import Province, province
from serving import serve

LAYER = Layer(
    id="water-level",
    title=Title("Mực nước", "Water level"),
    types=["WaterObserved"],
    attribute="level",
    domain="water",
    unit="MTR",
)


class KnownHistory:
    """ports.history.History that gives what a test put there and keeps the questions."""

    def __init__(self) -> None:
        self.table: pa.Table = pa.table({})
        self.asked: Sequence[RawQuery | AggregateQuery] = ()

    def raw(self, query: RawQuery) -> pa.Table:
        self.asked = (*self.asked, query)
        return self.table

    def aggregate(self, query: AggregateQuery) -> pa.Table:
        self.asked = (*self.asked, query)
        return self.table


@dataclass
class Api:
    client: httpx.AsyncClient
    parts: Province
    history: KnownHistory
    address: str

    async def get(self, path: str, **query: object) -> httpx.Response:
        params = {k: v for k, v in query.items() if v is not None}
        return await self.client.get(f"/api/v1{path}", params=params)  # type: ignore[arg-type]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    live = LiveSettings(interval_s=0.02, beat_s=0.3, cut_off_s=0.5)
    async with province(tmp_path, live) as parts:
        history = KnownHistory()
        deps = ApiDeps(
            state=parts.state,
            history=history,
            sources=parts.sources,
            receipts=parts.receipts,
            areas=parts.areas,
            live=parts.hub,
            clock=parts.clock,
            version="1.2.3",
            is_example=True,
            layers=[LAYER],
        )
        async with (
            serve(endpoints(deps)) as address,
            httpx.AsyncClient(base_url=address) as client,
        ):
            yield Api(client, parts, history, address)
