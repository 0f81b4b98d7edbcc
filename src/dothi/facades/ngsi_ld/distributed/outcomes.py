"""One answer out of what was done here and at each source (clauses 5.2.16 to 5.2.19, 6.3.17)."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, field
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.forward import Outcome
from dothi.facades.ngsi_ld.distributed.local_request import decoded
from dothi.facades.ngsi_ld.errors import ERRORS, NgsiError, conflict
from dothi.facades.ngsi_ld.wire.answers import empty, raw_answer
from dothi.facades.ngsi_ld.wire.negotiation import JSON

_TITLES = {
    404: ("ResourceNotFound", "There is no such resource"),
    409: ("Conflict", "The request is in conflict with what is there"),
    502: ("InternalError", "A registered source gave no usable answer"),
    504: ("InternalError", "A registered source gave no answer in time"),
    508: ("LoopDetected", "The request goes round in a circle"),
}


class Part(Struct):
    """What became of some attributes of an entity, here or at a source."""

    names: Sequence[str]
    """Stored names."""
    status: int
    problem: dict[str, Any] = field(default_factory=dict)
    """ProblemDetails when it went wrong."""
    registration: str = ""
    """Empty: here."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Attribute (as the answer of this part names it) -> why it was not changed."""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300 and self.status != 207

    @property
    def is_partial(self) -> bool:
        return self.status == 207


def of_source(names: Sequence[str], outcome: Outcome) -> Part:
    """The part that a source did."""
    uri = outcome.registration.id
    if 200 <= outcome.status < 300:
        return Part(names, outcome.status, {}, uri, _reasons(outcome.body))
    return Part(names, outcome.status, _problem_of(outcome), uri)


def of_here(names: Sequence[str], response: Response) -> Part:
    """The part that was done here."""
    body = decoded(response) if response.status_code >= 207 else None
    is_error = response.status_code >= 400
    problem = body if is_error and isinstance(body, dict) else {}
    return Part(names, response.status_code, problem, "", {} if is_error else _reasons(body))


def unsupported(names: Sequence[str], uri: str, operation: str) -> Part:
    """The part of a proxied source that does not take the operation: nobody may do it."""
    error = conflict(f"the registration {uri} holds these data and does not support {operation}")
    return Part(names, 409, error.body(), uri)


def failed(parts: Sequence[Part]) -> Response:
    """The answer when nothing at all was done: that of the first part."""
    first = parts[0]
    if not first.problem:
        return empty(first.status)
    return raw_answer(first.problem, JSON, first.status)


def entity_result(entity_id: str, parts: Iterable[Part]) -> Response:
    """A BatchOperationResult for one entity (207)."""
    parts = list(parts)
    errors = [
        {"entityId": entity_id, **_source(part), "error": part.problem or _partial(part).body()}
        for part in parts
        if not part.is_good
    ]
    success = [entity_id] if any(part.is_good or part.is_partial for part in parts) else []
    return raw_answer({"success": success, "errors": errors}, JSON, 207)


def update_result(parts: Iterable[Part], context: LdContext) -> Response:
    """An UpdateResult (207): which attributes were changed somewhere, which were not and why."""
    updated: dict[str, None] = {}
    not_updated: list[dict[str, str]] = []
    for part in parts:
        shown = [context.wire(name) for name in part.names]
        reasons = dict(part.reasons)
        if not part.is_good and not reasons:
            reason = part.problem.get("detail") or _partial(part).detail
            reasons = dict.fromkeys(shown, str(reason))
        updated |= dict.fromkeys(name for name in shown if name not in reasons)
        not_updated += [
            {"attributeName": name, "reason": reason, **_source(part)}
            for name, reason in reasons.items()
        ]
    return raw_answer({"updated": list(updated), "notUpdated": not_updated}, JSON, 207)


def _source(part: Part) -> dict[str, str]:
    return {"registrationId": part.registration} if part.registration else {}


def _partial(part: Part) -> NgsiError:
    who = f"the source of {part.registration}" if part.registration else "this broker"
    return NgsiError(207, "BadRequestData", "A part was not done", f"{who} did not do everything")


def _reasons(body: Any) -> dict[str, str]:
    """Why attributes were not changed, from an UpdateResult."""
    told = body.get("notUpdated") if isinstance(body, dict) else None
    if not isinstance(told, list):
        return {}
    return {
        str(one.get("attributeName", "")): str(one.get("reason", "")) or "not said"
        for one in told
        if isinstance(one, dict)
    }


def _problem_of(outcome: Outcome) -> dict[str, Any]:
    """ProblemDetails of a source that failed: its own where it gave one."""
    kind, title = _TITLES.get(outcome.status, ("BadRequestData", "A registered source refused"))
    theirs = outcome.problem.get("type")
    is_standard = isinstance(theirs, str) and theirs.startswith(ERRORS)
    return {
        "type": theirs if is_standard else ERRORS + kind,
        "title": title,
        "detail": f"the source of the registration {outcome.registration.id}: {outcome.said}",
        "status": outcome.status,
    }
