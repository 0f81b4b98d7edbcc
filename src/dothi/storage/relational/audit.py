"""Table `audit`: a chain of hashes that only grows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, insert, or_, select, update

from dothi.model.audit import GENESIS, AuditEntry, digest_of
from dothi.model.moments import at_of, us_of
from dothi.ports.audit import Verified
from dothi.ports.clock import Clock
from dothi.storage.relational.people_tables import audit, audit_head
from dothi.storage.relational.writing import writing

_PAGE = 2_000


def put(
    connection: Connection,
    at: datetime,
    who: str,
    action: str,
    subject: str,
    detail: Mapping[str, str] | None = None,
) -> AuditEntry:
    """Append one entry in the caller's transaction; others wait until it ends."""
    grow = update(audit_head).where(audit_head.c.id == 1).values(seq=audit_head.c.seq + 1)
    if connection.execute(grow).rowcount != 1:
        connection.execute(insert(audit_head).values(id=1, seq=1, digest=GENESIS))
    head = connection.execute(select(audit_head.c.seq, audit_head.c.digest)).one()
    open_entry = AuditEntry(head.seq, at, who, action, subject, dict(detail or {}), head.digest)
    digest = digest_of(open_entry)
    connection.execute(
        insert(audit).values(
            seq=head.seq,
            at_us=us_of(at),
            who=who,
            action=action,
            subject=subject,
            detail=msgspec.json.encode(open_entry.detail).decode(),
            previous=head.digest,
            digest=digest,
        )
    )
    connection.execute(update(audit_head).where(audit_head.c.id == 1).values(digest=digest))
    return AuditEntry(head.seq, at, who, action, subject, open_entry.detail, head.digest, digest)


class RelationalAudit:
    """The port `Audit` over SQLAlchemy Core."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def append(self, who: str, action: str, subject: str, detail: Mapping[str, str]) -> None:
        with writing(self._engine) as connection:
            put(connection, self._clock.now(), who, action, subject, detail)

    def latest(self, limit: int, before: int | None = None, text: str = "") -> list[AuditEntry]:
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.seq < before)
        if text:
            columns = (audit.c.who, audit.c.action, audit.c.subject)
            query = query.where(or_(*(c.contains(text, autoescape=True) for c in columns)))
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def verify(self, contains: str = "") -> Verified:
        seen, previous, is_found = 0, GENESIS, not contains
        with self._engine.connect() as connection:
            head = connection.execute(select(audit_head.c.seq, audit_head.c.digest)).first()
            while True:
                page = select(audit).where(audit.c.seq > seen).order_by(audit.c.seq).limit(_PAGE)
                entries = [_entry(row) for row in connection.execute(page)]
                for entry in entries:
                    if why := _fault(entry, seen, previous):
                        return Verified(seen, previous, seen + 1, why)
                    seen, previous = entry.seq, entry.digest
                    is_found = is_found or entry.digest == contains
                if len(entries) < _PAGE:
                    break
        if head is not None and head.seq > seen:
            return Verified(seen, previous, seen + 1, "the last entries are missing")
        if not is_found:
            return Verified(seen, previous, seen + 1, "the noted digest is not in the record")
        return Verified(seen, previous)


def _fault(entry: AuditEntry, seen: int, previous: str) -> str:
    if entry.seq != seen + 1:
        return "an entry is missing"
    if entry.previous != previous:
        return "the entry does not follow the one before it"
    return "" if entry.digest == digest_of(entry) else "the entry was changed"


def _entry(row: Row[Any]) -> AuditEntry:
    detail = msgspec.json.decode(row.detail, type=dict[str, str])
    return AuditEntry(
        row.seq,
        at_of(row.at_us),
        row.who,
        row.action,
        row.subject,
        detail,
        row.previous,
        row.digest,
    )
