"""Login links and sessions in the tables `login_link` and `session`."""

import hashlib
import secrets

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from dothi.ports.clock import Clock
from dothi.storage.relational.schema import login_link, session

_ADMINISTRATOR = "administrator"
_TOKEN_BYTES = 32


class AccessStore:
    """The `Sessions` port on SQLAlchemy Core. Any thread."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def make_link(self, lifetime_s: float) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now_us = self._now_us()
        with self._engine.begin() as connection:
            connection.execute(delete(login_link))
            connection.execute(
                insert(login_link).values(
                    hash=_hash(token),
                    created_us=now_us,
                    expires_us=now_us + round(lifetime_s * 1e6),
                )
            )
        return token

    def redeem(self, link_token: str, lifetime_s: float) -> str | None:
        now_us = self._now_us()
        use_up = (
            update(login_link)
            .where(login_link.c.hash == _hash(link_token))
            .where(login_link.c.used_us.is_(None), login_link.c.expires_us > now_us)
            .values(used_us=now_us)
        )
        with self._engine.begin() as connection:
            if connection.execute(use_up).rowcount != 1:
                return None
            return self._open(connection, now_us, lifetime_s)

    def open(self, lifetime_s: float) -> str:
        with self._engine.begin() as connection:
            return self._open(connection, self._now_us(), lifetime_s)

    def _open(self, connection: Connection, now_us: int, lifetime_s: float) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        connection.execute(delete(session).where(session.c.expires_us <= now_us))
        connection.execute(
            insert(session).values(
                hash=_hash(token),
                principal=_ADMINISTRATOR,
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
        with self._engine.begin() as connection:
            connection.execute(delete(session).where(session.c.hash == _hash(session_token)))

    def count_live(self) -> int:
        question = select(func.count()).where(session.c.expires_us > self._now_us())
        with self._engine.connect() as connection:
            return int(connection.execute(question).scalar_one())

    def _now_us(self) -> int:
        return round(self._clock.now().timestamp() * 1e6)


def _hash(token: str) -> str:
    """Tokens hold 256 random bits, so a plain digest is enough to keep them secret."""
    return hashlib.sha256(token.encode()).hexdigest()
