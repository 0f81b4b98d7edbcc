"""How entities, values and sources look to a screen: the shapes of docs/reference/http-api.md."""

from typing import Annotated

from msgspec import Meta, Struct

from dothi.live.alarm_view import AlarmView

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, UTC."""


class Value(Struct, gc=False):
    """The current value of one attribute instance."""

    attribute: str
    dataset: str
    kind: int
    number: float | None
    text: str | None
    body: str | None
    unit: str | None
    observed_at: Time | None
    modified_at: Time | None
    quality: int | None
    source: str | None
    stale_after_s: float | None


class EntityView(Struct):
    """An entity with its current values."""

    id: str
    name: str
    types: list[str]
    scope: list[str]
    lon: float | None
    lat: float | None
    origin: str
    origin_note: str
    origin_note_vi: str
    values: list[Value]


class SourceView(Struct):
    """A source and how it is doing."""

    id: str
    name: str
    kind: str
    owner: str
    origin: str
    origin_note: str
    origin_note_vi: str
    cadence_s: float | None
    licence: str
    is_enabled: bool
    may_write_others: bool
    state: str
    received: int
    stored: int
    rejected: int
    duplicate: int
    per_minute: float
    delay_ms: float | None
    last_received_at: Time | None
    last_observed_at: Time | None


class Snapshot(Struct, tag_field="kind", tag="snapshot"):
    """Everything; what a viewer had before is void."""

    n: int
    epoch: str
    at: Time
    entities: list[EntityView]
    sources: list[SourceView]
    alarms: list[AlarmView] = []
    """Open ones; of very many the most urgent."""


class Delta(Struct, tag_field="kind", tag="delta"):
    """What changed between `after` and `n`."""

    n: int
    after: int
    at: Time
    values: list[tuple[str, Value]]
    entities: list[EntityView]
    gone: list[str]
    sources: list[SourceView]
    alarms: list[AlarmView] = []
    """Open ones that are new or have changed."""
    alarms_closed: list[int] = []
    """Ids of those that are shown no longer."""


class Beat(Struct, tag_field="kind", tag="beat"):
    """Nothing changed; the connection lives."""

    n: int
    at: Time
