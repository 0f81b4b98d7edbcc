"""Entries of the audit record, made in the transaction of what they tell of."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, func, insert, select, update

from dothi.model.audit import GENESIS, AuditEntry, Deed, digest_of
from dothi.model.moments import us_of
from dothi.ports.clock import Clock
from dothi.storage.relational.people_tables import audit, audit_head


class _Attended(Struct, frozen=True):
    """A deed, and the only database whose transactions may tell it: tenants have their own."""

    deed: Deed
    engine: Engine
    clock: Clock


_now_done: ContextVar[_Attended | None] = ContextVar("deed", default=None)


@contextmanager
def attended(deed: Deed, engine: Engine, clock: Clock) -> Iterator[None]:
    """The first transaction that is made meanwhile, also in threads, carries the entry."""
    before = _now_done.set(_Attended(deed, engine, clock))
    try:
        yield
    finally:
        _now_done.reset(before)


def name_subject(subject: str) -> None:
    """What has just been made, where only its kind was known before."""
    now = _now_done.get()
    if now is not None and ":" not in now.deed.subject:
        now.deed.subject = subject


def add_detail(name: str, value: object) -> None:
    """What the change itself decided, e.g. the number of a new version."""
    if (now := _now_done.get()) is not None:
        now.deed.detail[name] = str(value)


def to_be_told(engine: Engine) -> bool:
    """Whether the next transaction of this database has a deed to tell."""
    now = _now_done.get()
    return now is not None and not now.deed.is_told and now.engine is engine


def changes_so_far(connection: Connection) -> int:
    """Rows that this connection has ever changed."""
    return int(connection.scalar(select(func.total_changes())) or 0)


def tell(connection: Connection) -> Deed | None:
    """Put the entry of what is being done into this transaction.

    Returns the deed: it is told once the transaction holds. None: it has its entry by now.
    """
    now = _now_done.get()
    if now is None or now.deed.is_told:
        return None
    _append(connection, now.clock.now(), now.deed)
    return now.deed


def put(
    connection: Connection,
    at: datetime,
    who: str,
    action: str,
    subject: str,
    detail: Mapping[str, str] | None = None,
) -> AuditEntry:
    """Append one entry in the caller's transaction; others wait until it ends."""
    if (now := _now_done.get()) is not None and now.engine is connection.engine:
        now.deed.is_told = True
    return _append(connection, at, Deed(who, action, subject, dict(detail or {})))


def _append(connection: Connection, at: datetime, deed: Deed) -> AuditEntry:
    grow = update(audit_head).where(audit_head.c.id == 1).values(seq=audit_head.c.seq + 1)
    if connection.execute(grow).rowcount != 1:
        connection.execute(insert(audit_head).values(id=1, seq=1, digest=GENESIS))
    head = connection.execute(select(audit_head.c.seq, audit_head.c.digest)).one()
    said = deed.who, deed.action, deed.subject, dict(deed.detail)
    digest = digest_of(AuditEntry(head.seq, at, *said, head.digest))
    connection.execute(
        insert(audit).values(
            seq=head.seq,
            at_us=us_of(at),
            who=deed.who,
            action=deed.action,
            subject=deed.subject,
            detail=msgspec.json.encode(deed.detail).decode(),
            previous=head.digest,
            digest=digest,
        )
    )
    connection.execute(update(audit_head).where(audit_head.c.id == 1).values(digest=digest))
    return AuditEntry(head.seq, at, *said, head.digest, digest)
