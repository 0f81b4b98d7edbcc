"""Rules, their versions, the dated limits that they refer to."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from dothi.model.rule import LimitTable, Rule
from dothi.model.transition import StoredState


class RuleRecord(Struct, frozen=True):
    """A rule with all its versions."""

    id: str
    is_enabled: bool
    versions: tuple[Rule, ...]
    """Rising; the newest approved one is in force, when the rule is switched on."""
    switched_by: str = ""
    switched_at: datetime | None = None

    @property
    def approved(self) -> Rule | None:
        """The newest approved version."""
        found = [rule for rule in self.versions if rule.approved_at is not None]
        return found[-1] if found else None

    @property
    def newest(self) -> Rule:
        return self.versions[-1]


class Rules(Protocol):
    """Any thread; blocking. Raises StoreUnavailable: nothing was written."""

    def all(self) -> Sequence[RuleRecord]:
        """By id."""
        ...

    def get(self, rule: str) -> RuleRecord | None: ...

    def add(self, draft: Rule, at: datetime) -> Rule:
        """Store the draft as the next version of its rule (a new rule is switched on); gives it
        with its version."""
        ...

    def approve(self, rule: str, version: int, by: str, at: datetime) -> bool:
        """False: there is no such draft (any more)."""
        ...

    def switch(self, rule: str, *, is_enabled: bool, by: str, at: datetime) -> bool:
        """False: there is no such rule."""
        ...

    def in_force(self) -> Sequence[Rule]:
        """The newest approved version of each rule that is switched on."""
        ...

    def limits(self) -> Sequence[LimitTable]: ...

    def put_limits(self, tables: Sequence[LimitTable]) -> None:
        """Create or replace tables by name."""
        ...

    def change_limits(
        self, name: str, change: Callable[[LimitTable | None], LimitTable]
    ) -> LimitTable:
        """Replace a table by what `change` makes of it (None: there is none), in a transaction
        that nobody else writes beside; what it raises leaves everything as it was."""
        ...

    def revision(self) -> int:
        """Rises with every change of what is in force, or of limits."""
        ...

    def states(self) -> Sequence[StoredState]:
        """What the rules remember (model/transition.py)."""
        ...
