"""Rules: what is in force, drafts and their approval, tests on the history, and why not."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.api import rule_limits
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.api.rule_tests import (
    BackTestBody,
    BackTestView,
    WhyNotQuery,
    WhyNotView,
    run_back_test,
    run_why_not,
)
from dothi.model.problem import Problem
from dothi.model.rule import Rule
from dothi.ports.rules import RuleRecord, Rules
from dothi.rules.approval import check_approval
from dothi.rules.check import limits_of
from dothi.rules.reading import read_rule


class RuleState(Struct):
    """A rule and how it stands."""

    id: str
    is_enabled: bool
    in_force: int | None
    """Version that is in force; null: none was approved, or it is switched off."""
    draft: int | None
    """Newest version, when it waits for approval."""
    newest: Rule
    approved: Rule | None
    switched_by: str
    switched_at: datetime | None


class RuleVersions(Struct):
    """A rule with every version, newest first."""

    state: RuleState
    versions: list[Rule]


class SwitchBody(Struct, forbid_unknown_fields=True):
    """Whether the rule is to work."""

    is_enabled: bool


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about rules; none where the program has no rules."""
    if deps.rules is None:
        return []
    handlers = _Handlers(deps, deps.rules)
    read, write, approve = Permission.READ, Permission.RULES_WRITE, Permission.RULES_APPROVE
    tags = ("rules",)
    path = "/api/v1/rules"
    return [
        Endpoint(
            "GET", path, read, handlers.all, "Every rule and whether it is in force",
            NoQuery, None, list[RuleState], tags,
        ),
        Endpoint(
            "POST", path, write, handlers.draft,
            "Store a draft as the next version of its rule", NoQuery, Rule, Rule, tags,
        ),
        *rule_limits.endpoints(deps, deps.rules),
        Endpoint(
            "GET", f"{path}/why-not", read, handlers.why_not,
            "Why rules did not fire at an entity at a time",
            WhyNotQuery, None, list[WhyNotView], tags,
        ),
        Endpoint(
            "POST", f"{path}/back-test", read, handlers.back_test,
            "What a rule, stored or not, would have done in the past",
            NoQuery, BackTestBody, BackTestView, tags,
        ),
        Endpoint(
            "GET", f"{path}/{{rule}}", read, handlers.one, "A rule with every version",
            NoQuery, None, RuleVersions, tags,
        ),
        Endpoint(
            "POST", f"{path}/{{rule}}/versions/{{version}}/approve", approve, handlers.approve,
            "Put a draft in force", NoQuery, None, RuleVersions, tags,
        ),
        Endpoint(
            "POST", f"{path}/{{rule}}/switch", approve, handlers.switch,
            "Switch a rule on or off", NoQuery, SwitchBody, RuleVersions, tags,
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, deps: ApiDeps, rules: Rules) -> None:
        self._deps, self._rules = deps, rules

    async def all(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        records = await self._deps.in_thread(self._rules.all)
        return answer([_state(record) for record in records])

    async def one(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return await self._told(request.path_params["rule"])

    async def draft(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        rule = read_rule(await decode_body(request, dict[str, Any], "a rule"))
        await self._check_limits(rule)
        author: Principal = request.state.principal
        given = _authored(rule, author.name)
        made = await self._deps.in_thread(self._rules.add, given, self._deps.clock.now())
        return answer(made, 201)

    async def approve(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        name, by = request.path_params["rule"], request.state.principal.name
        record = await self._found(name)
        version = _number(request.path_params["version"])
        draft = next((one for one in record.versions if one.version == version), None)
        if draft is None:
            raise _no_rule(f"{name}, version {version}")
        people = await self._deps.in_thread(self._deps.approvers, by)
        check_approval(draft, by, people)
        await self._deps.in_thread(self._rules.approve, name, version, by, self._deps.clock.now())
        return await self._told(name)

    async def switch(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        name = request.path_params["rule"]
        body = await decode_body(request, SwitchBody)
        done = await self._deps.in_thread(
            self._rules.switch,
            name,
            is_enabled=body.is_enabled,
            by=request.state.principal.name,
            at=self._deps.clock.now(),
        )
        if not done:
            raise _no_rule(name)
        return await self._told(name)

    async def why_not(self, request: Request) -> Response:
        asked = decode_query(request, WhyNotQuery)
        return answer(await self._deps.in_thread(run_why_not, self._deps, self._rules, asked))

    async def back_test(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, BackTestBody)
        return answer(await self._deps.in_thread(run_back_test, self._deps, self._rules, body))

    async def _told(self, name: str) -> Response:
        record = await self._found(name)
        return answer(RuleVersions(_state(record), list(reversed(record.versions))))

    async def _found(self, name: str) -> RuleRecord:
        record = await self._deps.in_thread(self._rules.get, name)
        if record is None:
            raise _no_rule(name)
        return record

    async def _check_limits(self, rule: Rule) -> None:
        tables = {table.name: table for table in await self._deps.in_thread(self._rules.limits)}
        for limit in limits_of(rule):
            table = tables.get(limit.table)
            levels = [] if table is None else sorted({v.level for v in table.values})
            if limit.level not in levels:
                known = f"levels of {limit.table}: {', '.join(levels)}"
                if table is None:
                    known = f"tables: {', '.join(sorted(tables)) or 'none yet'}"
                raise Problem(
                    "bad_rule",
                    "Rule not usable",
                    f"there is no level {limit.level} in a limit table {limit.table}",
                    422,
                    where="$.condition",
                    remedy=known,
                )


def _authored(rule: Rule, author: str) -> Rule:
    return msgspec.structs.replace(rule, author=author, approved_by="", approved_at=None)


def _state(record: RuleRecord) -> RuleState:
    approved, newest = record.approved, record.newest
    in_force = approved.version if approved is not None and record.is_enabled else None
    draft = newest.version if newest.approved_at is None else None
    return RuleState(
        record.id,
        record.is_enabled,
        in_force,
        draft,
        newest,
        approved,
        record.switched_by,
        record.switched_at,
    )


def _number(text: str) -> int:
    if not text.isdigit():
        raise Problem(
            "parameter_invalid",
            "Parameter not understood",
            f"version: {text!r} is no number",
            where="path version",
        )
    return int(text)


def _no_rule(name: str) -> Problem:
    return Problem(
        "rule_unknown",
        "No such rule",
        f"there is no rule {name}",
        404,
        where="path rule",
        remedy="GET /api/v1/rules lists all",
    )
