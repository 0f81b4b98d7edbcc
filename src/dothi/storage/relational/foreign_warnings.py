"""Tables `foreign_warning` and `foreign_reference`: messages of other authorities."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, or_, select
from sqlalchemy.dialects import sqlite

from dothi.model.cap import Alert, CapStatus, MsgType, Reference, Severity
from dothi.model.moments import at_of, us_of
from dothi.model.warning import OWN_ANSWER, ForeignWarning
from dothi.ports.warnings import Link
from dothi.storage.relational.warning_tables import foreign_reference, foreign_warning
from dothi.storage.relational.writing import writing

_ANSWERS = (MsgType.ACK, MsgType.ERROR)
_RANK = {MsgType.CANCEL: 1, MsgType.UPDATE: 0}


class RelationalForeignWarnings:
    """The port `ForeignWarnings` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def known(self, connector: str) -> frozenset[Link]:
        part = foreign_warning.c
        query = select(part.url, part.url_updated).where(
            part.connector == connector, part.url != ""
        )
        with self._engine.connect() as connection:
            return frozenset(Link(row.url, row.url_updated) for row in connection.execute(query))

    def has(self, alert: Alert) -> bool:
        query = select(foreign_warning.c.id).where(_is(alert.reference))
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def entity_of(self, alert: Alert) -> str | None:
        part = foreign_warning.c
        same = [_is(one) for one in (alert.reference, *alert.references)]
        query = select(part.entity).where(or_(*same)).order_by(part.sent_us).limit(1)
        with self._engine.connect() as connection:
            return connection.scalar(query)

    def replaced_by(self, alert: Alert) -> MsgType | None:
        with self._engine.connect() as connection:
            return _replaced(connection, alert.sender, alert.identifier, us_of(alert.sent_at))

    def put(self, warnings: Sequence[ForeignWarning]) -> None:
        part = foreign_warning.c
        with writing(self._engine) as connection:
            for one in warnings:
                connection.execute(
                    sqlite.insert(foreign_warning)
                    .values(**_values(one))
                    .on_conflict_do_update(
                        index_elements=[part.sender, part.identifier, part.sent_us],
                        set_={"url": one.url, "url_updated": one.url_updated},
                    )
                )
                reference = Reference(one.sender, one.identifier, one.sent_at)
                number = connection.scalar(select(part.id).where(_is(reference)))
                _refer(connection, int(number or 0), one)

    def all(self, limit: int = 500) -> list[ForeignWarning]:
        part = foreign_warning.c
        theirs = select(foreign_warning).where(part.connector != OWN_ANSWER)
        query = theirs.order_by(part.sent_us.desc(), part.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_warning(connection, row) for row in connection.execute(query).all()]

    def answers_to(self, messages: Sequence[Reference]) -> list[ForeignWarning]:
        if not messages:
            return []
        to, part = foreign_reference.c, foreign_warning.c
        meant = [
            and_(
                to.sender == one.sender,
                to.identifier == one.identifier,
                to.sent_us == us_of(one.sent_at),
            )
            for one in messages
        ]
        numbers = select(to.foreign_id).where(to.msg_type.in_(_ANSWERS), or_(*meant))
        return self._some(part.id.in_(numbers), order=part.sent_us.asc())

    def own_answers(self, after_at: datetime) -> list[ForeignWarning]:
        part = foreign_warning.c
        is_ours = and_(part.connector == OWN_ANSWER, part.sent_us > us_of(after_at))
        return self._some(is_ours, order=part.sent_us.desc())

    def own_answer(self, identifier: str) -> ForeignWarning | None:
        part = foreign_warning.c
        is_it = and_(part.connector == OWN_ANSWER, part.identifier == identifier)
        return next(iter(self._some(is_it, order=part.id.asc())), None)

    def _some(self, which: ColumnElement[bool], order: Any) -> list[ForeignWarning]:
        query = select(foreign_warning).where(which).order_by(order, foreign_warning.c.id)
        with self._engine.connect() as connection:
            return [_warning(connection, row) for row in connection.execute(query).all()]

    def get(self, foreign: int) -> ForeignWarning | None:
        query = select(foreign_warning).where(foreign_warning.c.id == foreign)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
            return None if row is None else _warning(connection, row)


def _is(message: Reference) -> ColumnElement[bool]:
    part = foreign_warning.c
    return and_(
        part.sender == message.sender,
        part.identifier == message.identifier,
        part.sent_us == us_of(message.sent_at),
    )


def _refer(connection: Connection, number: int, one: ForeignWarning) -> None:
    rows = [
        {
            "foreign_id": number,
            "sender": sender,
            "identifier": identifier,
            "sent_us": us_of(sent_at),
            "msg_type": one.msg_type,
        }
        for sender, identifier, sent_at in one.references
    ]
    if rows:
        connection.execute(sqlite.insert(foreign_reference).on_conflict_do_nothing(), rows)


def _replaced(connection: Connection, sender: str, identifier: str, sent_us: int) -> MsgType | None:
    """A Cancel counts more than an Update; acknowledgements replace nothing."""
    part = foreign_reference.c
    query = select(part.msg_type).where(
        part.sender == sender,
        part.identifier == identifier,
        part.sent_us == sent_us,
        part.msg_type.in_([*_RANK]),
    )
    found = [MsgType(text) for text in connection.scalars(query)]
    return max(found, key=lambda kind: _RANK[kind], default=None)


def _values(one: ForeignWarning) -> dict[str, Any]:
    return {
        "connector": one.connector,
        "sender": one.sender,
        "identifier": one.identifier,
        "sent_us": us_of(one.sent_at),
        "status": one.status,
        "msg_type": one.msg_type,
        "event": one.event,
        "headline": one.headline,
        "severity": one.severity,
        "area": one.area,
        "entity": one.entity,
        "document": one.document,
        "received_us": us_of(one.received_at),
        "expires_us": us_of(one.expires_at),
        "url": one.url,
        "url_updated": one.url_updated,
    }


def _warning(connection: Connection, row: Row[Any]) -> ForeignWarning:
    return ForeignWarning(
        connector=row.connector,
        sender=row.sender,
        identifier=row.identifier,
        sent_at=at_of(row.sent_us),
        status=CapStatus(row.status),
        msg_type=MsgType(row.msg_type),
        event=row.event,
        headline=row.headline,
        severity=Severity(row.severity),
        area=row.area,
        entity=row.entity,
        document=row.document,
        received_at=at_of(row.received_us),
        expires_at=at_of(row.expires_us),
        url=row.url,
        url_updated=row.url_updated,
        id=row.id,
        replaced_by=_replaced(connection, row.sender, row.identifier, row.sent_us),
    )
