"""What is left to do when the API is switched off: nobody follows the log for its subscriptions."""

import asyncio

from dothi.facades.ngsi_ld.subscriptions.service import CONSUMER
from dothi.ports.cursors import Cursors


class Unfollowing:
    """A Service. The cursor of an earlier run would hold back sealing for ever."""

    name = "no subscriptions"

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    async def start(self) -> None:
        """Switched on again, subscriptions are told of what comes then."""
        await asyncio.to_thread(self._cursors.drop, CONSUMER)

    async def stop(self) -> None:
        """Nothing goes on."""
