"""Who there is, and who is on duty."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from dothi.model.person import Person


class People(Protocol):
    """Any thread; blocking."""

    def all(self) -> Sequence[Person]:
        """By name, those who left included."""
        ...

    def get(self, person: str) -> Person | None: ...

    def on_duty(self, at: datetime, position: str = "") -> Sequence[Person]:
        """Who has the duty at that time; with a position only those at it."""
        ...


def name_of(people: People, person: str) -> str:
    """The name that people read; the id of somebody who is on no list."""
    found = people.get(person) if person else None
    return found.name if found else person


def approvers(people: People, may: Callable[[Person], bool], by: str) -> int:
    """How many could approve something: `by`, who asks, and everybody else who may."""
    return 1 + sum(one.is_active and one.id != by and may(one) for one in people.all())


class PeopleRegister(People, Protocol):
    """Also changes them; what is done is in the audit record, in the same transaction."""

    def add(self, person: Person, by: str) -> bool:
        """False: the id is taken (also by somebody who left)."""
        ...

    def change(self, person: Person, by: str) -> bool:
        """False: there is no such person. Whoever is not active any more is signed out."""
        ...
