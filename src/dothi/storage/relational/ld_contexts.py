"""ports.ld_contexts on the relational store."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, bindparam, select
from sqlalchemy.dialects import sqlite

from dothi.model.moments import at_of, us_of
from dothi.ports.ld_contexts import ContextKind, KeptContext
from dothi.storage.relational.schema import ld_context
from dothi.storage.relational.writing import writing


class RelationalLdContexts:
    """One row per @context."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[KeptContext]:
        columns = [column for column in ld_context.c if column.name not in {"document", "digest"}]
        question = select(*columns).order_by(ld_context.c.created_us, ld_context.c.id)
        with self._engine.connect() as connection:
            return [_kept(row) for row in connection.execute(question)]

    def document(self, context_id: str) -> bytes | None:
        question = select(ld_context.c.document).where(ld_context.c.id == context_id)
        with self._engine.connect() as connection:
            found: str | None = connection.scalar(question)
        return None if found is None else found.encode()

    def find_equal(self, kind: ContextKind, tenant: str, document: bytes) -> str | None:
        question = select(ld_context.c.id).where(
            ld_context.c.digest == _digest(document),
            ld_context.c.kind == str(kind),
            ld_context.c.tenant == tenant,
        )
        with self._engine.connect() as connection:
            found: str | None = connection.scalar(question)
        return found

    def put(self, context: KeptContext, document: bytes) -> None:
        values = {
            "id": context.id,
            "kind": str(context.kind),
            "url": context.url,
            "tenant": context.tenant,
            "document": document.decode(),
            "digest": _digest(document),
            "created_us": us_of(context.created_at),
            "expires_us": us_of(context.expires_at),
            "used_us": us_of(context.used_at),
            "hits": context.hits,
        }
        insert = sqlite.insert(ld_context).values(values)
        changed = {name: value for name, value in values.items() if name != "id"}
        with writing(self._engine) as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=[ld_context.c.id], set_=changed)
            )

    def delete(self, context_id: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(ld_context.delete().where(ld_context.c.id == context_id))

    def note_uses(self, uses: Mapping[str, tuple[int, datetime]]) -> None:
        if not uses:
            return
        rows = [{"of": id_, "hits": hits, "used_us": us_of(at)} for id_, (hits, at) in uses.items()]
        change = (
            ld_context.update()
            .where(ld_context.c.id == bindparam("of"))
            .values(hits=bindparam("hits"), used_us=bindparam("used_us"))
        )
        with writing(self._engine) as connection:
            for row in rows:
                connection.execute(change, row)


def _kept(row: Any) -> KeptContext:
    created_at = at_of(row.created_us)
    assert created_at is not None
    return KeptContext(
        row.id,
        ContextKind(row.kind),
        row.url,
        row.tenant,
        created_at,
        at_of(row.expires_us),
        at_of(row.used_us),
        row.hits,
    )


def _digest(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()
