"""Incidents, procedures and evidence, kept."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from dothi.model.incident import IncidentState, Severity
from dothi.model.incident_record import BoardRow, Change, Record, WarningNote


class BoardQuery(Struct, frozen=True):
    """Which incidents; what is empty is not asked for."""

    states: tuple[IncidentState, ...] = ()
    severities: tuple[Severity, ...] = ()
    commander: str = ""
    subject: str = ""
    """Linked with this."""
    before: int = 0
    """Only those with a smaller id: the next page."""
    limit: int = 200


class Incidents(Protocol):
    """Any thread; blocking. Writers take turns, so a decision sees what it changes."""

    def board(self, query: BoardQuery, now: datetime) -> Sequence[BoardRow]:
        """Newest first."""
        ...

    def get(self, number: int) -> Record | None: ...

    def open(self, make: Callable[[int], Change]) -> Record:
        """A new incident: `make` gets its id."""
        ...

    def open_once(self, subject: str, make: Callable[[int], Change]) -> Record | None:
        """As `open`, unless an incident has or had to do with the subject: then None."""
        ...

    def running_for(
        self, causes: Sequence[str], procedures: Sequence[str], started_by: str
    ) -> int | None:
        """The newest incident that is not closed, and in which one of the procedures still runs
        that was started for one of the causes."""
        ...

    def change(self, number: int, decide: Callable[[Record], Change | None]) -> Record | None:
        """Let `decide` look at the record and store what it says, in one transaction with its
        notices; None: there is no such incident. What `decide` raises leaves everything as it
        was."""
        ...

    def due(self, now: datetime) -> Sequence[int]:
        """Incidents where an escalation has come."""
        ...

    def next_due_at(self) -> datetime | None:
        """When the next escalation comes."""
        ...


class StoredProcedure(Struct, frozen=True):
    """A version of a procedure as its file has it."""

    id: str
    version: int
    text: str
    """TOML."""
    stored_at: datetime
    stored_by: str
    is_active: bool
    """New runs take the highest version that is active and approved."""
    approved_by: str = ""
    approved_at: datetime | None = None
    """None: a draft; nothing starts with it."""


class Procedures(Protocol):
    """Any thread; blocking."""

    def all(self) -> Sequence[StoredProcedure]:
        """Every version, by id and version."""
        ...

    def put(self, procedure: StoredProcedure) -> bool:
        """False: this version is stored already, with another text."""
        ...

    def activate(self, procedure: str, version: int, is_active: bool) -> bool:
        """False: there is no such version."""
        ...

    def approve(self, procedure: str, version: int, by: str, at: datetime) -> bool:
        """False: there is no such version, or it is approved already."""
        ...


class Stored(Struct, frozen=True):
    """Bytes that were put away."""

    sha256: str
    size_bytes: int


class Evidence(Protocol):
    """Files by their SHA-256; the same bytes are kept once."""

    def begin(self) -> "Upload": ...

    def path(self, sha256: str) -> Path | None:
        """Where the bytes lie; None: they are not there."""
        ...


class Upload(Protocol):
    """A file on its way."""

    @property
    def size_bytes(self) -> int: ...

    def write(self, part: bytes) -> None: ...

    def keep(self) -> Stored:
        """On disk for good when this returns."""
        ...

    def drop(self) -> None:
        """Leave nothing behind. Safe after `keep`."""
        ...


class KnownAlarm(Struct, frozen=True):
    """What an incident needs to know of an alarm."""

    subject: str
    title: str
    rule: str
    entity: str
    entity_types: tuple[str, ...]
    priority: int
    raised_at: datetime
    areas: tuple[str, ...] = ()
    """Ids and `level:code` of the areas that hold the entity."""
    point: tuple[float, float] | None = None
    """Longitude, latitude."""
    opened_at: datetime | None = None
    """When it was stored, by the clock."""
    title_en: str = ""
    """In English; empty: the same."""


class AlarmChange(Struct, frozen=True):
    """An alarm that changed."""

    revision: int
    alarm: KnownAlarm
    is_calling: bool
    """It is active, and not kept from the operators."""


class KnownAlarms(Protocol):
    """Any thread; blocking."""

    def find(self, subjects: Sequence[str]) -> Mapping[str, KnownAlarm]:
        """Those that there are."""
        ...


class AlarmNews(KnownAlarms, Protocol):
    """Any thread; blocking."""

    def revision(self) -> int:
        """Of the newest change."""
        ...

    def changed_after(self, revision: int, limit: int) -> Sequence[AlarmChange]:
        """In the order of their revisions."""
        ...

    def others_there(self, subject: str) -> Sequence[str]:
        """Subjects of the newest other alarms of the same entity."""
        ...

    def standing(self) -> Sequence[KnownAlarm]:
        """Alarms that are active and not kept from the operators, the most urgent first."""
        ...


class KnownWarnings(Protocol):
    """Any thread; blocking."""

    def about(self, subject: str) -> Sequence[WarningNote]:
        """Messages of the warnings that were begun from `incident:3`, the oldest first."""
        ...
