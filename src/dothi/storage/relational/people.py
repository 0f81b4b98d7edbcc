"""Tables `person` and `person_position`, and who of them is on duty."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, and_, delete, exists, insert, or_, select, update
from sqlalchemy.dialects import sqlite

from dothi.model.moments import us_of
from dothi.model.person import Person
from dothi.ports.clock import Clock
from dothi.storage.relational.audit_chain import put
from dothi.storage.relational.people_tables import (
    absence,
    duty,
    person,
    person_position,
    planned_shift,
)
from dothi.storage.relational.schema import login_link, session
from dothi.storage.relational.writing import writing


class RelationalPeople:
    """The port `PeopleRegister` over SQLAlchemy Core."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def all(self) -> list[Person]:
        with self._engine.connect() as connection:
            return _read(connection, select(person).order_by(person.c.name, person.c.id))

    def get(self, person: str) -> Person | None:
        with self._engine.connect() as connection:
            return next(iter(_read(connection, _one(person))), None)

    def on_duty(self, at: datetime, position: str = "") -> list[Person]:
        with self._engine.connect() as connection:
            ids = on_duty(connection, at, self._clock.now(), position)
            by_id = {found.id: found for found in _read(connection, select(person))}
        return [by_id[one] for one in ids]

    def add(self, person: Person, by: str) -> bool:
        with writing(self._engine) as connection:
            if not _insert(connection, person, us_of(self._clock.now())):
                return False
            self._note(connection, by, "person_added", person)
            return True

    def change(self, person: Person, by: str) -> bool:
        with writing(self._engine) as connection:
            if not _update(connection, person, us_of(self._clock.now())):
                return False
            if not person.is_active:
                _sign_out(connection, person.id)
            self._note(connection, by, "person_changed", person)
            return True

    def _note(self, connection: Connection, by: str, action: str, person: Person) -> None:
        detail = {
            "name": person.name,
            "positions": " ".join(person.positions),
            "channels": " ".join(sorted(person.contacts)),  # the addresses are not for the record
            "is_active": "yes" if person.is_active else "no",
        }
        put(connection, self._clock.now(), by, action, f"person:{person.id}", detail)


def on_duty(connection: Connection, at: datetime, now: datetime, position: str = "") -> list[str]:
    """Ids of those who have the duty at that time.

    Until now that is whoever took a position over and was not relieved; at a position that nobody
    took over, and in the future, whoever the roster names and is not away. Whoever left the centre
    counts for nothing.
    """
    at_us = us_of(at)
    left = select(person.c.id).where(~person.c.is_active)
    taken = select(duty.c.position, duty.c.person).where(
        duty.c.began_us <= at_us,
        or_(duty.c.ended_us.is_(None), duty.c.ended_us > at_us),
        duty.c.person.not_in(left),
    )
    is_away = exists().where(
        and_(
            absence.c.person == planned_shift.c.person,
            absence.c.starts_us <= at_us,
            absence.c.ends_us > at_us,
        )
    )
    planned = select(planned_shift.c.position, planned_shift.c.person).where(
        planned_shift.c.starts_us <= at_us,
        planned_shift.c.ends_us > at_us,
        ~is_away,
        planned_shift.c.person.not_in(left),
    )
    holders = defaultdict(list)
    if at <= now:
        for row in connection.execute(taken.order_by(duty.c.id)):
            holders[row.position].append(row.person)
    manned = set(holders)
    for row in connection.execute(planned.order_by(planned_shift.c.id)):
        if row.position not in manned:
            holders[row.position].append(row.person)
    asked = [position] if position else sorted(holders)
    return list(dict.fromkeys(one for place in asked for one in holders.get(place, ())))


def _one(person_id: str) -> Any:
    return select(person).where(person.c.id == person_id)


def _read(connection: Connection, query: Any) -> list[Person]:
    rows = connection.execute(query).all()
    places = select(person_position).order_by(person_position.c.rank)
    if len(rows) == 1:
        places = places.where(person_position.c.person == rows[0].id)
    positions = defaultdict(list)
    for place in connection.execute(places) if rows else ():
        positions[place.person].append(place.position)
    return [_person(row, positions[row.id]) for row in rows]


def _person(row: Row[Any], positions: Iterable[str]) -> Person:
    contacts = msgspec.json.decode(row.contacts, type=dict[str, str])
    return Person(row.id, row.name, tuple(positions), row.language, contacts, bool(row.is_active))


def _insert(connection: Connection, of: Person, now_us: int) -> bool:
    new = sqlite.insert(person).values(id=of.id, created_us=now_us, **_values(of, now_us))
    if connection.execute(new.on_conflict_do_nothing()).rowcount != 1:
        return False
    _put_positions(connection, of)
    return True


def _update(connection: Connection, of: Person, now_us: int) -> bool:
    change = update(person).where(person.c.id == of.id).values(**_values(of, now_us))
    if connection.execute(change).rowcount != 1:
        return False
    connection.execute(delete(person_position).where(person_position.c.person == of.id))
    _put_positions(connection, of)
    return True


def _values(of: Person, now_us: int) -> dict[str, Any]:
    return {
        "name": of.name,
        "language": of.language,
        "contacts": msgspec.json.encode(dict(of.contacts)).decode(),
        "is_active": of.is_active,
        "modified_us": now_us,
    }


def _put_positions(connection: Connection, of: Person) -> None:
    for rank, position in enumerate(of.positions):
        connection.execute(
            insert(person_position).values(person=of.id, position=position, rank=rank)
        )


def _sign_out(connection: Connection, person_id: str) -> None:
    connection.execute(delete(session).where(session.c.principal == person_id))
    connection.execute(delete(login_link).where(login_link.c.principal == person_id))
