"""How the alarm system does: figures per operator position and shift, and what would mend it."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.alarms.limits import Limits
from dothi.alarms.performance import Figures, figures
from dothi.api.alarm_deps import AlarmDeps
from dothi.api.alarm_suppressions import suppression_view
from dothi.api.alarm_view import CountsView, SuppressionView
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.query import decode_query, wrong_parameter
from dothi.live.alarm_view import AlarmView, alarm_view
from dothi.model.alarm import OPEN, Alarm, Entry, Suppression, SuppressionCause
from dothi.ports.alarms import AlarmQuery

_LONGEST = timedelta(days=31)
_MOST_LISTED = 50


class FiguresQuery(Struct, forbid_unknown_fields=True):
    """Of which position, in which stretch of time."""

    position: str = ""
    """Empty: all together."""
    span: Literal["shift", "last_shift", "day", "week"] = "shift"
    """The present shift so far, the one before, the last 24 hours, the last 7 days."""
    start_at: datetime | None = None
    end_at: datetime | None = None
    """Both given: this stretch, whatever `span`."""


class Proposal(Struct):
    """A rule that somebody should look at."""

    kind: str
    """chattering, frequent or stale."""
    condition: str
    rule: str
    entity: str
    place: str
    title: str
    title_en: str
    count: int
    """Transitions (chattering), announcements (frequent), hours active (stale)."""
    off_delay_s: int | None
    """Proposed, for a chattering alarm."""


class Performance(Struct):
    """Figures against limits."""

    start_at: datetime
    end_at: datetime
    position: str
    figures: Figures
    limits: Limits
    counts: CountsView
    stale: list[AlarmView]
    shelved: list[SuppressionView]
    named: dict[str, list[str]]
    """Of each frequent condition: title, title in English, place."""
    proposals: list[Proposal]


class FigureHandlers:
    """Asks the store in a worker thread."""

    def __init__(self, deps: ApiDeps, alarms: AlarmDeps) -> None:
        self._deps = deps
        self._alarms = alarms

    async def performance(self, request: Request) -> Response:
        asked = decode_query(request, FiguresQuery)
        return answer(await self._deps.in_thread(self._asked, asked))

    def _asked(self, asked: FiguresQuery) -> Performance:
        return self._performance(*self._stretch(asked), asked.position)

    def _stretch(self, asked: FiguresQuery) -> tuple[datetime, datetime]:
        now = self._deps.clock.now()
        if asked.start_at is not None or asked.end_at is not None:
            return _given(asked.start_at, asked.end_at)
        if asked.span in ("day", "week"):
            return now - timedelta(days=1 if asked.span == "day" else 7), now
        shift = self._alarms.shift_at(now, asked.position)
        if asked.span == "last_shift":
            moment = shift.begins_at - timedelta(seconds=1)
            before = self._alarms.shift_at(moment, asked.position)
            return before.begins_at, before.ends_at
        # A shift that has just begun has no rate yet: ten minutes at least.
        return min(shift.begins_at, now - timedelta(minutes=10)), now

    def _performance(self, start: datetime, end: datetime, position: str) -> Performance:
        reader, limits = self._alarms.reader, self._alarms.limits
        stale_before = self._deps.clock.now() - timedelta(seconds=limits.stale_after_s)
        found = figures(reader.announced(start, end, position), start, end, limits)
        stale = reader.page(
            AlarmQuery(
                states=OPEN,
                active_before_at=stale_before,
                position=position,
                is_suppressed=False,
                sort="raised_at",
                limit=_MOST_LISTED,
            )
        )
        named = {
            one.condition: alarm
            for one in found.frequent
            for alarm in reader.page(
                AlarmQuery(condition=one.condition, sort="raised_at", is_descending=True, limit=1)
            )
        }
        return Performance(
            start_at=start,
            end_at=end,
            position=position,
            figures=found,
            limits=limits,
            counts=CountsView(**asdict(reader.counts(stale_before, position))),
            stale=[alarm_view(one) for one in stale],
            shelved=[
                suppression_view(one, self._deps.clock.now())
                for one in reader.suppressions()
                if one.cause is SuppressionCause.OPERATOR and self._is_of(one, position)
            ],
            named={
                condition: [alarm.title, alarm.title_en, alarm.place.name or alarm.place.entity]
                for condition, alarm in named.items()
            },
            proposals=[
                *self._calming(start, end, position),
                *(
                    _proposal("frequent", named[one.condition], one.count)
                    for one in found.frequent
                    if one.share_percent > _FREQUENT_PERCENT
                    and one.count >= _FREQUENT_LEAST
                    and one.condition in named
                ),
                *(_proposal("stale", one, _hours(self._deps.clock.now(), one)) for one in stale),
            ],
        )

    def _is_of(self, shelf: Suppression, position: str) -> bool:
        """Whether what is shelved is an alarm of the position; there was one."""
        query = AlarmQuery(rule=shelf.rule, entity=shelf.entity, position=position, limit=1)
        return not position or bool(self._alarms.reader.page(query))

    def _calming(self, start: datetime, end: datetime, position: str) -> list[Proposal]:
        """Delays for what came and went most."""
        reader = self._alarms.reader
        counts = reader.transitions(start, end, position)
        found = []
        for condition in sorted(counts, key=counts.__getitem__, reverse=True)[:_MOST_LISTED]:
            query = AlarmQuery(condition=condition, sort="raised_at", is_descending=True, limit=1)
            for alarm in reader.page(query):
                entries = reader.record(alarm.id)
                told = [e for e in entries if e.kind is Entry.CHATTERING and e.stored_at >= start]
                if told:
                    delay_s = int(told[-1].detail.partition("=")[2])
                    found.append(_proposal("chattering", alarm, counts[condition], delay_s))
        return found


_FREQUENT_PERCENT = 5.0
"""Of all announced alarms: from which share on a single condition is worth a look."""


_FREQUENT_LEAST = 3
"""Of a quiet day every alarm is a large share; one or two say nothing of the rule."""


def _hours(now: datetime, alarm: Alarm) -> int:
    return int((now - alarm.active_at) / timedelta(hours=1))


def _proposal(kind: str, alarm: Alarm, count: int, off_delay_s: int | None = None) -> Proposal:
    place = alarm.place
    return Proposal(
        kind,
        alarm.condition,
        alarm.rule,
        place.entity,
        place.name or place.entity,
        alarm.title,
        alarm.title_en,
        count,
        off_delay_s,
    )


def _given(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    if start is None or end is None or start.tzinfo is None or end.tzinfo is None:
        raise wrong_parameter(
            "start_at", "start_at and end_at go together", "give both, with a zone"
        )
    if not timedelta(minutes=10) <= end - start <= _LONGEST:
        raise wrong_parameter(
            "end_at", "the stretch is too short or too long", "between 10 minutes and 31 days"
        )
    return start, end


def endpoints(deps: ApiDeps, alarms: AlarmDeps) -> list[Endpoint]:
    """Routes about the performance of the alarm system."""
    handlers = FigureHandlers(deps, alarms)
    return [
        Endpoint(
            "GET", "/api/v1/alarms/performance", Permission.READ, handlers.performance,
            "Alarm rates per position and shift against the limits, and proposals",
            FiguresQuery, None, Performance, ("alarms",),
        ),
    ]  # fmt: skip
