"""Entities that rows told of: their numbers, types and areas."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import Change
from dothi.model.rule import Scope
from dothi.rules.arrays import Bools, Columns, Ints
from dothi.rules.scope import EntityFacts, Facts, ScopeIndex, holds

_UNKNOWN = -1
_ENTIRE = pa.array([Change.UPSERT_ENTITY, Change.DELETE_ENTITY], pa.uint8())
Deletions = list[tuple[str, int, int]]
"""Entity, time in µs, seq."""


class Known:
    """Numbers count from 0 in the order in which entities were first seen."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.scopes = ScopeIndex()
        self._numbers: dict[str, int] = {}
        self._types: dict[int, str] = {}
        self._facts: dict[int, EntityFacts] = {}
        self._marks = Columns(is_watched=_UNKNOWN)

    def add(self, name: str, type_: str | None = None) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.names)
            self.names.append(name)
        if type_ and number not in self._types:
            self._types[number] = type_
        return number

    def find(self, name: str) -> int | None:
        return self._numbers.get(name)

    def number(self, rows: pa.Table) -> Ints:
        """Number of each row's entity; new ones are added."""
        column = rows["entity"].combine_chunks()
        encoded = column.dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        names = encoded.dictionary.to_pylist()
        places = np.asarray(encoded.indices.to_numpy(), np.int64)
        fresh = [n for n, name in enumerate(names) if name not in self._numbers]
        if fresh:
            types = rows["entity_type"]
            first = np.full(len(names), -1)
            first[places[::-1]] = np.arange(len(places))[::-1]
            for n in fresh:
                self.add(names[n], types[int(first[n])].as_py())
        numbers = np.array([self._numbers[name] for name in names], np.int64)
        return numbers[places]

    def look_up(self, entities: Ints, facts: Facts) -> None:
        """Learn what decides where rules hold."""
        missing = [n for n in entities.tolist() if n not in self._facts]
        if not missing:
            return
        names = [self.names[n] for n in missing]
        found = facts.look_up(names, with_areas=self.scopes.uses_areas)
        for number, one in zip(missing, found, strict=True):
            type_ = self._types.get(number)
            types = one.types or ((type_,) if type_ else ())
            self._facts[number] = EntityFacts(types, one.areas)

    def concern_nobody(self, rows: pa.Table) -> bool:
        """Whether rows are of entities alone that no rule holds at, and change nothing about that;
        seen at a glance."""
        if pc.any(pc.is_in(rows["change"], _ENTIRE)).as_py():
            return False
        marks: Ints = self._marks["is_watched"]
        numbers = [self._numbers.get(name, -1) for name in pc.unique(rows["entity"]).to_pylist()]
        if min(numbers) < 0 or max(numbers) >= self._marks.size or marks[numbers].any():
            return False
        is_moved = self.scopes.uses_areas and pc.any(pc.equal(rows["attribute"], "location"))
        return not (is_moved and is_moved.as_py())

    def watched(self, entity: Ints, facts: Facts) -> Bools:
        """Which of the entities some rule holds at."""
        self._marks.reach(len(self.names))
        marks: Ints = self._marks["is_watched"]
        unknown = np.unique(entity[marks[entity] == _UNKNOWN])
        if len(unknown):
            self.look_up(unknown, facts)
            marks[unknown] = [bool(self.scopes_of(one)) for one in unknown.tolist()]
        return marks[entity] > 0

    def scopes_of(self, entity: int) -> list[int]:
        return self.scopes.find(self.names[entity], self._facts[entity])

    def holds(self, scope: Scope, entity: int) -> bool:
        """Whether a rule of this scope looks at the entity, whose facts are known."""
        return holds(scope, self.names[entity], self._facts[entity])

    def types(self) -> dict[int, str]:
        return self._types

    def moved(self, rows: pa.Table) -> Iterator[tuple[int, int, int]]:
        """Entities whose types were written, or, where areas count, whose place was, with time
        and seq of the last such row. Their facts are forgotten."""
        is_here = pc.equal(rows["change"], int(Change.UPSERT_ENTITY))
        if self.scopes.uses_areas:
            is_here = pc.or_(is_here, pc.equal(rows["attribute"], "location"))
        if not pc.any(is_here).as_py():
            return
        last = {name: (at_us, seq) for name, at_us, seq in _dated(rows.filter(is_here))}
        for name, (at_us, seq) in last.items():
            number = self._numbers.get(name)
            if number is not None and self._facts.pop(number, None) is not None:
                self._marks.clear(number)
                yield number, at_us, seq


def split_at_deletions(rows: pa.Table) -> Iterator[tuple[pa.Table, Deletions]]:
    """Runs of rows with the deletions of whole entities that follow each."""
    is_deletion = np.asarray(pc.equal(rows["change"], int(Change.DELETE_ENTITY)).to_numpy())
    if not is_deletion.any():
        yield rows, []
        return
    start = 0
    while start < rows.num_rows:
        rest = is_deletion[start:]
        end = start + (int(np.argmax(rest)) if rest.any() else len(rest))
        after = is_deletion[end:]
        stop = end + (len(after) if after.all() else int(np.argmin(after)))
        yield rows.slice(start, end - start), _dated(rows.slice(end, stop - end))
        start = stop


def _dated(rows: pa.Table) -> Deletions:
    at = pc.coalesce(rows["observed_at"], rows["committed_at"]).cast(pa.int64()).to_pylist()
    names: Sequence[str] = rows["entity"].to_pylist()
    return list(zip(names, at, rows["seq"].to_pylist(), strict=True))
