"""A service that is made when it starts."""

from collections.abc import Callable

from dothi.ports.service import Service


class Late:
    """Stands for a service that needs what an earlier one finds out at its start (its port)."""

    def __init__(self, name: str, make: Callable[[], Service]) -> None:
        self.name = name
        self._make = make
        self._service: Service | None = None

    async def start(self) -> None:
        self._service = self._make()
        await self._service.start()

    async def stop(self) -> None:
        if self._service is not None:
            await self._service.stop()
