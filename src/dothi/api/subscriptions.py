"""Subscriptions and how the delivery of their notifications goes."""

from datetime import datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_query
from dothi.ports.subscriptions import SubscriptionView


class SubscriptionState(Struct):
    """One subscription."""

    id: str
    name: str
    about: str
    """What it is about, in short."""
    endpoint: str
    status: str
    """active, paused or expired."""
    delivery: str
    """ok, failed, or empty before the first attempt."""
    created_at: datetime
    waiting: int
    """Notifications that are not delivered yet."""
    is_down: bool
    """The receiver failed so often that it is tried rarely."""
    times_sent: int
    times_failed: int
    last_notification_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about subscriptions."""

    async def all_of_them(request: Request) -> Response:
        decode_query(request, NoQuery)
        views = [] if deps.deliveries is None else deps.deliveries.views()
        return answer([_state(view) for view in views])

    return [
        Endpoint(
            "GET", "/api/v1/subscriptions", Permission.READ, all_of_them,
            "Every subscription and how its delivery goes",
            NoQuery, None, list[SubscriptionState], ("subscriptions",),
        ),
    ]  # fmt: skip


def _state(view: SubscriptionView) -> SubscriptionState:
    delivery = view.delivery
    return SubscriptionState(
        view.id,
        view.name,
        view.about,
        view.endpoint,
        view.status,
        delivery.status,
        view.created_at,
        view.waiting,
        view.is_down,
        delivery.times_sent,
        delivery.times_failed,
        delivery.last_notification_at,
        delivery.last_success_at,
        delivery.last_failure_at,
        delivery.last_error,
    )
