"""Table `handover`: sheets, and the duty that goes over with the second signature."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Engine, Row, and_, insert, select, update

from dothi.model.handover import Handover
from dothi.model.moments import at_of, us_of
from dothi.model.problem import Problem
from dothi.ports.clock import Clock
from dothi.ports.handover import Signing
from dothi.storage.relational.audit_chain import put
from dothi.storage.relational.people_tables import duty, handover
from dothi.storage.relational.shifts import begin_duty, end_duty
from dothi.storage.relational.writing import writing


class RelationalHandovers:
    """The port `Handovers` over SQLAlchemy Core."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def open(self, duty: int, by: str) -> Handover:
        with self._engine.connect() as connection:
            if (known := _open_sheet(connection, duty)) is not None:
                return known
        with writing(self._engine) as connection:
            now = self._clock.now()
            put(connection, now, by, "handover_opened", f"duty:{duty}")
            return _open_sheet(connection, duty) or _new_sheet(connection, duty, now)

    def get(self, handover: int) -> Handover | None:
        with self._engine.connect() as connection:
            return _find(connection, handover)

    def latest(self, limit: int, before: int | None = None, position: str = "") -> list[Handover]:
        query = select(handover).order_by(handover.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(handover.c.id < before)
        if position:
            query = query.where(handover.c.position == position)
        with self._engine.connect() as connection:
            return [_handover(row) for row in connection.execute(query)]

    def write(self, handover: Handover, seen_revision: int) -> Handover:
        with writing(self._engine) as connection:
            if not _put_text(connection, handover, seen_revision):
                known = _known(connection, handover.id)
                if known.is_signed:
                    raise _conflict(known, "it is signed; withdraw the signature to change it")
                raise _conflict(known, "somebody else has changed it since you read it")
            return _known(connection, handover.id)

    def sign(self, signing: Signing) -> Handover:
        with writing(self._engine) as connection:
            now = self._clock.now()
            detail = {"digest": signing.digest}
            if signing.missing_reason:
                detail["missing_reason"] = signing.missing_reason
            subject = f"handover:{signing.handover}"
            put(connection, now, signing.person, "handover_signed", subject, detail)
            known = _known(connection, signing.handover)
            signed = _signed(known, signing, now)
            _store(connection, signed)
            if signed.closed_at is not None:
                reason = f"handover:{signed.id}"
                end_duty(connection, signed.duty, signed.outgoing, now, reason)
                begin_duty(connection, signed.incoming, signed.position, now)
                put(connection, now, signing.person, "duty_handed_over", subject, detail)
            return signed

    def withdraw(self, handover: int, person: str) -> Handover:
        with writing(self._engine) as connection:
            subject = f"handover:{handover}"
            put(connection, self._clock.now(), person, "handover_withdrawn", subject)
            known = _known(connection, handover)
            signer = known.outgoing if known.outgoing_signed_at else known.incoming
            if known.closed_at or not known.is_signed or person != signer:
                raise _conflict(known, f"there is no lone signature of {person} on it")
            free = replace(
                known,
                outgoing_signed_at=None,
                incoming="",
                incoming_signed_at=None,
                missing_reason="",
            )
            _store(connection, free)
            return free


def _signed(known: Handover, signing: Signing, now: datetime) -> Handover:
    """The sheet with one more signature. Raises Problem (409)."""
    if known.closed_at is not None:
        raise _conflict(known, "both have signed it already")
    if signing.digest != known.digest:
        raise _conflict(known, "its text is not the one that you have seen")
    if signing.person == known.outgoing:
        signed = replace(known, outgoing_signed_at=known.outgoing_signed_at or now)
    elif known.incoming in ("", signing.person):
        signed = replace(
            known,
            incoming=signing.person,
            incoming_signed_at=known.incoming_signed_at or now,
            missing_reason=signing.missing_reason,
        )
    else:
        raise _conflict(known, f"{known.incoming} has signed as the one who takes over")
    is_complete = signed.incoming_signed_at and (signed.outgoing_signed_at or signed.missing_reason)
    return replace(signed, closed_at=now if is_complete else None)


def _open_sheet(connection: Connection, duty_id: int) -> Handover | None:
    query = select(handover).where(handover.c.duty == duty_id, handover.c.closed_us.is_(None))
    row = connection.execute(query).first()
    return None if row is None else _handover(row)


def _new_sheet(connection: Connection, duty_id: int, now: datetime) -> Handover:
    query = select(duty).where(duty.c.id == duty_id, duty.c.ended_us.is_(None))
    its = connection.execute(query).first()
    if its is None:
        raise Problem(
            "duty_not_found",
            "Nobody has this duty now",
            f"duty {duty_id} does not exist or has ended",
            404,
            remedy="GET /api/v1/shifts/now shows who is on duty",
        )
    new = insert(handover).values(
        position=its.position, duty=duty_id, outgoing=its.person, opened_us=us_of(now)
    )
    number = connection.execute(new.returning(handover.c.id)).scalar_one()
    return Handover(number, its.position, duty_id, its.person, now)


def _find(connection: Connection, number: int) -> Handover | None:
    row = connection.execute(select(handover).where(handover.c.id == number)).first()
    return None if row is None else _handover(row)


def _known(connection: Connection, number: int) -> Handover:
    found = _find(connection, number)
    if found is None:
        raise Problem("handover_not_found", "No such sheet", f"handover {number}", 404)
    return found


def _store(connection: Connection, of: Handover) -> None:
    signatures = {
        "outgoing_signed_us": us_of(of.outgoing_signed_at),
        "incoming": of.incoming or None,
        "incoming_signed_us": us_of(of.incoming_signed_at),
        "missing_reason": of.missing_reason,
        "closed_us": us_of(of.closed_at),
    }
    connection.execute(update(handover).where(handover.c.id == of.id).values(**signatures))


def _put_text(connection: Connection, of: Handover, seen_revision: int) -> bool:
    its = and_(
        handover.c.id == of.id,
        handover.c.revision == seen_revision,
        handover.c.outgoing_signed_us.is_(None),
        handover.c.incoming_signed_us.is_(None),
    )
    change = update(handover).where(its, handover.c.closed_us.is_(None))
    text = {"notes": of.notes, "sheet": of.sheet, "digest": of.digest}
    return connection.execute(change.values(revision=seen_revision + 1, **text)).rowcount == 1


def _conflict(of: Handover, why: str) -> Problem:
    return Problem(
        "handover_conflict",
        "The sheet cannot be changed so",
        f"handover {of.id}: {why}",
        409,
        remedy="read the sheet again",
    )


def _handover(row: Row[Any]) -> Handover:
    return Handover(
        row.id,
        row.position,
        row.duty,
        row.outgoing,
        at_of(row.opened_us),
        row.revision,
        row.notes,
        row.sheet,
        row.digest,
        at_of(row.outgoing_signed_us),
        row.incoming or "",
        at_of(row.incoming_signed_us),
        row.missing_reason,
        at_of(row.closed_us),
    )
