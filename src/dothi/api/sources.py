"""Sources: what sends, how it does, what it may send with."""

import logging
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.api.series_query import Instant
from dothi.live.source_view import source_views
from dothi.live.view import SourceView
from dothi.model.problem import Problem
from dothi.model.source import Origin, Source

log = logging.getLogger(__name__)

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class SourceBody(Struct, forbid_unknown_fields=True):
    """A source to create or change."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Annotated[str, Meta(max_length=50)] = "http"
    owner: Annotated[str, Meta(max_length=200)] = ""
    origin: Origin = Origin.MEASURED
    origin_note: Annotated[str, Meta(max_length=500)] = ""
    origin_note_vi: Annotated[str, Meta(max_length=500)] = ""
    cadence_s: Annotated[float, Meta(gt=0)] | None = None
    licence: Annotated[str, Meta(max_length=200)] = ""
    is_enabled: bool = True
    may_write_others: bool = False


class RangeQuery(Struct, forbid_unknown_fields=True):
    """Default: the last hour."""

    start: Instant | None = None
    end: Instant | None = None


class LimitQuery(Struct, forbid_unknown_fields=True):
    """How many of the latest rejects."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Token(Struct):
    """Shown once; only its hash is kept."""

    token: str


class Revoked(Struct):
    """How many tokens no longer work."""

    revoked: int


class Released(Struct):
    """How many series belong to nobody now."""

    released: int


class Minute(Struct):
    """received = stored + rejected + duplicate."""

    minute_at: datetime
    received: int
    stored: int
    rejected: int
    duplicate: int
    delay_ms: float | None


class Minutes(Struct):
    """Receipts by minute; minutes without messages are left out."""

    minutes: list[Minute]


class Reject(Struct):
    """Something that was not stored."""

    received_at: datetime
    reason: str
    detail: str
    sample: str
    count: int


class Rejects(Struct):
    """The latest rejects, and the count per reason over the last 24 hours."""

    items: list[Reject]
    reasons: dict[str, int]


class SourceHandlers:
    """Each asks the store in a worker thread."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps

    async def all(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await self._deps.in_thread(self._views))

    async def put(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, SourceBody)
        return answer(await self._deps.in_thread(self._put, body, _name_of(request)))

    async def issue_token(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        source = await self._known(request)
        return answer(Token(await self._deps.in_thread(self._deps.sources.issue_token, source)))

    async def revoke_tokens(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        source = await self._known(request)
        revoked = await self._deps.in_thread(self._deps.sources.revoke_tokens, source)
        return answer(Revoked(revoked))

    async def release(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        source = await self._known(request)
        released = await self._deps.in_thread(self._deps.owners.release, source)
        by = _name_of(request)
        log.info("series released", extra={"source": source, "series": released, "by": by})
        return answer(Released(released))

    async def receipts(self, request: Request) -> Response:
        asked = decode_query(request, RangeQuery)
        source = await self._known(request)
        end = asked.end or self._deps.clock.now() + timedelta(minutes=1)
        start = asked.start or end - _HOUR
        found = await self._deps.in_thread(self._deps.receipts.minutes, source, start, end)
        return answer(
            Minutes(
                [
                    Minute(
                        r.minute_at,
                        r.received,
                        r.stored,
                        r.rejected,
                        r.duplicate,
                        round(r.delay_ms_sum / r.stored, 1) if r.stored else None,
                    )
                    for r in found
                ]
            )
        )

    async def rejects(self, request: Request) -> Response:
        asked = decode_query(request, LimitQuery)
        source = await self._known(request)
        receipts, since = self._deps.receipts, self._deps.clock.now() - _DAY
        found = await self._deps.in_thread(receipts.rejects, source, asked.limit)
        reasons = await self._deps.in_thread(receipts.reject_reasons, source, since)
        items = [Reject(r.received_at, r.reason, r.detail, r.sample, r.count) for r in found]
        return answer(Rejects(items, reasons))

    async def _known(self, request: Request) -> str:
        """The source of the path; 404 when there is none."""
        source_id: str = request.path_params["id"]
        if await self._deps.in_thread(self._deps.sources.get, source_id) is None:
            raise Problem(
                "source_not_found",
                "No such source",
                f"{source_id!r} is not registered",
                404,
                remedy="register it with POST /api/v1/sources",
            )
        return source_id

    def _put(self, body: SourceBody, by: str) -> SourceView:
        known = self._deps.sources.get(body.id)
        created_at = known.created_at if known else self._deps.clock.now()
        fields = {name: getattr(body, name) for name in SourceBody.__struct_fields__}
        self._deps.sources.put(Source(**fields, created_at=created_at))
        if body.may_write_others != (known is not None and known.may_write_others):
            may = "may write" if body.may_write_others else "no longer writes"
            log.info("source %s series of others", may, extra={"source": body.id, "by": by})
        return next(view for view in self._views() if view.id == body.id)

    def _views(self) -> list[SourceView]:
        return source_views(self._deps.sources, self._deps.receipts, self._deps.clock.now())


def _name_of(request: Request) -> str:
    principal: Principal = request.state.principal
    return principal.name


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about sources."""
    handlers = SourceHandlers(deps)
    read, administer, tags = Permission.READ, Permission.ADMINISTER, ("sources",)
    root = "/api/v1/sources"
    return [
        Endpoint(
            "GET", root, read, handlers.all,
            "Every source and how it does", NoQuery, None, list[SourceView], tags,
        ),
        Endpoint(
            "POST", root, administer, handlers.put,
            "Register or change a source", NoQuery, SourceBody, SourceView, tags,
        ),
        Endpoint(
            "POST", f"{root}/{{id}}/token", administer, handlers.issue_token,
            "Issue a device token", NoQuery, None, Token, tags, has_secret_answer=True,
        ),
        Endpoint(
            "DELETE", f"{root}/{{id}}/tokens", administer, handlers.revoke_tokens,
            "Revoke every token of a source", NoQuery, None, Revoked, tags,
        ),
        Endpoint(
            "POST", f"{root}/{{id}}/release", administer, handlers.release,
            "Let go of every series of a source", NoQuery, None, Released, tags,
        ),
        Endpoint(
            "GET", f"{root}/{{id}}/receipts", read, handlers.receipts,
            "What was received, stored, rejected, by minute", RangeQuery, None, Minutes, tags,
        ),
        Endpoint(
            "GET", f"{root}/{{id}}/rejects", read, handlers.rejects,
            "The latest rejects with their reasons", LimitQuery, None, Rejects, tags,
        ),
    ]  # fmt: skip
