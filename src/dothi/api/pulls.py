"""Pull connectors: when each ran, when it runs next, and why it failed."""

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


class Pull(Struct):
    """The memory of one connector; times are null before its first run."""

    connector: str
    source: str
    """The source that bears its values."""
    failures: int = 0
    """Failed runs since the last good one."""
    last_error: str = ""
    """Of the last run; empty when it was good."""
    last_run_at: datetime | None = None
    next_run_at: datetime | None = None
    covered_to_at: datetime | None = None
    """Everything up to here was fetched and stored."""


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about pull connectors."""

    def pulls() -> list[Pull]:
        runs = {run.connector: run for run in deps.pulls.all()} if deps.pulls else {}
        found = []
        for connector, source in sorted(deps.pull_sources.items()):
            pull, run = Pull(connector, source), runs.get(connector)
            if run is not None:
                pull.failures, pull.last_error = run.failures, run.last_error
                pull.last_run_at, pull.next_run_at = run.last_run_at, run.next_run_at
                pull.covered_to_at = run.covered_to_at
            found.append(pull)
        return found

    async def all_pulls(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await deps.in_thread(pulls))

    return [
        Endpoint(
            "GET", "/api/v1/pulls", Permission.READ, all_pulls,
            "Pull connectors: last and next run, last error", NoQuery, None, list[Pull],
            ("sources",),
        )
    ]  # fmt: skip
