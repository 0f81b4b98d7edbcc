"""What a connector is: a plan of requests, and a pure function from an answer to rows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa
from msgspec import Struct, field

from dothi.intake.pull.settings import ConnectorSettings
from dothi.model.batch import Rejection
from dothi.model.row import EMPTY_ROWS
from dothi.model.source import Source


class Span(Struct, frozen=True):
    """The stretch of time that a run is to cover."""

    start_at: datetime
    end_at: datetime
    is_first: bool = False
    """The first run since the program started: descriptions of stations are fetched too."""


class Request(Struct, frozen=True):
    """One GET."""

    url: str
    params: tuple[tuple[str, str], ...] = ()
    about: tuple[str, ...] = ()
    """What decode needs to know of what was asked."""
    is_conditional: bool = False
    """Ask only for what changed since the last good run (ETag, Last-Modified)."""
    is_optional: bool = False
    """When it fails it counts as rejected, and the run goes on."""


class Page(Struct, frozen=True):
    """What an answer came to."""

    rows: pa.Table = field(default_factory=lambda: EMPTY_ROWS)
    rejected: tuple[Rejection, ...] = ()
    following: tuple[Request, ...] = ()
    """Requests that follow from this answer: the next page, the sensors of a station."""
    description: pa.Table = field(default_factory=lambda: EMPTY_ROWS)
    """Names and places; stored again only when they change."""
    after_stored: Callable[[], None] | None = None
    """Called in a thread when all of it is stored: what the connector must remember."""


class Malformed(Exception):
    """An answer that is not what the service documents."""


class Connector(Protocol):
    """Everything that differs between services. Nothing here does I/O."""

    @property
    def settings(self) -> ConnectorSettings: ...

    @property
    def source(self) -> Source: ...

    @property
    def key_file(self) -> str:
        """File of the API key; empty: none."""
        ...

    def headers(self, key: str) -> dict[str, str]:
        """Headers of every request."""
        ...

    def plan(self, span: Span) -> Sequence[Request]: ...

    def decode(self, request: Request, payload: bytes, span: Span) -> Page:
        """Raises Malformed."""
        ...
