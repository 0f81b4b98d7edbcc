"""ports.registry.Sources on the relational store."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine, Row, select, update

from dothi.model.source import Origin, Source
from dothi.storage.relational.schema import source, source_token
from dothi.storage.relational.writing import writing

_TOKEN_BYTES = 32


class RelationalSources:
    """Sources and the hashes of their device tokens."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> Sequence[Source]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(source).order_by(source.c.name_id))
            return [_read(row) for row in rows]

    def get(self, source_id: str) -> Source | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(source).where(source.c.name_id == source_id)).first()
        return None if row is None else _read(row)

    def put(self, source_: Source) -> None:
        values = {
            "name": source_.name,
            "kind": source_.kind,
            "owner": source_.owner,
            "origin": str(source_.origin),
            "origin_note": source_.origin_note,
            "origin_note_vi": source_.origin_note_vi,
            "cadence_s": source_.cadence_s,
            "licence": source_.licence,
            "is_enabled": source_.is_enabled,
            "may_write_others": source_.may_write_others,
        }
        with writing(self._engine) as connection:
            changed = connection.execute(
                update(source).where(source.c.name_id == source_.id).values(values)
            )
            if changed.rowcount == 0:
                created = source_.created_at or datetime.now(UTC)
                connection.execute(
                    source.insert().values(
                        values
                        | {"name_id": source_.id, "created_us": int(created.timestamp() * 1e6)}
                    )
                )

    def issue_token(self, source_id: str) -> str:
        # A prefix: no token begins with "-", and a leaked one is recognised for what it is.
        token = f"dothi_{secrets.token_urlsafe(_TOKEN_BYTES)}"
        with writing(self._engine) as connection:
            number = connection.scalar(select(source.c.id).where(source.c.name_id == source_id))
            if number is None:
                raise KeyError(source_id)
            connection.execute(
                source_token.insert().values(
                    hash=_hash(token), source_id=number, created_us=time.time_ns() // 1000
                )
            )
        return token

    def revoke_tokens(self, source_id: str) -> int:
        number = select(source.c.id).where(source.c.name_id == source_id).scalar_subquery()
        with writing(self._engine) as connection:
            revoked = connection.execute(
                update(source_token)
                .where(source_token.c.source_id == number, source_token.c.revoked_us.is_(None))
                .values(revoked_us=time.time_ns() // 1000)
            )
        return int(revoked.rowcount)

    def source_of_token(self, token: str) -> Source | None:
        query = (
            select(source)
            .join(source_token, source_token.c.source_id == source.c.id)
            .where(
                source_token.c.hash == _hash(token),
                source_token.c.revoked_us.is_(None),
                source.c.is_enabled,
            )
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _read(row)


def _hash(token: str) -> str:
    # The token has 256 random bits, so a plain hash cannot be guessed back.
    return hashlib.sha256(token.encode()).hexdigest()


def _read(row: Row[tuple[object, ...]]) -> Source:
    values = row._mapping
    return Source(
        id=values["name_id"],
        name=values["name"],
        kind=values["kind"],
        owner=values["owner"],
        origin=Origin(values["origin"]),
        origin_note=values["origin_note"],
        origin_note_vi=values["origin_note_vi"],
        cadence_s=values["cadence_s"],
        licence=values["licence"],
        created_at=datetime.fromtimestamp(values["created_us"] / 1e6, UTC),
        is_enabled=bool(values["is_enabled"]),
        may_write_others=bool(values["may_write_others"]),
    )
