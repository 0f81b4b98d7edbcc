"""What a subscriber to registrations is told, and what became of it (clauses 5.2.14, 5.3.2)."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from dothi.facades.ngsi_ld.context.core import CORE_URL
from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.notify_settings import NotifySettings
from dothi.facades.ngsi_ld.notifying.message import carried
from dothi.facades.ngsi_ld.registrations.data import Registration
from dothi.facades.ngsi_ld.registrations.matching import matching_information
from dothi.facades.ngsi_ld.registrations.subscription import RegistrationSubscription
from dothi.facades.ngsi_ld.registrations.writing import written
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, link_of_context
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.ports.clock import Clock
from dothi.ports.notifier import Notifier, Outcome


class Counters(msgspec.Struct):
    """What became of the notifications of a subscription (clause 5.2.14)."""

    sent: int = 0
    failed: int = 0
    last_notification: str = ""
    last_success: str = ""
    last_failure: str = ""
    is_failing: bool = False

    def members(self) -> dict[str, Any]:
        """Members of `notification` in an answer; none before the first notification."""
        if not self.sent:
            return {}
        found: dict[str, Any] = {
            "timesSent": self.sent,
            "lastNotification": self.last_notification,
            "status": "failed" if self.is_failing else "ok",
        }
        if self.failed:
            found["timesFailed"] = self.failed
        if self.last_success:
            found["lastSuccess"] = self.last_success
        if self.last_failure:
            found["lastFailure"] = self.last_failure
        return found

    def note(self, at: str, *, succeeded: bool, is_first: bool) -> None:
        """An attempt; `is_first`: of this notification."""
        self.sent += is_first
        self.last_notification = at
        self.is_failing = not succeeded
        if succeeded:
            self.last_success = at
        else:
            self.failed += is_first
            self.last_failure = at


class Watch(Struct):
    """A subscription, its counters, and its turn: notifications go out one after the other."""

    subscription: RegistrationSubscription
    created_at: datetime
    modified_at: datetime
    counters: Counters = field(default_factory=Counters)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    ticking: asyncio.Task[None] | None = None
    waiting: int = 0
    """Notifications that have not left yet."""

    def stop(self) -> None:
        if self.ticking is not None:
            self.ticking.cancel()
            self.ticking = None


class Outward(Struct, frozen=True):
    """How notifications leave."""

    senders: Mapping[str, Notifier]
    """By the scheme of the endpoint."""
    settings: NotifySettings
    clock: Clock
    tenant: str = ""

    async def send(
        self, made: RegistrationSubscription, body: dict[str, Any], headers: dict[str, str]
    ) -> Outcome:
        """Try once."""
        sender = self.senders.get(made.uri.partition(":")[0])
        if sender is None:
            return Outcome(False, "there is no way to deliver to such an address")
        if self.tenant:
            headers = {"NGSILD-Tenant": self.tenant, **headers}
        most_s = self.settings.timeout_s
        timeout_s = min(made.timeout_s or most_s, most_s)
        return await sender.send(carried(made.uri, headers, body, made.options, timeout_s))

    async def close(self) -> None:
        for sender in dict.fromkeys(self.senders.values()):
            await sender.close()


def body_of(
    made: RegistrationSubscription, reason: str, found: Sequence[Registration], now: datetime
) -> tuple[dict[str, Any], dict[str, str]]:
    """Body and headers of a CsourceNotification (clause 5.3.2)."""
    context = made.told
    is_ld = made.accept == LD_JSON
    data = [_shown(made, registration, context) for registration in found]
    if is_ld:
        value = CORE_URL if context.user is None else context.user
        data = [{"@context": value, **one} for one in data]
    body = {
        "id": f"urn:ngsi-ld:ContextSourceNotification:{uuid.uuid4()}",
        "type": "ContextSourceNotification",
        "subscriptionId": made.id,
        "notifiedAt": format_date_time(now),
        "triggerReason": reason,
        "data": data,
    }
    headers = {"Content-Type": LD_JSON if is_ld else JSON}
    if not is_ld:
        headers["Link"] = link_of_context(context.url)
    given = {key: value for key, value in made.headers if key.lower() != "content-type"}
    return body, headers | given


def _shown(
    made: RegistrationSubscription, registration: Registration, context: LdContext
) -> dict[str, Any]:
    """The registration with the information that the subscription is about."""
    document = registration.document
    kept = matching_information(registration, made.query.wanted, made.query.names)
    if kept and len(kept) < len(document["information"]):
        document = {**document, "information": [document["information"][p.place] for p in kept]}
    shown = written(document, context)
    for part in shown["information"]:
        for entity in part.get("entities", ()):
            # One type may be told as a string or as an array; subscribers look into an array.
            if isinstance(entity.get("type"), str):
                entity["type"] = [entity["type"]]
    return shown
