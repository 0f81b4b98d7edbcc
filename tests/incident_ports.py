"""Procedures, calendar and an alarm register for tests of incidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from dothi.app.incidents.build import CALENDAR
from dothi.incidents.calendar_file import DatedCalendar, decode_calendar
from dothi.incidents.centre import IncidentCentre
from dothi.incidents.clock_set import ClockFollower
from dothi.incidents.library import ProcedureLibrary
from dothi.ports.clock_watch import SteadyClock
from dothi.ports.incidents import AlarmChange, KnownAlarm
from dothi.storage.relational.clock_marks import RelationalClockMarks
from dothi.storage.relational.incidents import RelationalIncidents
from dothi.storage.relational.procedures import RelationalProcedures

PROCEDURES = Path(__file__).parents[1] / "examples" / "two_provinces" / "procedures"
NOW = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)
"""A Thursday, 18:00 in Việt Nam."""

SMALL = """
id = "small"
version = 1
title = { vi = "Nhỏ", en = "Small" }
purpose = { vi = "Thử", en = "Test" }
first = "look"

[[start]]
rule = "level-high"
automatic = true

[[step]]
id = "look"
title = { vi = "Xem", en = "Look" }
text = { vi = "Xem", en = "Look" }
role = "operator"
limit = "15 min"

[[step.field]]
id = "depth"
kind = "number"
unit = "MTR"
label = { vi = "Độ sâu", en = "Depth" }
required = true
least = 0

[[step.pause]]
id = "dark"
label = { vi = "Trời tối", en = "Dark" }

[[step.escalate]]
to = ["duty_officer"]

[[step.escalate]]
after = "10 min"
to = ["leader"]

[[step.next]]
field = "depth"
at_least = 0.3
to = ["close", "tell"]

[[step.next]]
to = ["sum"]

[[step]]
id = "close"
title = { vi = "Chặn", en = "Close" }
text = { vi = "Chặn", en = "Close" }
role = "operator"

[[step.next]]
to = ["sum"]

[[step]]
id = "tell"
title = { vi = "Báo", en = "Tell" }
text = { vi = "Báo", en = "Tell" }
role = "duty_officer"
limit = "2 working days"

[[step.next]]
to = ["sum"]

[[step]]
id = "sum"
title = { vi = "Tổng kết", en = "Sum up" }
text = { vi = "Tổng kết", en = "Sum up" }
role = "operator"
waits_for_all = true
"""


def calendar() -> DatedCalendar:
    return decode_calendar(CALENDAR.read_text(encoding="utf-8"), str(CALENDAR))


@dataclass
class SetClock:
    """A clock that stands until it is moved."""

    at: datetime = NOW
    ran_s: float = 0.0
    """On a clock that nobody sets."""
    boot: str = "first"
    """Run of the machine."""

    def now(self) -> datetime:
        return self.at

    def elapsed(self) -> float:
        return self.ran_s

    def pass_(self, **length: float) -> None:
        self.at += timedelta(**length)
        self.ran_s += timedelta(**length).total_seconds()

    def start_machine(self) -> None:
        """Anew: the clock that nobody sets begins again."""
        self.ran_s, self.boot = 0.0, self.boot + "+"

    def set_(self, **by: float) -> None:
        """Somebody sets it; no time passes."""
        self.at += timedelta(**by)


@dataclass
class AlarmRegister:
    known: dict[str, KnownAlarm] = field(default_factory=dict)
    changes: list[tuple[str, bool]] = field(default_factory=list)
    """Subject, and whether it is active and shown then."""

    def raise_(
        self,
        number: int,
        rule: str = "level-high",
        priority: int = 2,
        opened_at: datetime = NOW,
        entity: int | None = None,
    ) -> str:
        """`entity`: number of the gauge, else that of the alarm."""
        subject = f"alarm:{number}"
        self.known[subject] = KnownAlarm(
            subject,
            f"Mực nước cao tại trạm {number}",
            rule,
            f"urn:ngsi-ld:WaterObserved:{entity or number}",
            ("WaterObserved",),
            priority,
            NOW - timedelta(minutes=5),
            ("ward:25741:2025-07-01",),
            (106.65, 10.98),
            opened_at,
            f"High water at gauge {number}",
        )
        self.changes.append((subject, True))
        return subject

    def change(self, subject: str, *, is_calling: bool) -> None:
        """Something happened to it: acknowledged, returned, shelved."""
        self.changes.append((subject, is_calling))

    def revision(self) -> int:
        return len(self.changes)

    def changed_after(self, revision: int, limit: int) -> Sequence[AlarmChange]:
        some = list(enumerate(self.changes, 1))[revision : revision + limit]
        return [AlarmChange(n, self.known[subject], calls) for n, (subject, calls) in some]

    def others_there(self, subject: str) -> Sequence[str]:
        entity = self.known[subject].entity
        return [s for s, one in self.known.items() if one.entity == entity and s != subject]

    def standing(self) -> Sequence[KnownAlarm]:
        calling = dict(self.changes)
        return [one for subject, one in self.known.items() if calling[subject]]

    def find(self, subjects: Sequence[str]) -> Mapping[str, KnownAlarm]:
        return {s: self.known[s] for s in subjects if s in self.known}


@dataclass
class Desk:
    """The real desk over a real store."""

    centre: IncidentCentre
    clock: SetClock
    alarms: AlarmRegister

    @property
    def library(self) -> ProcedureLibrary:
        return self.centre.library


def open_desk(
    engine: Engine, clock: SetClock | None = None, alarms: AlarmRegister | None = None
) -> Desk:
    """As the wiring builds it; a second call on the same engine is a restart."""
    clock, alarms = clock or SetClock(), alarms or AlarmRegister()
    library = ProcedureLibrary(RelationalProcedures(engine), calendar())
    incidents = RelationalIncidents(engine)
    incidents.use(library.escalation_at)
    steady = SteadyClock(clock.elapsed, clock.boot)
    follower = ClockFollower(incidents, library, clock, steady, RelationalClockMarks(engine))
    centre = IncidentCentre(incidents, library, alarms, clock, follower=follower)
    return Desk(centre, clock, alarms)
