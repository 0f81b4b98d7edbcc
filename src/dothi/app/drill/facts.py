"""What is on record of a drill, for its score."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from dothi.app.drill.score import Deed, Facts, StepFact
from dothi.app.drill.timing import Timing
from dothi.model.alarm import Alarm
from dothi.model.incident_record import Record
from dothi.model.procedure import StepState
from dothi.model.warning import PublicWarning
from dothi.ports.alarms import AlarmQuery, AlarmReader
from dothi.ports.incidents import BoardQuery, Incidents
from dothi.ports.warnings import Warnings

_PAGE = 500


def gather(alarms: AlarmReader, incidents: Incidents, warnings: Warnings, timing: Timing) -> Facts:
    """The first time of everything since the drill began. Blocking."""
    since_at = timing.began_at
    raised = _alarms(alarms, since_at)
    records = _records(incidents, since_at)
    rule_of = {f"alarm:{alarm.id}": alarm.rule for alarm in raised}
    rules_of = _rules_by_subject(rule_of, records)
    return Facts(
        raised={
            rule: deed.at
            for rule, deed in _first((alarm.rule, alarm.opened_at, "") for alarm in raised).items()
        },
        acknowledged=_first(
            (alarm.rule, alarm.acknowledged_at, alarm.acknowledged_by) for alarm in raised
        ),
        incidents=_first(
            (rule_of[link.subject], link.at, link.by)
            for record in records
            for link in record.links
            if link.subject in rule_of
        ),
        warnings=_first(
            (rule, message.sent_at, message.released_by)
            for warning in _warnings(warnings, since_at)
            for message in warning.released
            for rule in rules_of.get(warning.subject, ())
        ),
        steps=_steps(records, timing),
    )


def _alarms(alarms: AlarmReader, since_at: datetime) -> list[Alarm]:
    found: list[Alarm] = []
    query = AlarmQuery(since=since_at, sort="raised_at", limit=_PAGE)
    while page := alarms.page(query):
        found += page
        last = page[-1]
        after = alarms.key(last, "raised_at")
        query = AlarmQuery(since=since_at, sort="raised_at", limit=_PAGE, after=after)
    return found


def _records(incidents: Incidents, since_at: datetime) -> list[Record]:
    found: list[Record] = []
    before = 0
    while rows := incidents.board(BoardQuery(before=before, limit=_PAGE), since_at):
        heads = [row.incident for row in rows]
        found += filter(None, (incidents.get(h.id) for h in heads if h.opened_at >= since_at))
        before = heads[-1].id
    return found


def _warnings(warnings: Warnings, since_at: datetime) -> Sequence[PublicWarning]:
    return [one for one in warnings.all() if one.created_at >= since_at]


def _rules_by_subject(rule_of: dict[str, str], records: Iterable[Record]) -> dict[str, set[str]]:
    """Rules that a warning is about: through its alarm, or the alarms of its incident."""
    found = {subject: {rule} for subject, rule in rule_of.items()}
    for record in records:
        linked = {rule_of[link.subject] for link in record.links if link.subject in rule_of}
        found[f"incident:{record.incident.id}"] = linked
    return found


def _steps(records: Iterable[Record], timing: Timing) -> dict[tuple[str, str], StepFact]:
    found: dict[tuple[str, str], StepFact] = {}
    runs = sorted((run for r in records for run in r.runs), key=lambda run: run.started_at)
    for run in runs:
        for step in run.steps:
            key = (run.procedure, step.step)
            if step.opened_at is None or key in found:
                continue
            # The clock that the screen showed, in time of the scenario.
            limit_s = timing.lasted_s(step.opened_at, step.due_at) if step.due_at else None
            is_done = step.state is StepState.DONE
            deed = Deed(step.ended_at, step.by) if is_done and step.ended_at else None
            found[key] = StepFact(step.opened_at, limit_s, deed)
    return found


def _first(times: Iterable[tuple[str, datetime | None, str]]) -> dict[str, Deed]:
    """The earliest of each name, with who did it."""
    found: dict[str, Deed] = {}
    for name, at, by in times:
        if at is not None and (name not in found or at < found[name].at):
            found[name] = Deed(at, by)
    return found
