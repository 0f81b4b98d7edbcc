"""Conditions to SQL over `entity e`, and the index ranges that a search may start from."""

from dataclasses import dataclass, field

import msgspec

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
    column_test,
    row_test,
    time_column_test,
)

LIVE_ENTITY = "e.deleted_us IS NULL AND (e.expires_us IS NULL OR e.expires_us > :now)"
MODIFIED_US = (
    "max(e.modified_us, coalesce((SELECT max(m.modified_us) FROM attribute m "
    "WHERE m.entity_id = e.id), 0))"
)
"""Telemetry changes attributes and leaves the row of the entity alone."""
_ENTITY_TIMES = {
    "createdAt": "e.created_us",
    "modifiedAt": MODIFIED_US,
    "expiresAt": "e.expires_us",
}
_OBJECTS = (
    "SELECT a.text UNION ALL SELECT value FROM json_each(a.body, '$.object') "
    "UNION ALL SELECT value FROM json_each(a.body, '$.objectList')"
)


@dataclass(slots=True)
class Compiler:
    """Makes SQL of one search; its parameters gather here."""

    parameters: dict[str, object] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

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
                return f"e.uri IN {self.known(_json(ids))}"
            case InEntities(ids):
                return f"e.id IN {self.known(ids)}"
            case InScopes(scopes):
                return f"e.scope IN {self.known(scopes)}"
        raise TypeError(f"{condition!r} must be decided before it is compiled")

    def starts(self, condition: Decidable) -> list[str]:
        """Queries that give, from an index, every entity_id that can satisfy the condition.

        Each one alone is enough (and may give too many); none means that no index helps.
        """
        match condition:
            case AllOf(parts):
                return [start for part in parts for start in self.starts(part)]
            case AnyOf(parts):
                each = [self.starts(part) for part in parts]
                return [" UNION ALL ".join(s[0] for s in each)] if all(each) else []
            case Compare() | OneOf() | Between():
                return self._index_range(condition)
            case InRows(_, ids):
                return [f"SELECT a.entity_id FROM attribute a WHERE a.id IN {self.known(ids)}"]
        return self._entity_range(condition)

    def _entity_range(self, condition: Decidable) -> list[str]:
        match condition:
            case HasType(name):
                return [f"SELECT entity_id FROM entity_type WHERE type = {self.bind(name)}"]
            case HasId(ids):
                known = self.known(_json(ids))
                return [f"SELECT id AS entity_id FROM entity WHERE uri IN {known}"]
            case InEntities(ids):
                return [f"SELECT value AS entity_id FROM json_each({self.bind(ids)})"]
            case InScopes(scopes):
                return [
                    "SELECT id AS entity_id FROM entity WHERE scope <> '[]' "
                    f"AND scope IN {self.known(scopes)}"
                ]
        return []

    def _index_range(self, test: ValueTest) -> list[str]:
        if test.target.attribute in _ENTITY_TIMES:
            return []
        in_columns = column_test(test, self.bind)
        if in_columns is None:
            return []
        name = self.bind(test.target.attribute)
        return [
            f"SELECT a.entity_id FROM attribute a WHERE a.name = {name} AND {in_columns} "
            "UNION ALL SELECT a.entity_id FROM attribute a "
            f"INDEXED BY ix_attribute_name_structured WHERE a.name = {name} "
            "AND a.body IS NOT NULL AND a.number IS NULL AND a.text IS NULL"
        ]

    def _attribute(self, test: ValueTest) -> str:
        target = test.target
        column = _ENTITY_TIMES.get(target.attribute)
        if column is not None and not target.sub and not target.inside:
            return time_column_test(test, column, self.bind)
        return self._some_row(target.attribute, row_test(test, self.bind))

    def _linked(self, wanted: Linked) -> str:
        """The inner `entity e` hides the outer one; the row `a` between them joins the two."""
        types = ""
        if wanted.types:
            known = self.known(_json(wanted.types))
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
            f"AND a.name = {self.bind(name)} AND {LIVE_ATTRIBUTE} AND {test})"
        )


def _json(values: tuple[str, ...]) -> str:
    return msgspec.json.encode(list(values)).decode()
