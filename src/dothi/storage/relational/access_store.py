"""Login links and sessions in the tables `login_link` and `session`."""

import hashlib
import secrets

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from dothi.model.moments import us_of
from dothi.ports.clock import Clock
from dothi.ports.sessions import ADMINISTRATOR
from dothi.storage.relational.audit_chain import put
from dothi.storage.relational.people_tables import person as people
from dothi.storage.relational.schema import login_link, session

_TOKEN_BYTES = 32


class AccessStore:
    """The `Sessions` port on SQLAlchemy Core. Any thread."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def make_link(self, lifetime_s: float, person: str = ADMINISTRATOR, by: str = "") -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now_us = self._now_us()
        with self._engine.begin() as connection:
            connection.execute(delete(login_link).where(login_link.c.principal == person))
            connection.execute(
                insert(login_link).values(
                    hash=_hash(token),
                    principal=person,
                    created_us=now_us,
                    expires_us=now_us + round(lifetime_s * 1e6),
                )
            )
            self._note(connection, by or ADMINISTRATOR, "login_link_made", person)
        return token

    def redeem(self, link_token: str, lifetime_s: float) -> str | None:
        now_us = self._now_us()
        its = login_link.c.hash == _hash(link_token)
        use_up = (
            update(login_link)
            .where(its, login_link.c.used_us.is_(None), login_link.c.expires_us > now_us)
            .values(used_us=now_us)
        )
        with self._engine.begin() as connection:
            if connection.execute(use_up).rowcount != 1:
                return None
            person = connection.execute(select(login_link.c.principal).where(its)).scalar_one()
            if not _may_enter(connection, person):
                return None
            self._note(connection, person, "signed_in", person)
            return self._open(connection, now_us, lifetime_s, person)

    def open(self, lifetime_s: float) -> str:
        with self._engine.begin() as connection:
            self._note(connection, ADMINISTRATOR, "command_signed_in", ADMINISTRATOR)
            return self._open(connection, self._now_us(), lifetime_s, ADMINISTRATOR)

    def _open(self, connection: Connection, now_us: int, lifetime_s: float, person: str) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        connection.execute(delete(session).where(session.c.expires_us <= now_us))
        connection.execute(
            insert(session).values(
                hash=_hash(token),
                principal=person,
                created_us=now_us,
                expires_us=now_us + round(lifetime_s * 1e6),
            )
        )
        return token

    def principal_of(self, session_token: str) -> str | None:
        question = select(session.c.principal).where(
            session.c.hash == _hash(session_token), session.c.expires_us > self._now_us()
        )
        with self._engine.connect() as connection:
            return connection.execute(question).scalar_one_or_none()

    def end(self, session_token: str) -> None:
        its = session.c.hash == _hash(session_token)
        with self._engine.begin() as connection:
            person = connection.execute(select(session.c.principal).where(its)).scalar()
            if connection.execute(delete(session).where(its)).rowcount == 1:
                self._note(connection, str(person), "signed_out", str(person))

    def count_live(self) -> int:
        question = select(func.count()).where(
            session.c.expires_us > self._now_us(), session.c.principal == ADMINISTRATOR
        )
        with self._engine.connect() as connection:
            return int(connection.execute(question).scalar_one())

    def _note(self, connection: Connection, who: str, action: str, person: str) -> None:
        put(connection, self._clock.now(), who, action, f"person:{person}")

    def _now_us(self) -> int:
        return us_of(self._clock.now())


def _may_enter(connection: Connection, person: str) -> bool:
    if person == ADMINISTRATOR:
        return True
    is_active = select(people.c.is_active).where(people.c.id == person)
    return bool(connection.execute(is_active).scalar())


def _hash(token: str) -> str:
    """Tokens hold 256 random bits, so a plain digest is enough to keep them secret."""
    return hashlib.sha256(token.encode()).hexdigest()
