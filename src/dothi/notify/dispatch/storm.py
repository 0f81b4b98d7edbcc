"""When many alarms begin within a short time, people get one summary instead of hundreds.

Only notices of alarms of medium and low priority are summed up; urgent ones are told one by one,
whatever happens. What waits for a summary waits as a row, so that a crash loses none: after it,
the notices come due together and are summed up then.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.ports.notices import NoticeState, Planned, StoredNotice

STORM = "alarm.storm"
"""Kind of the summary."""
ESCALATED = "alarm.escalated"
SUMMED = ("alarm.raised", ESCALATED)
"""Kinds of notices that it may stand for."""
SUBJECT = "alarms:storm"
_NAMED = 3
"""So many titles and places are named."""

Group = tuple[tuple[str, ...], tuple[str, ...]]
"""Whom notices are meant for: positions and people."""


class StormLimits(Struct, frozen=True):
    """From when on alarms are a storm."""

    alarms: int
    """More than this within `within_s`; 0: never."""
    within_s: float
    every_s: float
    """So often a summary is told while it lasts."""


class Sorted(Struct):
    """What is to become of notices that are due."""

    singles: list[StoredNotice] = field(default_factory=list)
    """Told one by one, as ever."""
    planned: list[Planned] = field(default_factory=list)
    """Those that a summary stands for, and those that wait for the next one."""
    summaries: list[Notice] = field(default_factory=list)


class Storms:
    """Remembers what was told lately; one thread at a time."""

    def __init__(self, limits: StormLimits) -> None:
        self._limits = limits
        self._told: dict[Group, deque[datetime]] = {}
        self._next_at: dict[Group, datetime] = {}
        """Of groups in a storm: when the next summary is told."""

    @property
    def are_summed_up(self) -> bool:
        return self._limits.alarms > 0

    def sort(self, due: Iterable[StoredNotice], now: datetime) -> Sorted:
        """Decide about notices whose time has come."""
        found = Sorted()
        groups: dict[Group, list[StoredNotice]] = {}
        for one in due:
            if self.are_summed_up and _may_be_summed_up(one):
                key = (one.notice.positions, one.notice.people)
                groups.setdefault(key, []).append(one)
            else:
                found.singles.append(one)
        for group, some in groups.items():
            self._decide(group, some, now, found)
        return found

    def _decide(self, group: Group, some: list[StoredNotice], now: datetime, found: Sorted) -> None:
        every = timedelta(seconds=self._limits.every_s)
        next_at = self._next_at.get(group)
        if next_at is not None and now >= next_at + every:
            del self._next_at[group]  # it has been quiet since
            next_at = None
        if next_at is not None and now < next_at:
            found.planned += [
                Planned(one.number, NoticeState.NEW, (), next_at, (), "") for one in some
            ]
        elif next_at is not None:
            self._sum_up(some, now, found)
            self._next_at[group] = now + every
            if len(some) <= self._limits.alarms:
                del self._next_at[group]
        elif len(self._lately(group, now)) + len(some) > self._limits.alarms:
            self._sum_up(some, now, found)
            self._next_at[group] = now + every
        else:
            self._told[group].extend([now] * len(some))
            found.singles += some

    def _lately(self, group: Group, now: datetime) -> deque[datetime]:
        told = self._told.setdefault(group, deque())
        since = now - timedelta(seconds=self._limits.within_s)
        while told and told[0] <= since:
            told.popleft()
        return told

    def _sum_up(self, some: list[StoredNotice], now: datetime, found: Sorted) -> None:
        if len(some) == 1:
            found.singles += some
            return
        made = summary_of(some, now)
        found.summaries.append(made)
        note = f"summed up in {made.id}"
        found.planned += [Planned(one.number, NoticeState.TOLD, (), None, (), note) for one in some]


def summary_of(some: Sequence[StoredNotice], now: datetime) -> Notice:
    """One notice for several of the same group; its id follows from theirs."""
    notices = [one.notice for one in some]
    numbers = [one.number for one in some]
    first = min(notices, key=lambda one: one.at)
    by_priority = Counter(int(one.priority) for one in notices)
    unanswered = sum(one.kind == ESCALATED for one in notices)
    parameters = {
        "count": str(len(some)),
        "since": first.at.isoformat(),
        "until": now.isoformat(),
        "medium": str(by_priority[Priority.MEDIUM] or ""),
        "low": str(by_priority[Priority.LOW] or ""),
        "unanswered": str(unanswered or ""),
        "most": _most(one.parameters.get("title", "") for one in notices),
        "most_en": _most(
            one.parameters.get("title_en") or one.parameters.get("title", "") for one in notices
        ),
        "places": _most(one.parameters.get("place", "") for one in notices),
    }
    return Notice(
        f"storm:{min(numbers)}-{max(numbers)}:{len(numbers)}",
        STORM,
        now,
        min(one.priority for one in notices),
        SUBJECT,
        parameters,
        first.positions,
        first.people,
    )


def _may_be_summed_up(one: StoredNotice) -> bool:
    """Not what is urgent, wants an answer, or was looked at before."""
    notice = one.notice
    return (
        notice.kind in SUMMED
        and notice.priority >= Priority.MEDIUM
        and notice.answer_within_s is None
        and one.state is NoticeState.NEW
    )


def _most(texts: Iterable[str]) -> str:
    """The most frequent, each with how often it is there."""
    counted = Counter(text for text in texts if text)
    named = [f"{text} ({n})" if n > 1 else text for text, n in counted.most_common(_NAMED)]
    rest = len(counted) - len(named)
    return ", ".join(named) + (f", +{rest}" if rest > 0 else "")
