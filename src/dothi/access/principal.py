"""Who is asking, and whether they may."""

from msgspec import Struct

from dothi.access.permission import Permission
from dothi.model.problem import Problem


class Principal(Struct, frozen=True):
    """An identity with its permissions; a device also has the one source it may send for."""

    name: str
    """Of a person the id, as it stands in records of what was done."""
    permissions: frozenset[Permission]
    source: str | None = None
    title: str = ""
    """The name that people read; empty: `name`."""
    positions: tuple[str, ...] = ()
    is_somebody: bool = True
    """Whether it is known who that is."""

    def may(self, permission: Permission) -> bool:
        return permission is Permission.PUBLIC or permission in self.permissions


ANONYMOUS = Principal("anonymous", frozenset())
ADMINISTRATOR = Principal("administrator", frozenset(Permission))
EVERYBODY = Principal(ADMINISTRATOR.name, ADMINISTRATOR.permissions, is_somebody=False)
"""Whoever comes while nobody need sign in."""


def device(source: str) -> Principal:
    """The identity behind a device token."""
    return Principal(f"device:{source}", frozenset({Permission.WRITE_OBSERVATIONS}), source)


def system(source: str) -> Principal:
    """The identity behind the token of a system (source of kind ngsi_ld): it also reads, and
    keeps entities."""
    permissions = {Permission.READ, Permission.WRITE_OBSERVATIONS, Permission.WRITE_ENTITIES}
    return Principal(f"system:{source}", frozenset(permissions), source)


def require(principal: Principal, permission: Permission) -> None:
    """Raise Problem 401 (nobody) or 403 (somebody, but not allowed)."""
    if principal.may(permission):
        return
    if principal is ANONYMOUS:
        raise Problem(
            "not_signed_in",
            "Not signed in",
            f"this needs the permission {permission}",
            401,
            remedy="open the login link that `dothi up` prints, or send a token as Bearer",
        )
    raise Problem(
        "forbidden",
        "Not allowed",
        f"{principal.name} lacks the permission {permission}",
        403,
        remedy="ask the administrator",
    )
