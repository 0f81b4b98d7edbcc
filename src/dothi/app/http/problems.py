"""Errors as RFC 9457 problem documents."""

import math

import msgspec
from starlette.responses import Response

from dothi.facades.ngsi_ld.routes.outside import PREFIX, render_outside
from dothi.model.problem import Overloaded, Problem, StoreUnavailable

Foreseen = (Problem, Overloaded, StoreUnavailable)
"""What a handler may raise; anything else is a fault of ours."""

_TYPE = "https://dothi.dev/problems/"


class ProblemDocument(msgspec.Struct, kw_only=True, omit_defaults=True):
    """RFC 9457 problem document, with our `code`, `where` and `remedy`."""

    type: str
    title: str
    status: int
    detail: str = ""
    code: str = ""
    """Stable."""
    where: str = ""
    remedy: str = ""
    """What to do about it."""


def render(error: Exception, path: str = "") -> Response:
    """The response for a foreseen error (see `Foreseen`), in the style of the path."""
    if isinstance(error, Problem):
        return respond(error, path=path)
    if isinstance(error, Overloaded):
        problem = Problem(
            "overloaded", "Too many requests", str(error), 429, remedy="send the same again later"
        )
        return respond(problem, error.retry_after_s, path=path)
    problem = Problem(
        "store_unavailable",
        "The store takes no writes now",
        str(error),
        503,
        remedy="keep the data and send it again; `dothi doctor` on the server says why",
    )
    return respond(problem, 5, path=path)


def respond(
    problem: Problem,
    retry_after_s: float | None = None,
    headers: dict[str, str] | None = None,
    path: str = "",
) -> Response:
    """The problem as `application/problem+json`, or as the API under this path has it."""
    headers = {"cache-control": "no-store", **(headers or {})}
    if retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(retry_after_s)))
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    if path.startswith(PREFIX):
        return render_outside(problem, headers)
    document = ProblemDocument(
        type=_TYPE + problem.code,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        where=problem.where,
        remedy=problem.remedy,
    )
    return Response(
        msgspec.json.encode(document),
        problem.status,
        headers,
        media_type="application/problem+json",
    )
