"""How a request that changes something stands in the audit record."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum

import msgspec
from msgspec import Struct

from dothi.access.endpoint import Endpoint
from dothi.model.audit import Deed

DOING = "doing"
"""Under this name a request carries its `Doing`, where it has one."""

_PLACE = re.compile(r"\{(\w+)\}")
_CONVERTER = re.compile(r":\w+\}")
_MOST_CHARACTERS = 500
_MOST_NAMED = 20


class DeedKind(Struct, frozen=True):
    """What one endpoint does, in the words of the record."""

    action: str
    """In the past: rule_approved."""
    subject: str
    """`{name}` stands for a parameter of the path, or a field of the body; `{me}`: who does it."""
    fields: tuple[str, ...] = ()
    """Of path, query and body, for the detail. Secrets and addresses are never named here."""
    is_of_people_only: bool = False
    """Values that devices and systems send stand in the log with their source; of people, who have
    none, the record says who sent them. Where nobody signs in there is nothing to say."""


Deeds = Mapping[str, DeedKind]
"""`METHOD /path` as `key_of` makes it -> what the endpoint does."""


def key_of(endpoint: Endpoint) -> str:
    """Method and path, the parameters by their names alone: `POST /api/v1/alarms/{id}/shelve`."""
    return f"{endpoint.method} {_CONVERTER.sub('}', endpoint.path).rstrip('/')}"


class Doing:
    """A deed that learns of what it is while the request is read."""

    def __init__(self, kind: DeedKind, who: str, path: Mapping[str, object]) -> None:
        self.deed = Deed(who, kind.action, "")
        self._kind = kind
        self._known: dict[str, list[str]] = {"me": [who]}
        self.learn(path)

    def learn(self, values: object) -> None:
        """Of a query or a body: a Struct, or a mapping of names to values."""
        if isinstance(values, msgspec.Struct):
            values = msgspec.structs.asdict(values)
        if not isinstance(values, Mapping):
            return
        for name, value in values.items():
            texts = [text for text in _texts(value) if text]
            if texts:
                self._known[str(name)] = texts
                if name in self._kind.fields:
                    self.deed.detail[str(name)] = " ".join(texts)[:_MOST_CHARACTERS]
        self._name_subject()

    def learn_document(self, document: object) -> None:
        """Of a body with an id, or with a list of things that have one."""
        if isinstance(document, list):
            first = document[:_MOST_NAMED]
            ids = [one.get("id") if isinstance(one, dict) else one for one in first]
            self.learn({"count": len(document), "entities": ids})
        elif isinstance(document, dict):
            self.learn({"id": document.get("id")})

    def _name_subject(self) -> None:
        place = _PLACE.search(self._kind.subject)
        if place is None:
            self.deed.subject = self._kind.subject
            return
        begin = self._kind.subject[: place.start()]
        found = [f"{begin}{text}" for text in self._known.get(place[1], self._known["me"])]
        self.deed.subject = found[0]
        if len(found) > 1:
            self.deed.subject = begin.rstrip(":")
            self.deed.detail["subjects"] = " ".join(found)


def _texts(value: object) -> Iterable[str]:
    """As people read it; nothing of what has no short form."""
    if isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, datetime):
        yield value.isoformat()
    elif isinstance(value, Enum):
        yield str(value.value)
    elif isinstance(value, str | int | float):
        yield str(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, msgspec.Struct):
        for name in ("subject", "id", "name"):
            if hasattr(value, name):
                yield from _texts(getattr(value, name))
                return
