"""Alarms: the list, one of them with its record, files."""

import csv
import io
from datetime import timedelta

import msgspec
from msgspec.structs import asdict, replace
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.alarms.actions import unknown_alarm
from dothi.api import alarm_actions, alarm_figures, alarm_suppressions
from dothi.api.alarm_deps import AlarmDeps
from dothi.api.alarm_query import MOST_EXPORTED, AlarmsQuery, alarm_query, place_text
from dothi.api.alarm_suppressions import kept_by, suppression_view
from dothi.api.alarm_view import (
    AlarmDetail,
    AlarmPage,
    CountsView,
    entry_view,
    facts_view,
    raw_json,
    series_of,
)
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_query
from dothi.live.alarm_view import AlarmView, alarm_view
from dothi.model.table_text import harmless
from dothi.ports.alarms import AlarmQuery

_HISTORY = 20
_GRACE = timedelta(minutes=1)


class AlarmHandlers:
    """Each asks the store in a worker thread."""

    def __init__(self, deps: ApiDeps, alarms: AlarmDeps) -> None:
        self._deps = deps
        self._alarms = alarms

    async def page(self, request: Request) -> Response:
        asked = decode_query(request, AlarmsQuery)
        return answer(await self._deps.in_thread(self._page, alarm_query(asked)))

    async def export(self, request: Request) -> Response:
        query = alarm_query(decode_query(request, AlarmsQuery))
        text = await self._deps.in_thread(self._csv, replace(query, limit=MOST_EXPORTED))
        day = self._deps.clock.now().strftime("%Y%m%d")
        headers = {
            "content-disposition": f'attachment; filename="dothi-alarms-{day}.csv"',
            "cache-control": "no-store",
        }
        return Response(text, 200, headers, "text/csv; charset=utf-8")

    async def detail(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await self._deps.in_thread(self._detail, request.path_params["id"]))

    def _page(self, query: AlarmQuery) -> AlarmPage:
        reader = self._alarms.reader
        found = reader.page(replace(query, limit=query.limit + 1))
        shown, rest = found[: query.limit], found[query.limit :]
        stale_before = self._deps.clock.now() - timedelta(seconds=self._alarms.limits.stale_after_s)
        return AlarmPage(
            [alarm_view(one) for one in shown],
            place_text(reader.key(shown[-1], query.sort)) if rest else None,
            CountsView(**asdict(reader.counts(stale_before))),
        )

    def _csv(self, query: AlarmQuery) -> str:
        out = io.StringIO()
        names = AlarmView.__struct_fields__
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        for alarm in self._alarms.reader.page(query):
            # As JSON values, so that times and lists read as everywhere else.
            row = msgspec.to_builtins(alarm_view(alarm))
            cells = (" ".join(v) if isinstance(v, list) else v for v in row.values())
            writer.writerow([harmless(cell) for cell in cells])
        return out.getvalue()

    def _detail(self, number: int) -> AlarmDetail:
        reader, now = self._alarms.reader, self._deps.clock.now()
        alarm = reader.get(number)
        if alarm is None:
            raise unknown_alarm(number)
        record = reader.record(number)
        told = [entry.explanation for entry in record if entry.explanation]
        explanation = told[-1] if told else ""
        history = AlarmQuery(
            condition=alarm.condition, sort="raised_at", is_descending=True, limit=_HISTORY
        )
        least_at = now + timedelta(seconds=self._alarms.limits.shelve_at_least_s)
        facts = self._alarms.facts(alarm.rule, alarm.version)
        shift = self._alarms.shift_at(now, alarm.position)
        return AlarmDetail(
            alarm=alarm_view(alarm),
            rule=facts_view(facts, alarm, self._alarms.limits),
            record=[entry_view(entry) for entry in record],
            explanation=raw_json(explanation),
            series=series_of(explanation),
            history=[alarm_view(one) for one in reader.page(history)],
            shelve_from_at=least_at,
            shelve_until_at=max(shift.ends_at, least_at),
            suppressions=[suppression_view(*one) for one in kept_by(alarm, reader, now)],
        )


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about alarms."""
    if deps.alarms is None:
        return []
    handlers = AlarmHandlers(deps, deps.alarms)
    read, tags, root = Permission.READ, ("alarms",), "/api/v1/alarms"
    return [
        Endpoint(
            "GET", root, read, handlers.page,
            "Alarms by state, priority, place and text, page by page",
            AlarmsQuery, None, AlarmPage, tags,
        ),
        Endpoint(
            "GET", f"{root}/export", read, handlers.export,
            "The same alarms as a CSV file", AlarmsQuery, None, None, tags,
        ),
        *alarm_figures.endpoints(deps, deps.alarms),
        *alarm_actions.endpoints(deps, deps.alarms),
        *alarm_suppressions.endpoints(deps, deps.alarms),
        Endpoint(
            "GET", f"{root}/{{id:int}}", read, handlers.detail,
            "One alarm with its record, explanation and history", NoQuery, None, AlarmDetail, tags,
        ),
    ]  # fmt: skip
