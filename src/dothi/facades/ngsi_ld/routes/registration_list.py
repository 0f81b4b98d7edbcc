"""GET /api/v1/registrations: all context sources, and how their use goes, for the console.

The public query (clause 5.10.2) answers only what may hold certain entities; operators see all.
"""

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.registry import Entry
from dothi.model.uri import without_login

PATH = "/api/v1/registrations"
_MOST_NAMED = 4


class RegistrationState(Struct):
    """One registered context source."""

    id: str
    name: str
    endpoint: str
    mode: str
    about: str
    """Types and attributes that it is registered for, in short."""
    status: str
    """ok, failed, or empty before the first request."""
    times_sent: int
    times_failed: int
    last_success_at: str | None
    last_failure_at: str | None
    last_error: str
    """What went wrong then."""
    expires_at: str | None


def registration_list(broker: Broker) -> Endpoint:
    """The route of the list."""

    async def listing(_request: Request) -> Response:
        found = [_state(entry) for entry in broker.sources]
        return Response(msgspec.json.encode(found), media_type="application/json")

    return Endpoint(
        "GET",
        PATH,
        Permission.READ,
        listing,
        "Every registered context source and how its use goes",
        answer=list[RegistrationState],
        tags=("registrations",),
    )


def _state(entry: Entry) -> RegistrationState:
    made, use = entry.registration, entry.use
    return RegistrationState(
        made.id,
        str(made.document.get("registrationName", "")),
        without_login(made.endpoint),
        made.mode.value,
        _about(entry),
        ("failed" if use.is_failing else "ok") if use.sent else "",
        use.sent,
        use.failed,
        use.last_success or None,
        use.last_failure or None,
        use.last_error,
        made.document.get("expiresAt"),
    )


def _about(entry: Entry) -> str:
    parts = entry.registration.information
    types = dict.fromkeys(
        name for part in parts for entity in part.entities for name in entity.types
    )
    names = dict.fromkeys(name for part in parts for name in sorted(part.names))
    said = [_shortened(list(types)), _shortened(list(names))]
    return ": ".join(text for text in said if text)


def _shortened(names: list[str]) -> str:
    more = ", …" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
