"""What a person's record must look like, and who that is at the doors."""

import re
import unicodedata
from collections.abc import Callable
from difflib import get_close_matches

from msgspec.structs import replace

from dothi.access.permission import Permission
from dothi.access.position import Positions
from dothi.access.principal import ADMINISTRATOR, ANONYMOUS, Principal
from dothi.model.person import Person
from dothi.model.problem import Problem

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,31}")
_RESERVED = frozenset({ADMINISTRATOR.name, ANONYMOUS.name})
_LANGUAGES = ("vi", "en")
_MOST_TEXT = 200


def checked_person(person: Person, positions: Positions) -> Person:
    """The person with clean texts.

    Raises:
        Problem: an id, position, language or contact that cannot be.
    """
    if not _ID.fullmatch(person.id) or person.id in _RESERVED:
        raise _wrong(
            "id",
            f"{person.id!r} cannot be the id of a person",
            "small letters, digits, `.`, `_`, `-`, at most 64, e.g. lan.nguyen",
        )
    name = unicodedata.normalize("NFC", person.name.strip())
    if not name or len(name) > _MOST_TEXT:
        raise _wrong("name", "a name of 1 to 200 characters is needed", "write the full name")
    for position in person.positions:
        if position not in positions.by_id:
            raise _unknown_position(position, positions)
    if person.language not in _LANGUAGES:
        raise _wrong("language", f"{person.language!r} is no language of dothi", "vi or en")
    contacts = {channel: address.strip() for channel, address in person.contacts.items()}
    for channel, address in contacts.items():
        if not _CHANNEL.fullmatch(channel) or len(address) > _MOST_TEXT:
            raise _wrong("contacts", f"{channel!r} cannot be used", "e.g. email=lan@example.vn")
    return replace(
        person,
        name=name,
        positions=tuple(dict.fromkeys(person.positions)),
        contacts={channel: address for channel, address in contacts.items() if address},
    )


def principal_of(person: Person, positions: Positions) -> Principal:
    """The identity of somebody who is signed in; without any position she or he only reads."""
    permissions = positions.permissions_of(person.positions) | {Permission.READ}
    return Principal(person.id, permissions, None, person.name, person.positions)


def approves(positions: Positions) -> Callable[[Person], bool]:
    """Who may put rules, limits and procedures in force."""
    return lambda person: Permission.RULES_APPROVE in positions.permissions_of(person.positions)


def _unknown_position(position: str, positions: Positions) -> Problem:
    near = get_close_matches(position, positions.by_id, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return _wrong(
        "positions", f"{position!r} is no position", f"{hint}known: {', '.join(positions.by_id)}"
    )


def _wrong(field: str, detail: str, remedy: str) -> Problem:
    return Problem("person_invalid", "This cannot be a person", detail, where=field, remedy=remedy)
