"""Conditions to SQL over `entity e`."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from dothi.model.condition import (
    Absent,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Exists,
    HasId,
    HasType,
    Linked,
    OneOf,
)
from dothi.storage.relational.entity_query_rows import Decidable, InEntities, InRows, InScopes
from dothi.storage.relational.entity_query_values import (
    LIVE_ATTRIBUTE,
    RELATIONSHIPS,
    ValueTest,
    row_test,
    time_column_test,
)

LIVE_ENTITY = "e.deleted_us IS NULL AND (e.expires_us IS NULL OR e.expires_us > :now)"
VALUED_ATTRIBUTE = f"{LIVE_ATTRIBUTE} AND coalesce(a.number, a.text, a.body) IS NOT NULL"
"""A row without a value tells that it is missing: no answer shows it, no condition meets it."""
MODIFIED_US = (
    "max(e.modified_us, coalesce((SELECT max(m.modified_us) FROM attribute m "
    "WHERE m.entity_id = e.id), 0))"
)
"""Telemetry changes attributes and leaves the row of the entity alone."""
ENTITY_TIMES = {
    "createdAt": "e.created_us",
    "modifiedAt": MODIFIED_US,
    "expiresAt": "e.expires_us",
}
_OBJECTS = (
    "SELECT a.text UNION ALL SELECT value FROM json_each(a.body, '$.object') "
    "UNION ALL SELECT value FROM json_each(a.body, '$.objectList')"
)


class Compiler(Struct):
    """Makes SQL of one search; its parameters gather here."""

    parameters: dict[str, object] = field(default_factory=dict)
    _names: dict[tuple[type, object], str] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        """A place for the value; equal ones share theirs."""
        key = type(value), value
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"p{len(self.parameters)}"
            self.parameters[name] = value
        return f":{name}"

    def page(self, limit: int | None, offset: int) -> str:
        """LIMIT and OFFSET; None: all.

        A sum, because SQLite looks into parameters that stand there alone, and then prepares the
        statement anew each time that they are bound.
        """
        most = -1 if limit is None else limit
        return f"LIMIT {self.bind(most)} + 0 OFFSET {self.bind(offset)} + 0"

    def known(self, values: str) -> str:
        """SQL of a set given as a JSON array."""
        return f"(SELECT value FROM json_each({self.bind(values)}))"

    def predicate(self, condition: Decidable) -> str:
        """SQL that is true for the entities `e` that satisfy the condition."""
        match condition:
            case AllOf(parts):
                return "(" + (" AND ".join(map(self.predicate, parts)) or "1") + ")"
            case AnyOf(parts):
                return "(" + (" OR ".join(map(self.predicate, parts)) or "0") + ")"
            case Linked():
                return self._linked(condition)
            case Compare() | OneOf() | Between() | Exists():
                return self._attribute(condition)
            case Absent(target):
                return f"NOT {self._attribute(Exists(target))}"
            case InRows(name, ids):
                return self._some_row(name, f"a.id IN {self.known(ids)}")
        return self._of_entity(condition)

    def _of_entity(self, condition: Decidable) -> str:
        match condition:
            case HasType(name):
                return (
                    "EXISTS (SELECT 1 FROM entity_type t "
                    f"WHERE t.type = {self.bind(name)} AND t.entity_id = e.id)"
                )
            case HasId(ids):
                return f"e.uri IN {self.known(json_of(ids))}"
            case InEntities(ids):
                return f"e.id IN {self.known(ids)}"
            case InScopes(scopes):
                return f"e.scope IN {self.known(scopes)}"
        raise TypeError(f"{condition!r} must be decided before it is compiled")

    def _attribute(self, test: ValueTest) -> str:
        target = test.target
        column = ENTITY_TIMES.get(target.attribute)
        if column is not None and not target.sub and not target.inside:
            return time_column_test(test, column, self.bind)
        return self._some_row(target.attribute, row_test(test, self.bind))

    def _linked(self, wanted: Linked) -> str:
        """The inner `entity e` hides the outer one; the row `a` between them joins the two."""
        types = ""
        if wanted.types:
            known = self.known(json_of(wanted.types))
            types = (
                "EXISTS (SELECT 1 FROM entity_type t WHERE t.entity_id = e.id "
                f"AND t.type IN {known}) AND "
            )
        return self._some_row(
            wanted.relationship,
            f"a.kind IN {RELATIONSHIPS} AND EXISTS (SELECT 1 FROM entity e "
            f"WHERE e.uri IN ({_OBJECTS}) AND {LIVE_ENTITY} "
            f"AND {types}{self.predicate(wanted.condition)})",
        )

    def _some_row(self, name: str, test: str) -> str:
        return (
            "EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = e.id "
            f"AND a.name = {self.bind(name)} AND {VALUED_ATTRIBUTE} AND {test})"
        )


def json_of(values: Sequence[Any]) -> str:
    return msgspec.json.encode(list(values)).decode()
