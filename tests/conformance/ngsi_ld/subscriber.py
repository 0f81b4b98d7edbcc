"""A running door with subscriptions, and somebody who receives notifications."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.conformance.ngsi_ld.broker import (
    LD_JSON,
    ROOT,
    KnownContexts,
    Running,
    following_of,
    ports_of,
)
from tests.hub import Hub, open_hub
from tests.receiver import Receiver, receiving
from tests.serving import client_of, serve

from dothi.access.egress import egress_policy
from dothi.facades.ngsi_ld.door import NgsiLdDeps, ngsi_ld_endpoints
from dothi.facades.ngsi_ld.endpoints import subscription_endpoints
from dothi.facades.ngsi_ld.notify_settings import NotifySettings
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.facades.ngsi_ld.subscriptions.service import NotifyPorts, SubscriptionService
from dothi.notify.mqtt.sender import MqttSender
from dothi.notify.webhook.sender import WebhookSender
from dothi.ports.clock import SystemClock
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.entity_query import SqliteEntities

QUICK = NotifySettings(timeout_s=0.5, retry_s=0.03, max_retry_s=0.1)
ROOM = "urn:ngsi-ld:Room:1"


@dataclass
class Subscribed(Running):
    """A Running door whose changes are notified."""

    receiver: Receiver
    service: SubscriptionService

    def document(self, **members: Any) -> dict[str, Any]:
        """A subscription to rooms that goes to the receiver; `notification` is completed."""
        notification = dict(members.pop("notification", {}))
        notification["endpoint"] = {"uri": self.receiver.url, **notification.get("endpoint", {})}
        base = {"type": "Subscription", "entities": [{"type": "Room"}]}
        return {**base, **members, "notification": notification}

    async def post(self, document: dict[str, Any], **headers: str) -> httpx.Response:
        media = LD_JSON if "@context" in document else "application/json"
        return await self.http.post(
            f"{ROOT}/subscriptions", json=document, headers={"content-type": media, **headers}
        )

    async def subscribe(self, **members: Any) -> str:
        """Create such a subscription; gives its id."""
        answer = await self.post(self.document(**members))
        assert answer.status_code == 201, answer.text
        return answer.headers["location"].rpartition("/")[2]

    async def subscription(self, subscription_id: str, **options: Any) -> dict[str, Any]:
        answer = await self.get(f"/subscriptions/{subscription_id}", **options)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def room(self, entity_id: str = ROOM, **attributes: Any) -> None:
        """Create a room."""
        made = await self.create({"id": entity_id, "type": "Room", **attributes})
        assert made.status_code == 201, made.text

    async def patch(self, entity_id: str = ROOM, **attributes: Any) -> None:
        """Change attributes of an entity."""
        answer = await self.send("PATCH", f"/entities/{entity_id}/attrs", attributes)
        assert answer.status_code == 204, answer.text


def service_of(
    hub: Hub, contexts: KnownContexts, settings: NotifySettings = QUICK, **options: Any
) -> SubscriptionService:
    policy = egress_policy(("127.0.0.0/8", "::1"))
    webhook = WebhookSender(policy, options.pop("verification", None))
    mqtt = MqttSender(policy)
    clock = SystemClock()
    return SubscriptionService(
        NotifyPorts(
            following_of(hub),
            entities=SqliteEntities(hub.engine, clock),
            senders={"http": webhook, "https": webhook, "mqtt": mqtt, "mqtts": mqtt},
            loader=contexts,
            clock=clock,
        ),
        settings,
        **options,
    )


@asynccontextmanager
async def subscribed(
    folder: Path, settings: NotifySettings = QUICK, **options: Any
) -> AsyncIterator[Subscribed]:
    """Open (or open again) a hub in the folder with its subscriptions."""
    contexts = KnownContexts()
    lake = open_lake(folder / "lake", LakeSettings())
    door_settings = NgsiLdSettings()
    async with open_hub(folder) as hub, receiving() as receiver:
        service = service_of(hub, contexts, settings, **options)
        hub.intake.watch(service.wake)
        await service.start()
        endpoints = [
            *ngsi_ld_endpoints(NgsiLdDeps(ports_of(hub, lake), loader=contexts), door_settings),
            *subscription_endpoints(service.registry, door_settings),
        ]
        async with (
            serve(endpoints) as address,
            client_of(address, timeout=30) as client,
        ):
            yield Subscribed(client, hub, contexts, receiver, service)
        await service.stop()
    lake.close()
