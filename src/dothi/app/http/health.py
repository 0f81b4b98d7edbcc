"""`/healthz`, `/readyz`, `/metrics` and `/api/openapi.json`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dothi import __version__
from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.app.http import openapi
from dothi.app.metrics import CONTENT_TYPE, render
from dothi.app.supervisor import Supervisor
from dothi.model.measure import Measure


class PartState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How one part of the program is doing."""

    state: str
    since_at: str
    error: str = ""
    restarts: int = 0


class Readiness(msgspec.Struct, kw_only=True):
    """`ready` when every part runs; else `not_ready`, with status 503."""

    status: str
    version: str
    parts: dict[str, PartState]


class Health:
    """What a machine asks about the program."""

    def __init__(
        self,
        supervisor: Supervisor,
        measures: Callable[[], Sequence[Measure]],
        metrics_for: Permission,
    ) -> None:
        """`metrics_for`: what reading `/metrics`, which names every source, asks for."""
        self._supervisor = supervisor
        self._measures = measures
        self._metrics_for = metrics_for
        self._openapi = b""

    def endpoints(self) -> list[Endpoint]:
        public, tags = Permission.PUBLIC, ("operation",)
        return [
            Endpoint("GET", "/healthz", public, self.alive, "Whether the process lives", tags=tags),
            Endpoint(
                "GET",
                "/readyz",
                public,
                self.ready,
                "Whether every part runs",
                answer=Readiness,
                tags=tags,
            ),
            Endpoint(
                "GET",
                "/metrics",
                self._metrics_for,
                self.metrics,
                "Figures as Prometheus text",
                tags=tags,
            ),
            Endpoint("GET", "/api/openapi.json", public, self.document, "This document", tags=tags),
        ]

    def publish(self, endpoints: Sequence[Endpoint]) -> None:
        """Make the OpenAPI document of everything that is mounted."""
        self._openapi = msgspec.json.encode(openapi.describe(endpoints))

    async def alive(self, request: Request) -> Response:
        return Response(b"ok\n", media_type="text/plain")

    async def ready(self, request: Request) -> Response:
        is_ready = self._supervisor.is_running
        readiness = Readiness(
            status="ready" if is_ready else "not_ready",
            version=__version__,
            parts={part.service.name: _state(part) for part in self._supervisor.parts},
        )
        body = msgspec.json.encode(readiness)
        return Response(body, 200 if is_ready else 503, media_type="application/json")

    async def metrics(self, request: Request) -> Response:
        text = await asyncio.to_thread(lambda: render(self._measures()))
        return Response(text, media_type=CONTENT_TYPE)

    async def document(self, request: Request) -> Response:
        return Response(self._openapi, media_type="application/json")


def _state(part: Any) -> PartState:
    return PartState(
        state=part.state,
        since_at=part.changed_at.isoformat() if part.changed_at else "",
        error=part.error,
        restarts=part.restarts,
    )
