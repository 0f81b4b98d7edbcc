"""Tables `planned_shift`, `absence` and `duty`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Engine, Row, Table, and_, delete, insert, or_, select, update

from dothi.model.moments import at_of, us_of
from dothi.model.problem import Problem
from dothi.model.shift import Absence, Duty, PlannedShift
from dothi.ports.clock import Clock
from dothi.ports.shifts import Roster
from dothi.storage.relational.audit_chain import put
from dothi.storage.relational.people_tables import absence, duty, handover, planned_shift
from dothi.storage.relational.writing import writing


class RelationalShifts:
    """The port `Shifts` over SQLAlchemy Core."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def roster(self, start: datetime, end: datetime) -> Roster:
        start_us, end_us = us_of(start), us_of(end)
        shifts = _touching(planned_shift, start_us, end_us).order_by(
            planned_shift.c.starts_us, planned_shift.c.id
        )
        away = _touching(absence, start_us, end_us).order_by(absence.c.starts_us, absence.c.id)
        duties = (
            select(duty)
            .where(duty.c.began_us < end_us)
            .where(or_(duty.c.ended_us.is_(None), duty.c.ended_us > start_us))
            .order_by(duty.c.began_us, duty.c.id)
        )
        with self._engine.connect() as connection:
            return Roster(
                [_shift(row) for row in connection.execute(shifts)],
                [_absence(row) for row in connection.execute(away)],
                [duty_of(row) for row in connection.execute(duties)],
            )

    def current(self) -> list[Duty]:
        query = select(duty).where(duty.c.ended_us.is_(None)).order_by(duty.c.position, duty.c.id)
        with self._engine.connect() as connection:
            return [duty_of(row) for row in connection.execute(query)]

    def plan(self, shifts: Sequence[PlannedShift], by: str) -> list[PlannedShift]:
        if not shifts:
            return []
        detail = {
            "position": " ".join(sorted({shift.position for shift in shifts})),
            "rows": str(len(shifts)),
            "from": min(shift.starts_at for shift in shifts).isoformat(),
            "to": max(shift.ends_at for shift in shifts).isoformat(),
        }
        with writing(self._engine) as connection:
            self._note(connection, by, "shifts_planned", "roster", detail)
            return [_plan(connection, shift) for shift in shifts]

    def reassign(self, shift: int, person: str, by: str, reason: str) -> PlannedShift:
        with writing(self._engine) as connection:
            detail = {"to": person, "reason": reason}
            self._note(connection, by, "shift_reassigned", f"shift:{shift}", detail)
            changed = replace(_known_shift(connection, shift), person=person, note=reason)
            _refuse_clash(connection, changed)
            connection.execute(
                update(planned_shift)
                .where(planned_shift.c.id == shift)
                .values(person=person, note=reason)
            )
            return changed

    def cancel(self, shift: int, by: str, reason: str) -> None:
        with writing(self._engine) as connection:
            self._note(connection, by, "shift_cancelled", f"shift:{shift}", {"reason": reason})
            _known_shift(connection, shift)
            connection.execute(delete(planned_shift).where(planned_shift.c.id == shift))

    def add_absence(self, absence: Absence, by: str) -> Absence:
        with writing(self._engine) as connection:
            # Not the reason: what an illness is must be erasable, and the record is not.
            detail = {"from": absence.starts_at.isoformat(), "to": absence.ends_at.isoformat()}
            self._note(connection, by, "absence_added", f"person:{absence.person}", detail)
            return replace(absence, id=_insert_absence(connection, absence))

    def remove_absence(self, absence: int, by: str) -> None:
        with writing(self._engine) as connection:
            self._note(connection, by, "absence_removed", f"absence:{absence}", {})
            if _delete_absence(connection, absence) != 1:
                raise _missing("absence", absence)

    def take(self, person: str, position: str) -> Duty:
        with writing(self._engine) as connection:
            now = self._clock.now()
            put(connection, now, person, "duty_taken", f"position:{position}")
            return begin_duty(connection, person, position, now)

    def leave(self, duty: int, person: str, reason: str) -> Duty:
        with writing(self._engine) as connection:
            now = self._clock.now()
            put(connection, now, person, "duty_left", f"duty:{duty}", {"reason": reason})
            ended = end_duty(connection, duty, person, now, reason)
            connection.execute(
                delete(handover).where(handover.c.duty == duty, handover.c.closed_us.is_(None))
            )
            return ended

    def _note(
        self, connection: Connection, by: str, action: str, subject: str, detail: Mapping[str, str]
    ) -> None:
        put(connection, self._clock.now(), by, action, subject, detail)


