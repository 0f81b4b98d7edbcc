"""A process made to be killed: commits changes and notifies somebody of them as fast as it can.

Arguments: data folder, address of the receiver, first number, last number (0: none). Each
acknowledged change is printed as its number, flushed, after the commit. Number n is the new value
of attribute `n` of one of a few entities, alone in its batch.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dothi.access.egress import egress_policy
from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT
from dothi.facades.ngsi_ld.notify_settings import NotifySettings
from dothi.facades.ngsi_ld.subscriptions.service import NotifyPorts, SubscriptionService
from dothi.model.batch import Batch
from dothi.model.row import Change, rows_table
from dothi.notify.webhook.sender import WebhookSender
from dothi.pipeline.intake import Intake
from dothi.ports.clock import SystemClock
from dothi.ports.hubs import Following
from dothi.storage.relational.entity_query import SqliteEntities
from dothi.storage.relational.entity_states import SqliteEntityStates
from dothi.storage.relational.outbox import RelationalOutbox
from dothi.storage.relational.sqlite_store import SqliteStore, open_store
from dothi.storage.relational.subscriptions import RelationalSubscriptions

ENTITIES = 5

Watch = Callable[[Callable[[int], None]], None]


class _NoContexts:
    async def load(self, url: str) -> Any:
        raise AssertionError(url)


def change(number: int) -> Batch:
    """One new value."""
    rows = rows_table(
        {
            "source": "faults",
            "entity": [f"urn:ngsi-ld:Counter:{number % ENTITIES}"],
            "entity_type": "Counter",
            "attribute": "n",
            "number": [float(number)],
            "change": int(Change.ASSIGN),
        }
    )
    return Batch(f"n{number}", rows, datetime.now(UTC))


def service_on(store: SqliteStore, watch: Watch) -> SubscriptionService:
    clock = SystemClock()
    webhook = WebhookSender(egress_policy(("127.0.0.0/8",)))
    return SubscriptionService(
        NotifyPorts(
            hub=Following(
                log=store.reader,
                cursors=store.cursors,
                states=SqliteEntityStates(store.engine, clock),
                earlier=store.reader,
                subscriptions=RelationalSubscriptions(store.engine),
                outbox=RelationalOutbox(store.engine),
                watch=watch,
            ),
            entities=SqliteEntities(store.engine, clock),
            senders={"http": webhook},
            loader=_NoContexts(),
            clock=clock,
        ),
        NotifySettings(retry_s=0.05, max_retry_s=0.2, lane_length=20),
    )


async def main(folder: Path, receiver: str, first: int, last: int) -> None:
    store = open_store(folder / "dothi.db")
    intake = Intake(store.writer, {})
    service = service_on(store, intake.watch)
    intake.watch(service.wake)
    await intake.start()
    await service.start()
    if not len(service.registry):
        document = {
            "type": "Subscription",
            "entities": [{"type": "Counter"}],
            "notification": {"endpoint": {"uri": receiver}},
        }
        await service.registry.create(document, CORE_CONTEXT)
    numbers = iter(range(first, last + 1 if last else sys.maxsize))

    async def sender() -> None:
        for number in numbers:
            await intake.submit(change(number))
            print(number, flush=True)

    await asyncio.gather(*(sender() for _ in range(3)))
    while service.dispatcher.queued or service.position < store.reader.head():
        await asyncio.sleep(0.05)
    await service.stop()
    await intake.stop()
    store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
