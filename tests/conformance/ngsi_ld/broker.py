"""A running NGSI-LD door over the real commit path and a real socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from dothi.access.egress import egress_policy
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.hubs.hub import HubPlan
from dothi.app.hubs.pool import HubPool
from dothi.app.hubs.snapshots import SnapshotHubs
from dothi.app.hubs.tenants import TenantHubs
from dothi.facades.ngsi_ld.door import NgsiLdDeps, NgsiLdDoor
from dothi.facades.ngsi_ld.errors import context_not_available
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.notify.mqtt.sender import MqttSender
from dothi.notify.webhook.sender import WebhookSender
from dothi.pipeline.entity_cache import EntityCache
from dothi.ports.clock import SystemClock
from dothi.ports.hubs import Following, HubPorts, Snapshots
from dothi.ports.notifier import Notifier
from dothi.storage.lake.open import Lake, open_lake
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.context_sources import RelationalContextSources
from dothi.storage.relational.cursors import RelationalCursors
from dothi.storage.relational.entity_maps import RelationalEntityMaps
from dothi.storage.relational.entity_query import SqliteEntities
from dothi.storage.relational.entity_states import SqliteEntityStates
from dothi.storage.relational.evolution_query import SqliteEvolutions
from dothi.storage.relational.inventory import SqliteInventory
from dothi.storage.relational.outbox import RelationalOutbox
from dothi.storage.relational.snapshots import RelationalSnapshots
from dothi.storage.relational.subscriptions import RelationalSubscriptions
from hub import Hub, open_hub
from serving import client_of, serve

_CACHE_BYTES = 2**20
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


def open_pool() -> HubPool:
    """For the tenants and snapshots of a test."""
    return HubPool(HubPlan(Settings(), {}, SystemClock()), idle_s=60, most_open=3)


@asynccontextmanager
async def open_tenants(
    folder: Path, most: int = 10, pool: HubPool | None = None
) -> AsyncIterator[TenantHubs]:
    """Tenants below the folder of a hub; nothing is opened before the first request."""
    tenants = TenantHubs(DataFolder(folder), pool or open_pool(), most)
    await tenants.start()
    try:
        yield tenants
    finally:
        await tenants.stop()


def following_of(hub: Hub) -> Following:
    return Following(
        log=hub.log,
        cursors=RelationalCursors(hub.engine),
        states=SqliteEntityStates(hub.engine),
        earlier=hub.log,
        subscriptions=RelationalSubscriptions(hub.engine),
        outbox=RelationalOutbox(hub.engine),
        watch=hub.intake.watch,
    )


def ports_of(hub: Hub, lake: Lake, snapshots: Snapshots | None = None) -> HubPorts:
    """What the door gets of a hub; with `snapshots` subscriptions too."""
    entities = EntityCache(SqliteEntities(hub.engine), SystemClock(), _CACHE_BYTES)
    hub.intake.keep_true(entities)
    return HubPorts(
        hub.intake,
        entities,
        lake.history(hub.log),
        SqliteEvolutions(hub.engine),
        SqliteInventory(hub.engine),
        RelationalEntityMaps(hub.engine),
        snapshots,
        None if snapshots is None else following_of(hub),
        RelationalContextSources(hub.engine),
    )


@asynccontextmanager
async def running(folder: Path, settings: NgsiLdSettings | None = None) -> AsyncIterator[Running]:
    contexts = KnownContexts()
    lake = open_lake(folder / "lake", LakeSettings())
    pool = open_pool()
    async with open_hub(folder) as hub, open_tenants(folder, pool=pool) as tenants:
        records = RelationalSnapshots(hub.engine)
        snapshots = SnapshotHubs(records, pool, DataFolder(folder), SystemClock())
        ports = ports_of(hub, lake, snapshots)
        deps = NgsiLdDeps(ports, tenants, contexts, senders=_senders)
        door = NgsiLdDoor(deps, settings)
        beside = door.services(ports, "")
        for service in beside:
            await service.start()
        endpoints = door.endpoints()
        async with serve(endpoints) as base, client_of(base) as client:
            yield Running(client, hub, contexts)
        for service in beside:
            await service.stop()
        await door.stop()
    lake.close()


def _senders() -> dict[str, Notifier]:
    policy = egress_policy(("127.0.0.0/8", "::1"))
    return {"http": WebhookSender(policy), "mqtt": MqttSender(policy)}


def problem_of(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """Check that an answer is the error it should be; gives its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"https://uri.etsi.org/ngsi-ld/errors/{kind}"
    assert body["title"] and body["detail"] and body["title"] != body["detail"]
    return body
