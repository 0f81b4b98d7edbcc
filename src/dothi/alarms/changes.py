"""What one transaction does to alarms: gathered, then written at once with record and notices."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from dothi.alarms.limits import Limits
from dothi.alarms.suppression import is_in_force, suppressed_by
from dothi.model.alarm import (
    Alarm,
    AlarmEntry,
    Entry,
    Place,
    RuleFacts,
    Suppressed,
    Suppression,
    SuppressionCause,
    condition_of,
)
from dothi.model.notice import Notice
from dothi.model.transition import Transition
from dothi.ports.alarms import AlarmBook

_BEGINS = {
    Suppressed.SHELVED: Entry.SHELVED,
    Suppressed.BY_DESIGN: Entry.SUPPRESSED,
    Suppressed.OUT_OF_SERVICE: Entry.OUT_OF_SERVICE,
}
_ENDS = {
    Suppressed.SHELVED: Entry.UNSHELVED,
    Suppressed.BY_DESIGN: Entry.UNSUPPRESSED,
    Suppressed.OUT_OF_SERVICE: Entry.IN_SERVICE,
}


class Context(Struct, frozen=True):
    """What is known when alarms change."""

    now_at: datetime
    limits: Limits
    position: str
    """Operator position of alarms whose rule names none."""
    facts: Callable[[str, int], RuleFacts] = lambda _rule, _version: RuleFacts()
    places: Mapping[str, Place] = field(default_factory=dict)
    escalate_to: tuple[str, ...] = ()
    """Positions that are told, besides, of what nobody acknowledged in time."""
    timers_at: datetime | None = None
    """The time by which escalations run where it does not jump with the clock; None: now_at."""

    @property
    def timer_at(self) -> datetime:
        return self.timers_at or self.now_at

    def escalate_at(self, of: Alarm | Transition) -> datetime:
        """When an alarm that is announced now goes further, unless somebody acknowledges it."""
        within_s = self.limits.escalate_after_s[of.priority - 1]
        to_respond_s = self.facts(of.rule, of.version).respond_within_s
        return self.timer_at + timedelta(seconds=min(within_s, to_respond_s or within_s))


class Why(Struct, frozen=True):
    """Who changes something, and for which reason."""

    by: str = ""
    reason: str = ""
    detail: str = ""
    detail_en: str = ""


class Changes:
    """Alarms as they are after what happened so far in this transaction."""

    def __init__(self, book: AlarmBook, context: Context) -> None:
        self.book = book
        self.context = context
        self.latest: dict[str, Alarm] = {}
        """Condition -> its latest occurrence, as far as it was read."""
        self._touched: dict[int, Alarm] = {}
        self._entries: list[AlarmEntry] = []
        self._notices: list[Notice] = []
        self.in_force: list[Suppression] = [
            one for one in book.suppressions() if is_in_force(one, context.now_at)
        ]

    @property
    def parents(self) -> set[str]:
        """Rules whose alarms suppress others."""
        return {s.parent for s in self.in_force if s.cause is SuppressionCause.PARENT}

    def read(self, conditions: Collection[str]) -> None:
        """Have the latest occurrences of conditions at hand."""
        self.latest.update(self.book.newest(set(conditions) - self.latest.keys()))

    def now_of(self, alarm: Alarm) -> Alarm:
        """The alarm after what happened so far."""
        return self._touched.get(alarm.id, alarm)

    def put(self, alarm: Alarm, entry: AlarmEntry) -> None:
        """The alarm is this from now on; the entry says why."""
        self._touched[alarm.id] = alarm
        known = self.latest.get(alarm.condition)
        if known is None or known.id <= alarm.id:
            self.latest[alarm.condition] = alarm
        self._entries.append(entry)

    def note(
        self, alarm: Alarm, kind: Entry, why: Why | None = None, at: datetime | None = None
    ) -> None:
        """Put the alarm with an entry of what a person, or the clock, did."""
        now, why = self.context.now_at, why or Why()
        self.put(
            alarm,
            AlarmEntry(
                *(alarm.id, kind, at or now, now, alarm.state, why.by, why.reason, why.detail),
                detail_en=why.detail_en,
            ),
        )

    def tell(
        self, kind: str, alarm: Alarm, key: str, beside: tuple[str, ...] = (), **parameters: str
    ) -> None:
        """A notice about an alarm, to its position and others; the same key never makes two."""
        shown = {
            "title": alarm.title,
            "title_en": alarm.title_en,
            # The title stands beside it.
            "text": alarm.text.removeprefix(f"{alarm.title}: "),
            "text_en": alarm.text_en.removeprefix(f"{alarm.title_en}: "),
            "place": alarm.place.name or alarm.place.entity,
            "at": alarm.active_at.isoformat(),
            **parameters,
        }
        positions = tuple(dict.fromkeys(filter(None, (alarm.position, *beside))))
        self._notices.append(
            Notice(
                key,
                kind,
                self.context.now_at,
                alarm.priority,
                f"alarm:{alarm.id}",
                shown,
                positions,
            )
        )

    def announce(self, alarm: Alarm) -> None:
        """Tell the operators of an activation, once."""
        self.tell("alarm.raised", alarm, f"alarm:{alarm.id}:raised:{alarm.activations}")

    def suppressed(self, alarm: Alarm) -> Suppressed:
        """What keeps this alarm from the operators now."""
        if not self.in_force:
            return Suppressed.NO
        return suppressed_by(alarm, self.in_force, self._has_active)

    def _has_active(self, rule: str, entity: str) -> bool:
        condition = condition_of(rule, entity)
        self.read([condition])
        found = self.latest.get(condition)
        return found is not None and found.is_active

    def suppress_again(self, alarms: Iterable[Alarm], why: Why) -> list[Alarm]:
        """Look anew at what keeps each alarm from the operators; those that changed."""
        found = []
        for before in map(self.now_of, alarms):
            mask = self.suppressed(before)
            if not before.is_open or mask == before.suppressed:
                continue
            after = replace(before, suppressed=mask)
            is_back = not mask and after.is_active and after.needs_acknowledgement
            if is_back:
                after = replace(after, escalate_at=self.context.escalate_at(after))
            for kind in Suppressed:
                if (mask ^ before.suppressed) & kind:
                    self._note_mask(after, kind, why, is_announced=is_back)
                    is_back, was_back = False, is_back
                    if was_back:
                        self.announce(after)
            found.append(after)
        return found

    def _note_mask(self, alarm: Alarm, kind: Suppressed, why: Why, *, is_announced: bool) -> None:
        now = self.context.now_at
        entry = _BEGINS[kind] if alarm.suppressed & kind else _ENDS[kind]
        self.put(
            alarm,
            AlarmEntry(
                *(alarm.id, entry, now, now, alarm.state, why.by, why.reason, why.detail),
                is_announced=is_announced,
            ),
        )

    def save(self) -> None:
        """Write what happened so far into the transaction; more may follow."""
        if self._entries:
            self.book.put(self._touched.values(), self._entries)
        if self._notices:
            self.book.tell(self._notices)
        self._touched, self._entries, self._notices = {}, [], []
