"""Errors that arise around the handlers (no such path or method, sign-in, size, faults), in the
form of NGSI-LD (clauses 6.3.2, 6.3.3)."""

import msgspec
from starlette.responses import Response

from dothi.facades.ngsi_ld.errors import ERRORS
from dothi.facades.ngsi_ld.wire.negotiation import JSON
from dothi.model.problem import Problem

PREFIX = "/ngsi-ld/"


def render_outside(problem: Problem, headers: dict[str, str]) -> Response:
    """ProblemDetails as application/json; `detail` says also what to do."""
    detail = f"{problem.detail}; {problem.remedy}" if problem.remedy else problem.detail
    body = {
        "type": ERRORS + _kind(problem.status),
        "title": problem.title,
        "detail": detail,
        "status": problem.status,
    }
    return Response(msgspec.json.encode(body), problem.status, headers, media_type=JSON)


def _kind(status: int) -> str:
    if status == 404:
        return "ResourceNotFound"
    return "InternalError" if status >= 500 or status == 429 else "InvalidRequest"
