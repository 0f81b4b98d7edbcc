"""Dated limits over HTTP: read, added, ended, verified; nothing is overwritten."""

from collections.abc import Callable
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.model.problem import Problem
from dothi.model.rule import DatedValue, LimitTable, Words
from dothi.ports.rules import Rules
from dothi.rules import limit_changes
from dothi.rules.limit_changes import By, Key

Short = Annotated[str, Meta(max_length=300)]
Named = Annotated[str, Meta(min_length=1, max_length=300)]


class LimitsBody(Struct, forbid_unknown_fields=True):
    """Tables with all their values; those that are there must be among them, unchanged."""

    tables: Annotated[list[LimitTable], Meta(min_length=1)]


class NewTable(Struct, forbid_unknown_fields=True):
    """A table without values."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
    title: Words
    unit: Short = ""
    """UN/CEFACT code."""


class NewValue(Struct, forbid_unknown_fields=True):
    """A limit with where it comes from and from when on it is valid."""

    level: Named
    valid_from: date
    source: Named
    """Legal text, with number and date."""
    value: float | None = None
    """Missing: the source gives no number."""
    entity: Short = ""
    """Empty: of all entities."""
    valid_to: date | None = None
    """Exclusive; missing: until another one begins."""


class WhichValue(Struct, forbid_unknown_fields=True):
    """A value of a table."""

    level: Named
    valid_from: date
    entity: Short = ""


class EndedValue(Struct, forbid_unknown_fields=True):
    """Valid no longer from `valid_to` on; its own first day: it never was."""

    level: Named
    valid_from: date
    valid_to: date
    reason: Annotated[str, Meta(max_length=2_000)]
    entity: Short = ""


def endpoints(deps: ApiDeps, rules: Rules) -> list[Endpoint]:
    """Routes about dated limits."""
    does = _Handlers(deps, rules)
    path, tags = "/api/v1/rules/limits", ("rules",)
    values, approve = f"{path}/{{table}}/values", Permission.RULES_APPROVE
    return [
        Endpoint(
            "GET", path, Permission.READ, does.all, "Dated limits",
            NoQuery, None, list[LimitTable], tags,
        ),
        Endpoint(
            "PUT", path, approve, does.put,
            "Create tables of dated limits, or add values to them", NoQuery, LimitsBody, None, tags,
        ),
        Endpoint(
            "POST", path, approve, does.create, "A new table of dated limits",
            NoQuery, NewTable, LimitTable, tags,
        ),
        Endpoint(
            "POST", values, approve, does.add, "Add a dated limit",
            NoQuery, NewValue, LimitTable, tags,
        ),
        Endpoint(
            "POST", f"{values}/end", approve, does.end, "End a dated limit",
            NoQuery, EndedValue, LimitTable, tags,
        ),
        Endpoint(
            "POST", f"{values}/verify", approve, does.verify,
            "Say, as the second person, that a dated limit was compared with its legal text",
            NoQuery, WhichValue, LimitTable, tags,
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, deps: ApiDeps, rules: Rules) -> None:
        self._deps, self._rules = deps, rules

    async def all(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await self._deps.in_thread(self._rules.limits))

    async def put(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, LimitsBody)
        await self._deps.in_thread(self._put, body.tables, self._by(request))
        return Response(status_code=204)

    async def create(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, NewTable)
        if not body.title.best():
            raise Problem(
                *("body_invalid", "Body not understood", "title: give it in vi or en"),
                where="title",
            )
        made = LimitTable(name=body.name, title=body.title, unit=body.unit)
        return answer(await self._deps.in_thread(self._create, made), 201)

    async def add(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, NewValue)
        new = DatedValue(
            level=body.level.strip(),
            valid_from=body.valid_from,
            source=body.source.strip(),
            mark=limit_changes.UNVERIFIED,
            entity=body.entity,
            value=body.value,
            valid_to=body.valid_to,
        )
        by = self._by(request)
        return await self._change(request, lambda t: limit_changes.with_value(t, new, by), 201)

    async def end(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, EndedValue)
        key = Key(body.level, body.entity, body.valid_from)
        by = self._by(request, body.reason)
        return await self._change(request, lambda t: limit_changes.ended(t, key, body.valid_to, by))

    async def verify(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, WhichValue)
        key, by = Key(body.level, body.entity, body.valid_from), self._by(request)
        people = await self._deps.in_thread(self._deps.approvers, by.person)
        return await self._change(request, lambda t: limit_changes.verified(t, key, by, people))

    async def _change(
        self, request: Request, change: Callable[[LimitTable], LimitTable], status: int = 200
    ) -> Response:
        name = request.path_params["table"]

        def known(table: LimitTable | None) -> LimitTable:
            if table is None:
                raise _no_table(name)
            return change(table)

        return answer(await self._deps.in_thread(self._rules.change_limits, name, known), status)

    def _put(self, tables: list[LimitTable], by: By) -> None:
        before = {table.name: table for table in self._rules.limits()}
        people = self._deps.approvers(by.person)
        self._rules.put_limits(
            [limit_changes.put_as_whole(before.get(one.name), one, by, people) for one in tables]
        )

    def _create(self, made: LimitTable) -> LimitTable:
        def fresh(table: LimitTable | None) -> LimitTable:
            if table is not None:
                raise Problem(
                    "limit_table_known",
                    "There is such a table",
                    f"a limit table {made.name} exists",
                    409,
                    where="name",
                    remedy="add values to it, or take another name",
                )
            return made

        return self._rules.change_limits(made.name, fresh)

    def _by(self, request: Request, reason: str = "") -> By:
        return By(request.state.principal.name, self._deps.clock.now(), reason.strip())


def _no_table(name: str) -> Problem:
    return Problem(
        "limit_table_unknown",
        "No such table",
        f"there is no limit table {name}",
        404,
        where="path table",
        remedy="GET /api/v1/rules/limits lists all",
    )
