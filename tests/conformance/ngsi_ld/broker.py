"""A running NGSI-LD door over the real commit path and a real socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa

from dothi.facades.ngsi_ld.endpoints import ngsi_ld_endpoints
from dothi.facades.ngsi_ld.errors import context_not_available
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.series import RAW_ANSWER, AggregateQuery, RawQuery
from dothi.storage.relational.entity_query import SqliteEntities
from tests.hub import Hub, open_hub
from tests.serving import serve

ROOT = "/ngsi-ld/v1"
LD_JSON = "application/ld+json"
CONTEXT_URL = "https://contexts.example.org/city.jsonld"
CONTEXT = {
    "@context": {
        "ex": "https://example.org/city#",
        "AirStation": "ex:AirStation",
        "dust": "ex:dust",
        "operator": {"@id": "ex:operator", "@type": "@id"},
    }
}
CONTEXT_LINK = {
    "link": f'<{CONTEXT_URL}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD_JSON}"'
}


@dataclass
class KnownContexts:
    """A ContextLoader that knows some documents and no others."""

    documents: dict[str, Any] = field(default_factory=lambda: {CONTEXT_URL: CONTEXT})
    loaded: list[str] = field(default_factory=list)

    async def load(self, url: str) -> Any:
        self.loaded.append(url)
        if url not in self.documents:
            raise context_not_available(f"{url} does not answer")
        return self.documents[url]


class LogHistory:
    """ports.History.raw over the whole log, none of which is sealed in these tests."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def raw(self, query: RawQuery) -> pa.Table:
        keys = {(k.entity, k.attribute, k.dataset) for k in query.series}
        rows = [
            row
            for row in self._hub.rows().to_pylist()
            if (row["entity"], row["attribute"], row["dataset"]) in keys
            and (query.start_at is None or (row["observed_at"] or query.start_at) >= query.start_at)
            and (query.end_at is None or (row["observed_at"] or row["committed_at"]) < query.end_at)
        ]
        rows.sort(
            key=lambda r: (r["attribute"], r["dataset"], r["observed_at"] or r["committed_at"])
        )
        return pa.Table.from_pylist(rows, schema=RAW_ANSWER)

    def aggregate(self, query: AggregateQuery) -> pa.Table:
        raise NotImplementedError


@dataclass
class Running:
    http: httpx.AsyncClient
    hub: Hub
    contexts: KnownContexts

    async def create(self, entity: dict[str, Any], **headers: str) -> httpx.Response:
        media = LD_JSON if "@context" in entity else "application/json"
        return await self.http.post(
            f"{ROOT}/entities", json=entity, headers={"content-type": media, **headers}
        )

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(f"{ROOT}{path}", **options)

    async def send(self, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.http.request(method, f"{ROOT}{path}", json=body, headers=headers)

    async def entity(self, entity_id: str, **options: Any) -> dict[str, Any]:
        answer = await self.get(f"/entities/{entity_id}", **options)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def running(folder: Path, settings: NgsiLdSettings | None = None) -> AsyncIterator[Running]:
    contexts = KnownContexts()
    async with open_hub(folder) as hub:
        endpoints = ngsi_ld_endpoints(
            hub.intake, SqliteEntities(hub.engine), LogHistory(hub), settings, loader=contexts
        )
        async with serve(endpoints) as base, httpx.AsyncClient(base_url=base) as client:
            yield Running(client, hub, contexts)


def problem_of(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """Check that an answer is the error it should be; gives its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"https://uri.etsi.org/ngsi-ld/errors/{kind}"
    assert body["title"] and body["detail"] and body["title"] != body["detail"]
    return body
