"""Conditions to SQL over `entity e`, and the index ranges that a search may start from."""

from dataclasses import dataclass, field

from dothi.model.condition import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Exists,
    HasType,
    OneOf,
)
from dothi.storage.relational.entity_query_rows import Decidable, InRows
from dothi.storage.relational.entity_query_values import (
    LIVE_ATTRIBUTE,
    ValueTest,
    column_test,
    exists_test,
    row_test,
    time_column_test,
)

_ENTITY_TIMES = {"createdAt": "e.created_us", "modifiedAt": "e.modified_us"}


@dataclass(slots=True)
class Compiler:
    """Makes SQL of one search; its parameters gather here."""

    parameters: dict[str, object] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def predicate(self, condition: Decidable) -> str:
        """SQL that is true for the entities `e` that satisfy the condition."""
        match condition:
            case AllOf(parts):
                return "(" + " AND ".join(self.predicate(part) for part in parts) + ")"
            case AnyOf(parts):
                return "(" + " OR ".join(self.predicate(part) for part in parts) + ")"
            case HasType(name):
                return (
                    "EXISTS (SELECT 1 FROM entity_type t "
                    f"WHERE t.type = {self.bind(name)} AND t.entity_id = e.id)"
                )
            case InRows():
                return self._rows(condition)
            case Compare() | OneOf() | Between() | Exists():
                return self._attribute(condition)
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
            case HasType(name):
                return [f"SELECT entity_id FROM entity_type WHERE type = {self.bind(name)}"]
            case Compare() | OneOf() | Between():
                return self._index_range(condition)
            case InRows(_, ids, False):
                known = f"SELECT value FROM json_each({self.bind(ids)})"
                return [f"SELECT a.entity_id FROM attribute a WHERE a.id IN ({known})"]
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
            f"WHERE a.name = {name} AND a.body IS NOT NULL"
        ]

    def _attribute(self, test: ValueTest) -> str:
        target = test.target
        column = _ENTITY_TIMES.get(target.attribute)
        if column is not None and not target.sub and not target.inside:
            return time_column_test(test, column, self.bind)
        return self._some_row(target.attribute, row_test(test, self.bind))

    def _rows(self, test: InRows) -> str:
        found = f"a.id IN (SELECT value FROM json_each({self.bind(test.ids)}))"
        if test.is_negated:
            found = f"({exists_test(test.target, self.bind)} AND NOT {found})"
        return self._some_row(test.target.attribute, found)

    def _some_row(self, name: str, test: str) -> str:
        return (
            "EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = e.id "
            f"AND a.name = {self.bind(name)} AND {LIVE_ATTRIBUTE} AND {test})"
        )
