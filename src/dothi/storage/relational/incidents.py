"""The port `Incidents`: head, timeline and everything beside it in one transaction."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Table,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from dothi.model.incident import IncidentState, TaskState
from dothi.model.incident_record import BoardRow, Change, Record
from dothi.model.moments import at_of, us_of
from dothi.model.procedure import Run, RunState, StepRun, StepState
from dothi.ports.incidents import BoardQuery
from dothi.storage.relational import incident_rows as rows
from dothi.storage.relational import notices
from dothi.storage.relational.audit_chain import name_subject
from dothi.storage.relational.incident_tables import (
    incident,
    incident_entry,
    incident_file,
    incident_link,
    incident_task,
    procedure_run,
    procedure_step,
)
from dothi.storage.relational.writing import writing

EscalationOf = Callable[[Run, StepRun], datetime | None]
"""When the next level of a step is told; the procedure says it."""


class RelationalIncidents:
    """`ports.incidents.Incidents` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._escalation_of: EscalationOf = lambda _run, _step: None

    def use(self, escalation_of: EscalationOf) -> None:
        """Who knows when a step is to be escalated; to be called before anything is written."""
        self._escalation_of = escalation_of

    def board(self, query: BoardQuery, now: datetime) -> list[BoardRow]:
        with self._engine.connect() as connection:
            heads = connection.execute(_board(query)).all()
            ids = [row.id for row in heads]
            counts = {row.incident_id: row for row in connection.execute(_link_counts(ids))}
            tasks = _by_incident(connection, _task_counts(ids))
            steps = {row.incident_id: row for row in connection.execute(_step_counts(ids, now))}
            runs = _by_incident(connection, _run_counts(ids))
            latest = _by_incident(connection, _last_entries(ids))
        found = []
        for row in heads:
            count, step = counts.get(row.id), steps.get(row.id)
            found.append(
                BoardRow(
                    rows.incident_of(row),
                    int(count.alarms) if count else 0,
                    int(count.links) if count else 0,
                    tasks.get(row.id, 0),
                    at_of(step.next_us) if step else None,
                    int(step.overdue) if step else 0,
                    runs.get(row.id, 0),
                    at_of(latest.get(row.id, row.opened_us)),
                )
            )
        return found

    def get(self, number: int) -> Record | None:
        with self._engine.connect() as connection:
            return _record(connection, number)

    def open(self, make: Callable[[int], Change]) -> Record:
        with writing(self._engine) as connection:
            _take_turn(connection, 0)
            return self._open(connection, make)

    def open_once(self, subject: str, make: Callable[[int], Change]) -> Record | None:
        linked = select(incident_link.c.subject).where(incident_link.c.subject == subject)
        caused = select(procedure_run.c.cause).where(procedure_run.c.cause == subject)
        with writing(self._engine) as connection:
            _take_turn(connection, 0)
            if any(connection.scalar(one.limit(1)) is not None for one in (linked, caused)):
                return None
            return self._open(connection, make)

    def _open(self, connection: Connection, make: Callable[[int], Change]) -> Record:
        number = int(connection.scalar(select(func.max(incident.c.id))) or 0) + 1
        change = make(number)
        connection.execute(insert(incident).values(rows.incident_values(change.incident)))
        self._store(connection, change)
        stored = _record(connection, number)
        name_subject(f"incident:{number}")
        assert stored is not None  # it was just written
        return stored

    def running_for(
        self, causes: Sequence[str], procedures: Sequence[str], started_by: str
    ) -> int | None:
        query = (
            select(func.max(incident.c.id))
            .join(procedure_run, procedure_run.c.incident_id == incident.c.id)
            .where(incident.c.state != str(IncidentState.CLOSED))
            .where(procedure_run.c.state == str(RunState.RUNNING))
            .where(procedure_run.c.started_by == started_by)
            .where(procedure_run.c.cause.in_(causes))
            .where(procedure_run.c.procedure.in_(procedures))
        )
        with self._engine.connect() as connection:
            found: int | None = connection.scalar(query)
        return found

    def change(self, number: int, decide: Callable[[Record], Change | None]) -> Record | None:
        with writing(self._engine) as connection:
            _take_turn(connection, number)
            record = _record(connection, number)
            if record is None:
                return None
            change = decide(record)
            if change is None:
                return record
            if change.incident != record.incident:
                values = rows.incident_values(change.incident)
                where = incident.c.id == number
                connection.execute(update(incident).where(where).values(values))
            self._store(connection, change)
            return _record(connection, number)

    def due(self, now: datetime) -> list[int]:
        query = (
            select(procedure_step.c.incident_id)
            .where(procedure_step.c.escalate_us <= us_of(now))
            .distinct()
        )
        with self._engine.connect() as connection:
            return [int(number) for number in connection.scalars(query)]

    def next_due_at(self) -> datetime | None:
        with self._engine.connect() as connection:
            found: int | None = connection.scalar(select(func.min(procedure_step.c.escalate_us)))
            return at_of(found)

    def _store(self, connection: Connection, change: Change) -> None:
        number = change.incident.id
        _insert(connection, incident_entry, [rows.entry_values(number, e) for e in change.entries])
        for subject in change.unlinked:
            here = incident_link.c.incident_id == number
            connection.execute(
                delete(incident_link).where(here, incident_link.c.subject == subject)
            )
        _put(connection, incident_link, [rows.link_values(number, one) for one in change.links])
        _put(connection, incident_task, [rows.task_values(number, t) for t in change.tasks])
        _put(connection, incident_file, [rows.file_values(number, f) for f in change.files])
        _put(connection, procedure_run, [rows.run_values(r) for r in change.runs])
        _put(
            connection,
            procedure_step,
            [
                rows.step_values(run, position, step, us_of(self._escalation(run, step)))
                for run in change.runs
                for position, step in enumerate(run.steps)
            ],
        )
        notices.put(connection, change.notices)

    def _escalation(self, run: Run, step: StepRun) -> datetime | None:
        return self._escalation_of(run, step) if run.state is RunState.RUNNING else None