def begin_duty(connection: Connection, person: str, position: str, at: datetime) -> Duty:
    """Raises Problem: the person has it already (409)."""
    has_it = select(duty.c.id).where(
        duty.c.person == person, duty.c.position == position, duty.c.ended_us.is_(None)
    )
    if connection.execute(has_it).first() is not None:
        raise Problem(
            "duty_taken",
            "The position is taken over already",
            f"{person} is on duty as {position}",
            409,
        )
    new = insert(duty).values(person=person, position=position, began_us=us_of(at))
    number = connection.execute(new.returning(duty.c.id)).scalar_one()
    return Duty(number, person, position, at)


def end_duty(connection: Connection, number: int, person: str, at: datetime, reason: str) -> Duty:
    """Raises Problem: there is no such duty of that person, or it has ended (404)."""
    its = and_(duty.c.id == number, duty.c.person == person)
    end = update(duty).where(its, duty.c.ended_us.is_(None))
    if connection.execute(end.values(ended_us=us_of(at), end_reason=reason)).rowcount != 1:
        raise _missing("duty", number)
    return duty_of(connection.execute(select(duty).where(its)).one())


def duty_of(row: Row[Any]) -> Duty:
    """A row of the table `duty`."""
    began_at, ended_at = at_of(row.began_us), at_of(row.ended_us)
    return Duty(row.id, row.person, row.position, began_at, ended_at, row.end_reason)


def _plan(connection: Connection, shift: PlannedShift) -> PlannedShift:
    _refuse_clash(connection, shift)
    new = insert(planned_shift).values(
        person=shift.person,
        position=shift.position,
        starts_us=us_of(shift.starts_at),
        ends_us=us_of(shift.ends_at),
        pattern=shift.pattern,
        note=shift.note,
    )
    number = connection.execute(new.returning(planned_shift.c.id)).scalar_one()
    return replace(shift, id=number)


def _refuse_clash(connection: Connection, shift: PlannedShift) -> None:
    clash = (
        _touching(planned_shift, us_of(shift.starts_at), us_of(shift.ends_at))
        .where(planned_shift.c.person == shift.person, planned_shift.c.id != shift.id)
        .limit(1)
    )
    found = connection.execute(clash).first()
    if found is not None:
        raise Problem(
            "shift_overlaps",
            "Somebody would be planned twice",
            f"{shift.person} is planned as {found.position} from "
            f"{at_of(found.starts_us).isoformat()} to {at_of(found.ends_us).isoformat()}",
            409,
            where=f"shift that starts at {shift.starts_at.isoformat()}",
            remedy="take another person, or cancel the other shift first",
        )


def _touching(table: Table, start_us: int, end_us: int) -> Any:
    return select(table).where(table.c.starts_us < end_us, table.c.ends_us > start_us)


def _known_shift(connection: Connection, number: int) -> PlannedShift:
    found = connection.execute(select(planned_shift).where(planned_shift.c.id == number)).first()
    if found is None:
        raise _missing("shift", number)
    return _shift(found)


def _insert_absence(connection: Connection, of: Absence) -> int:
    new = insert(absence).values(
        person=of.person,
        starts_us=us_of(of.starts_at),
        ends_us=us_of(of.ends_at),
        reason=of.reason,
    )
    return int(connection.execute(new.returning(absence.c.id)).scalar_one())


def _delete_absence(connection: Connection, number: int) -> int:
    return connection.execute(delete(absence).where(absence.c.id == number)).rowcount


def _missing(what: str, number: int) -> Problem:
    return Problem(f"{what}_not_found", f"No such {what}", f"there is no open {what} {number}", 404)


def _shift(row: Row[Any]) -> PlannedShift:
    starts_at, ends_at = at_of(row.starts_us), at_of(row.ends_us)
    return PlannedShift(row.id, row.person, row.position, starts_at, ends_at, row.pattern, row.note)


def _absence(row: Row[Any]) -> Absence:
    return Absence(row.id, row.person, at_of(row.starts_us), at_of(row.ends_us), row.reason)
