"""When the limits of a procedure run out that begins at some time, on the working calendar."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from msgspec import Struct

from dothi.incidents.clocks import due_at
from dothi.incidents.working_calendar import WorkingCalendar
from dothi.model.procedure import Procedure, Step


class StepClock(Struct, frozen=True):
    """Of one step."""

    step: str
    opens_at: datetime
    """At the latest: every step before it takes its whole limit; one without a limit takes none."""
    due_at: datetime | None
    """None: the step has no limit."""
    is_calendar_known: bool
    """Whether somebody has said which days of that year are holidays."""


def preview(
    procedure: Procedure, started_at: datetime, calendar: WorkingCalendar
) -> list[StepClock]:
    """In the order of the file."""
    before = _before(procedure.steps)

    @cache
    def opens(name: str) -> datetime:
        return max((ends(one) for one in before[name]), default=started_at)

    @cache
    def ends(name: str) -> datetime:
        limit = procedure.steps[name].limit
        return (due_at(limit, opens(name), (), calendar) if limit else None) or opens(name)

    return [
        StepClock(
            step.id,
            opens(step.id),
            ends(step.id) if step.limit else None,
            calendar.knows(calendar.day_of(ends(step.id))),
        )
        for step in procedure.steps.values()
    ]


def _before(steps: Mapping[str, Step]) -> dict[str, set[str]]:
    """Step -> those that lead to it; the graph has no cycle, `check_graph` has seen to it."""
    found: dict[str, set[str]] = {name: set() for name in steps}
    for step in steps.values():
        for branch in step.branches:
            for target in branch.to:
                found[target].add(step.id)
    return found
