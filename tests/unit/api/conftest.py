"""The console's API over a real socket and the real store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import time
from pathlib import Path

import httpx
import pytest

from alarm_parts import limits
from dothi.api.alarm_deps import AlarmDeps
from dothi.api.deps import ApiDeps
from dothi.api.layers import Layer, Title
from dothi.api.routes import endpoints
from dothi.live.settings import LiveSettings
from dothi.model.alarm import RuleFacts
from dothi.rules.facts import StateFacts
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.alarms import RelationalAlarmLedger
from province import Province, province
from serving import client_of, serve

LAYER = Layer(
    id="water-level",
    title=Title("Mực nước", "Water level"),
    types=["WaterObserved"],
    attribute="level",
    domain="water",
    unit="MTR",
)


@dataclass
class Api:
    client: httpx.AsyncClient
    parts: Province
    address: str

    async def get(self, path: str, **query: object) -> httpx.Response:
        params = {k: v for k, v in query.items() if v is not None}
        return await self.client.get(f"/api/v1{path}", params=params)  # type: ignore[arg-type]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    live = LiveSettings(interval_s=0.02, beat_s=0.3, cut_off_s=0.5)
    async with province(tmp_path, live) as parts:
        deps = ApiDeps(
            state=parts.state,
            history=parts.history,
            sources=parts.sources,
            owners=parts.writer,
            receipts=parts.receipts,
            areas=parts.areas,
            live=parts.hub,
            clock=parts.clock,
            version="1.2.3",
            mode="example",
            layers=[LAYER],
            rules=parts.rules,
            alarms=AlarmDeps(
                RelationalAlarmLedger(parts.engine),
                RelationalAlarmReader(parts.engine),
                lambda _rule, _version: RuleFacts(),
                limits(),
                "operator",
                [time(0), time(12)],
            ),
            rule_facts=StateFacts(parts.state, parts.areas, parts.clock),
            pulls=parts.pull_runs,
            pull_sources={"weather": "open-meteo", "air": "air"},
        )
        async with (
            serve(endpoints(deps)) as address,
            client_of(address) as client,
        ):
            yield Api(client, parts, address)
