"""The latest alarm of each condition as it is stored, so that a storm need not read it back.

Every change of an alarm gives it a higher revision than any alarm has had: what others changed
since is read at the beginning of each transaction, when nobody else can write.
"""

import threading
from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import Connection, func, select

from dothi.model.alarm import Alarm
from dothi.storage.relational.alarm_rows import alarm_of
from dothi.storage.relational.alarm_tables import alarm

_MOST = 20_000
"""Conditions; beyond, they are forgotten and read again."""
_CHANGED = 1_000
"""When others changed more, everything is forgotten."""
_NEVER = -1
Latest = dict[str, Alarm | None]
"""Condition -> its latest occurrence; None: there never was one."""


class Known(Struct, frozen=True):
    """What is known at the beginning of a transaction."""

    latest: Mapping[str, Alarm | None]
    generation: int


class AlarmMemory:
    """Of one database, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Latest = {}
        self._revision = _NEVER
        self._generation = 0

    def seen(self, connection: Connection) -> Known:
        """What is true in a transaction that nobody writes beside."""
        with self._lock:
            revision = self._revision
        changed: list[Alarm] = []
        if revision == _NEVER:
            revision = int(connection.scalar(select(func.max(alarm.c.revision))) or 0)
        else:
            query = select(alarm).where(alarm.c.revision > revision)
            query = query.order_by(alarm.c.revision).limit(_CHANGED)
            changed = [alarm_of(row) for row in connection.execute(query)]
            revision = changed[-1].revision if changed else revision
        with self._lock:
            if len(changed) == _CHANGED:
                self._forget()
                return Known({}, -1)
            for one in changed:
                # Of what is not known nobody knows either whether this is the latest.
                if one.condition in self._latest:
                    self._note(one.condition, one)
            self._revision = max(self._revision, revision)
            return Known(self._latest, self._generation)

    def keep(self, latest: Latest, known: Known) -> None:
        """A transaction that began with `known`, and read and changed these, is committed."""
        with self._lock:
            if known.generation != self._generation:
                return
            for condition, one in latest.items():
                self._note(condition, one)
            revisions = [one.revision for one in latest.values() if one is not None]
            self._revision = max(self._revision, *revisions, _NEVER)
            if len(self._latest) > _MOST:
                self._forget()

    def _note(self, condition: str, one: Alarm | None) -> None:
        """Unless something newer is known: transactions may report late."""
        before = self._latest.get(condition)
        if before is None or (
            one is not None and (one.id, one.revision) >= (before.id, before.revision)
        ):
            self._latest[condition] = one

    def _forget(self) -> None:
        self._latest, self._revision = {}, _NEVER
        self._generation += 1