def _take_turn(connection: Connection, number: int) -> None:
    """Become the writer before reading: what is decided on must not change under the decision."""
    same = update(incident).where(incident.c.id == number).values(version=incident.c.version)
    connection.execute(same)


def _record(connection: Connection, number: int) -> Record | None:
    head = connection.execute(select(incident).where(incident.c.id == number)).first()
    if head is None:
        return None

    def of(table: Table, order: Any) -> Any:
        return connection.execute(
            select(table).where(table.c.incident_id == number).order_by(order)
        )

    steps: dict[int, list[StepRun]] = defaultdict(list)
    for row in of(procedure_step, procedure_step.c.position):
        steps[row.run].append(rows.step_of(row))
    link_order = incident_link.c.at_us
    return Record(
        rows.incident_of(head),
        tuple(rows.entry_of(row) for row in of(incident_entry, incident_entry.c.number)),
        tuple(rows.link_of(row) for row in of(incident_link, link_order)),
        tuple(rows.task_of(row) for row in of(incident_task, incident_task.c.number)),
        tuple(rows.file_of(row) for row in of(incident_file, incident_file.c.number)),
        tuple(
            rows.run_of(row, steps[row.number]) for row in of(procedure_run, procedure_run.c.number)
        ),
    )


def _insert(connection: Connection, table: Table, values: Sequence[dict[str, Any]]) -> None:
    if values:
        connection.execute(insert(table), values)


def _put(connection: Connection, table: Table, values: Sequence[dict[str, Any]]) -> None:
    if not values:
        return
    statement = sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), values)


def _by_incident(connection: Connection, query: Select[Any]) -> dict[int, int]:
    return {int(number): int(value) for number, value in connection.execute(query)}


def _board(query: BoardQuery) -> Select[Any]:
    wanted = select(incident).order_by(incident.c.id.desc()).limit(query.limit)
    if query.states:
        wanted = wanted.where(incident.c.state.in_([str(s) for s in query.states]))
    if query.severities:
        wanted = wanted.where(incident.c.severity.in_([int(s) for s in query.severities]))
    if query.commander:
        wanted = wanted.where(incident.c.commander == query.commander)
    if query.subject:
        linked = select(incident_link.c.incident_id).where(incident_link.c.subject == query.subject)
        wanted = wanted.where(incident.c.id.in_(linked))
    if query.before:
        wanted = wanted.where(incident.c.id < query.before)
    return wanted


def _link_counts(ids: Sequence[int]) -> Select[Any]:
    is_alarm = case((incident_link.c.subject.startswith("alarm:"), 1), else_=0)
    return (
        select(
            incident_link.c.incident_id,
            func.count().label("links"),
            func.sum(is_alarm).label("alarms"),
        )
        .where(incident_link.c.incident_id.in_(ids))
        .group_by(incident_link.c.incident_id)
    )


def _task_counts(ids: Sequence[int]) -> Select[Any]:
    return (
        select(incident_task.c.incident_id, func.count())
        .where(incident_task.c.incident_id.in_(ids), incident_task.c.state == str(TaskState.OPEN))
        .group_by(incident_task.c.incident_id)
    )


def _step_counts(ids: Sequence[int], now: datetime) -> Select[Any]:
    """Of steps that are open: paused ones have no time at which they are due."""
    late = case((procedure_step.c.due_us < us_of(now), 1), else_=0)
    return (
        select(
            procedure_step.c.incident_id,
            func.min(procedure_step.c.due_us).label("next_us"),
            func.sum(late).label("overdue"),
        )
        .where(
            procedure_step.c.incident_id.in_(ids),
            procedure_step.c.state == str(StepState.OPEN),
            procedure_step.c.due_us.is_not(None),
        )
        .group_by(procedure_step.c.incident_id)
    )


def _run_counts(ids: Sequence[int]) -> Select[Any]:
    return (
        select(procedure_run.c.incident_id, func.count())
        .where(procedure_run.c.incident_id.in_(ids), procedure_run.c.state == str(RunState.RUNNING))
        .group_by(procedure_run.c.incident_id)
    )


def _last_entries(ids: Sequence[int]) -> Select[Any]:
    return (
        select(incident_entry.c.incident_id, func.max(incident_entry.c.at_us))
        .where(incident_entry.c.incident_id.in_(ids))
        .group_by(incident_entry.c.incident_id)
    )
