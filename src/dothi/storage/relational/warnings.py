"""Tables `public_warning`, `warning_message` and `warning_record`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from dothi.model.cap import CapStatus, MsgType, Scope
from dothi.model.moments import at_of, us_of
from dothi.model.notice import Notice
from dothi.model.warning import (
    MessageState,
    PublicWarning,
    Step,
    WarningContent,
    WarningEvent,
    WarningMessage,
)
from dothi.ports.warnings import Released
from dothi.storage.relational.audit_chain import name_subject
from dothi.storage.relational.notices import put
from dothi.storage.relational.warning_entries import enter
from dothi.storage.relational.warning_tables import (
    public_warning,
    warning_message,
    warning_record,
)
from dothi.storage.relational.writing import writing

_OPEN = (MessageState.DRAFT, MessageState.SUBMITTED)


class RelationalWarnings:
    """The port `Warnings` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, subject: str, message: WarningMessage, event: WarningEvent) -> int:
        with writing(self._engine) as connection:
            connection.execute(
                insert(public_warning).values(subject=subject, created_us=us_of(message.created_at))
            )
            number = int(connection.scalar(select(func.max(public_warning.c.id))) or 0)
            _add(connection, number, message, event)
            name_subject(f"warning:{number}")
        return number

    def add(self, message: WarningMessage, event: WarningEvent) -> bool:
        taken = select(warning_message.c.id).where(
            warning_message.c.warning_id == message.warning, warning_message.c.state.in_(_OPEN)
        )
        with writing(self._engine) as connection:
            if connection.execute(taken).first() is not None:
                return False
            _add(connection, message.warning, message, event)
        return True

    def change(
        self, message: WarningMessage, event: WarningEvent, notices: Sequence[Notice] = ()
    ) -> bool:
        with writing(self._engine) as connection:
            changed = connection.execute(
                update(warning_message)
                .where(
                    warning_message.c.id == message.id,
                    warning_message.c.version == message.version - 1,
                    warning_message.c.state.in_(_OPEN),
                )
                .values(**_values(message))
            )
            if changed.rowcount != 1:
                return False
            _record(connection, message.warning, message.id, event)
            if notices:
                put(connection, notices)
        return True

    def get(self, warning: int) -> PublicWarning | None:
        with self._engine.connect() as connection:
            row = connection.execute(
                select(public_warning).where(public_warning.c.id == warning)
            ).first()
            if row is None:
                return None
            query = select(warning_message).where(warning_message.c.warning_id == warning)
            found = connection.execute(query.order_by(warning_message.c.id))
            return _warning(row, tuple(_message(one) for one in found))

    def all(self, limit: int = 500) -> list[PublicWarning]:
        newest = select(public_warning).order_by(public_warning.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(newest).all()
            messages: dict[int, list[WarningMessage]] = {row.id: [] for row in rows}
            if rows:
                query = select(warning_message).where(warning_message.c.warning_id >= rows[-1].id)
                for one in connection.execute(query.order_by(warning_message.c.id)):
                    messages[one.warning_id].append(_message(one))
        return [_warning(row, tuple(messages[row.id])) for row in rows]

    def events(self, warning: int) -> list[WarningEvent]:
        query = (
            select(warning_record)
            .where(warning_record.c.warning_id == warning)
            .order_by(warning_record.c.id)
        )
        with self._engine.connect() as connection:
            return [_event(row) for row in connection.execute(query)]

    def last_record(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.max(warning_record.c.id))) or 0)

    def released_after(self, record: int, limit: int) -> list[Released]:
        query = (
            select(warning_record.c.id.label("record"), warning_message)
            .join(warning_message, warning_message.c.id == warning_record.c.message_id)
            .where(warning_record.c.id > record, warning_record.c.step == Step.RELEASED)
            .order_by(warning_record.c.id)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [Released(row.record, _message(row)) for row in connection.execute(query)]

    def by_identifier(self, identifier: str) -> WarningMessage | None:
        query = select(warning_message).where(
            warning_message.c.identifier == identifier,
            warning_message.c.state == MessageState.RELEASED,
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _message(row)

    def with_file(self, sha256: str) -> list[WarningMessage]:
        part = warning_message.c
        query = select(warning_message).where(
            part.state == MessageState.RELEASED,
            part.content.contains(f'"{sha256}"', autoescape=True),
        )
        with self._engine.connect() as connection:
            return [_message(row) for row in connection.execute(query.order_by(part.id.desc()))]

    def published(self, status: CapStatus, after_at: datetime) -> list[WarningMessage]:
        newest = (
            select(func.max(warning_message.c.id))
            .where(warning_message.c.state == MessageState.RELEASED)
            .group_by(warning_message.c.warning_id)
        )
        query = (
            select(warning_message)
            .where(
                warning_message.c.id.in_(newest),
                warning_message.c.expires_us > us_of(after_at),
            )
            .order_by(warning_message.c.sent_us.desc(), warning_message.c.id.desc())
        )
        with self._engine.connect() as connection:
            found = [_message(row) for row in connection.execute(query)]
        return [m for m in found if m.content.status is status and m.content.scope is Scope.PUBLIC]


def _add(
    connection: Connection, warning: int, message: WarningMessage, event: WarningEvent
) -> None:
    connection.execute(
        insert(warning_message).values(
            warning_id=warning,
            msg_type=message.msg_type,
            author=message.author,
            created_us=us_of(message.created_at),
            **_values(message),
        )
    )
    number = connection.scalar(
        select(func.max(warning_message.c.id)).where(warning_message.c.warning_id == warning)
    )
    _record(connection, warning, int(number or 0), event)


def _record(connection: Connection, warning: int, message: int, event: WarningEvent) -> None:
    content = None if event.content is None else _json(event.content)
    connection.execute(
        insert(warning_record).values(
            warning_id=warning,
            message_id=message,
            at_us=us_of(event.at),
            person=event.person,
            step=event.step,
            reason=event.reason,
            content=content,
        )
    )
    enter(connection, warning, message, event)


def _values(message: WarningMessage) -> dict[str, Any]:
    """What a step may change."""
    return {
        "state": message.state,
        "version": message.version,
        "content": _json(message.content),
        "reason": message.reason,
        "editors": _json(message.editors),
        "submitted_by": message.submitted_by,
        "submitted_us": us_of(message.submitted_at),
        "released_by": message.released_by,
        "identifier": message.identifier or None,
        "sender": message.sender,
        "sent": None if message.sent_at is None else message.sent_at.isoformat(),
        "sent_us": us_of(message.sent_at),
        "expires_us": us_of(message.expires_at),
        "document": message.document,
    }


def _json(content: object) -> str:
    return msgspec.json.encode(content).decode()


def _warning(row: Row[Any], messages: tuple[WarningMessage, ...]) -> PublicWarning:
    return PublicWarning(row.id, row.subject, at_of(row.created_us), messages)


def _message(row: Row[Any]) -> WarningMessage:
    return WarningMessage(
        id=row.id,
        warning=row.warning_id,
        msg_type=MsgType(row.msg_type),
        state=MessageState(row.state),
        version=row.version,
        content=msgspec.json.decode(row.content, type=WarningContent),
        reason=row.reason,
        author=row.author,
        created_at=at_of(row.created_us),
        editors=msgspec.json.decode(row.editors, type=tuple[str, ...]),
        submitted_by=row.submitted_by,
        submitted_at=at_of(row.submitted_us),
        released_by=row.released_by,
        identifier=row.identifier or "",
        sender=row.sender,
        sent_at=None if row.sent is None else datetime.fromisoformat(row.sent),
        expires_at=at_of(row.expires_us),
        document=row.document,
    )


def _event(row: Row[Any]) -> WarningEvent:
    content = None
    if row.content is not None:
        content = msgspec.json.decode(row.content, type=WarningContent)
    return WarningEvent(
        row.warning_id,
        row.message_id,
        at_of(row.at_us),
        row.person,
        Step(row.step),
        row.reason,
        content,
        row.id,
    )
