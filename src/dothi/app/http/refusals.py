"""Sign-ins that were refused, in the audit record; not more than somebody can read."""

import asyncio
import time

from dothi.model.audit import Deed
from dothi.ports.audit import Audit

MOST_A_MINUTE = 20
"""Further ones are counted, and the next entry says how many: who tries links by the thousand
must not fill the disk."""


class Refusals:
    """One per door."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._minute = 0
        self._told = 0
        self._untold = 0

    async def tell(self, client: str) -> None:
        """Somebody at this address came with a link that does not work."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._told = minute, 0
        if self._told >= MOST_A_MINUTE:
            self._untold += 1
            return
        detail = {"client": client or "unknown"}
        if self._untold:
            detail["more_before"] = str(self._untold)
        self._told, self._untold = self._told + 1, 0
        deed = Deed("anonymous", "sign_in_refused", "door:login", detail)
        await asyncio.to_thread(self._audit.tell, deed)
