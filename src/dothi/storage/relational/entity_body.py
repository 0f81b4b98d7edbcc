"""What a row that makes or changes an entity says of it."""

from functools import lru_cache

import msgspec

from dothi.storage.relational.hot_connection import HotConnection


class EntityBody(msgspec.Struct, frozen=True):
    """Body of an UPSERT_ENTITY row."""

    types: list[str] = []
    scope: list[str] = []
    expires_at: str | None = None


def read_body(text: str | None, *types: str) -> EntityBody:
    """Of an UPSERT_ENTITY row; an entity without one is of these types."""
    return EntityBody(list(types)) if text is None else _read_body(text)


@lru_cache(maxsize=4096)
def _read_body(text: str) -> EntityBody:
    """Kept, since most entities of a kind have the same."""
    return msgspec.json.decode(text, type=EntityBody)


def stored_bodies(connection: HotConnection, ids: list[int]) -> dict[int, EntityBody]:
    """What is stored of entities; one that expires equals no body."""
    listed = ", ".join(map(str, ids))
    found = connection.query(
        "SELECT id, types, scope, expires_us IS NOT NULL AS ends FROM entity "
        f"WHERE id IN ({listed})"
    )
    return {
        i: EntityBody(_names(types), _names(scope), "some time" if ends else None)
        for i, types, scope, ends in zip(*(c.to_pylist() for c in found.columns), strict=True)
    }


def _names(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])
