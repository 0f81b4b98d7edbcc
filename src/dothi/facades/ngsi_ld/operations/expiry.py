"""Removes entities and attributes whose expiresAt has come (clause 4.22).

They are deleted by rows of the log like by any other request, so that whoever follows the log
learns of it. It looks when the next one is due, and at least every half minute, since other doors
write too.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.model.problem import Overloaded, StoreUnavailable
from dothi.ports.entity_query import Expiring

logger = logging.getLogger(__name__)

_LOOK_EVERY = timedelta(seconds=30)
_AFTER_FAILURE = timedelta(seconds=5)
_AT_ONCE = 1000
"""Deletions per commit."""


class Expiry:
    """A Service of the NGSI-LD door."""

    name = "ngsi-ld expiry"

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def wait(self) -> None:
        """See ports.service.Watched."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        clock, alarm = self._broker.clock, self._broker.alarm
        while True:
            # Planned before the look: what is noted meanwhile is not missed.
            alarm.plan(clock.now() + _LOOK_EVERY)
            next_at = await self._look()
            alarm.note(next_at)
            await alarm.wait(max(0.0, (next_at - clock.now()).total_seconds()))

    async def _look(self) -> datetime:
        """Remove what is due; gives the time of the next look."""
        now = self._broker.clock.now()
        found = await asyncio.to_thread(self._broker.entities.expiring, now + _LOOK_EVERY, _AT_ONCE)
        due = [one for one in found if one.expires_at <= now]
        try:
            await self._remove(due, now)
        except (Overloaded, StoreUnavailable, NgsiError) as error:
            logger.warning("expired data stay for now: %s", error)
            return now + _AFTER_FAILURE
        if len(due) >= _AT_ONCE:
            return now
        return min(
            (one.expires_at for one in found if one.expires_at > now), default=now + _LOOK_EVERY
        )

    async def _remove(self, due: Sequence[Expiring], now: datetime) -> None:
        broker = self._broker
        ids = {one.entity for one in due}
        if not ids:
            return
        async with broker.locks.hold(ids):
            # Asked again under the locks: a writer may have put the end off.
            still = await asyncio.to_thread(broker.entities.expiring, now, _AT_ONCE)
            rows = RowBuilder(broker.settings.source)
            whole = {one.entity for one in still if not one.attribute} & ids
            for entity_id in whole:
                rows.drop_entity(entity_id)
            for one in still:
                if one.attribute and one.entity in ids - whole:
                    rows.drop_attribute(one.entity, one.attribute, one.dataset)
            if len(rows):
                await broker.write(rows)
