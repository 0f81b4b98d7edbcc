"""An alarm: something that needs a person's response (ISA-18.2 / IEC 62682, OPC UA Part 9)."""

from datetime import datetime
from enum import IntFlag, StrEnum

from msgspec import Struct

from dothi.model.priority import Priority


class AlarmState(StrEnum):
    """Where an occurrence stands (ISA-18.2-2016, figure "alarm state transition")."""

    NORMAL = "normal"
    """Closed: the condition is gone and somebody knew of it. Never left again."""
    ACTIVE_UNACKNOWLEDGED = "active_unacknowledged"
    ACTIVE_ACKNOWLEDGED = "active_acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    """The condition is gone before anybody acknowledged it."""
    LATCHED = "latched"
    """Gone and acknowledged, but its rule wants it reset by a person."""


UNACKNOWLEDGED = frozenset({AlarmState.ACTIVE_UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED})
OPEN = tuple(state for state in AlarmState if state is not AlarmState.NORMAL)
ACTIVE = frozenset({AlarmState.ACTIVE_UNACKNOWLEDGED, AlarmState.ACTIVE_ACKNOWLEDGED})


class Suppressed(IntFlag):
    """Why an alarm is kept from the operators although it lives on; several at once."""

    NO = 0
    SHELVED = 1
    """By an operator, for a while."""
    BY_DESIGN = 2
    """Parent alarm, maintenance window or flood mode."""
    OUT_OF_SERVICE = 4
    """With a permit."""


class SuppressionCause(StrEnum):
    """What a suppression comes from; each belongs to one of the three kinds."""

    OPERATOR = "operator"
    PARENT = "parent"
    MAINTENANCE = "maintenance"
    FLOOD = "flood"
    PERMIT = "permit"

    @property
    def kind(self) -> Suppressed:
        if self is SuppressionCause.OPERATOR:
            return Suppressed.SHELVED
        if self is SuppressionCause.PERMIT:
            return Suppressed.OUT_OF_SERVICE
        return Suppressed.BY_DESIGN


class Place(Struct, frozen=True):
    """What is known of the entity when its alarm is raised."""

    entity: str
    type: str = ""
    name: str = ""
    lon: float | None = None
    lat: float | None = None
    areas: tuple[str, ...] = ()
    """Ids of the areas that hold it on that day, smallest first."""


class RuleFacts(Struct, frozen=True):
    """What an operator must know of a rule; the rest of it concerns only the rules."""

    title: str = ""
    """Vietnamese, as the other texts without `_en`."""
    title_en: str = ""
    domain: str = ""
    """water, air, ...; may be empty."""
    consequence: str = ""
    consequence_en: str = ""
    response: str = ""
    """What the operator is to do."""
    response_en: str = ""
    respond_within_s: float | None = None
    """In which time the response must have happened; unacknowledged for so long, or for as long as
    its priority allows, the alarm is escalated."""
    is_latching: bool = False
    position: str = ""
    """Operator position that answers for it; empty: the usual one."""


def condition_of(rule: str, entity: str) -> str:
    """Id of the condition of a rule at an entity, as Transition.condition tells it."""
    return f"{rule}@{entity}"


class Alarm(Struct, frozen=True):
    """One occurrence of a condition, as it stands."""

    id: int
    condition: str
    """The same for every occurrence of this rule at this entity."""
    rule: str
    version: int
    place: Place
    state: AlarmState
    priority: Priority
    title: str
    title_en: str
    text: str
    """Value against limit, of the latest activation, in Vietnamese."""
    raised_at: datetime
    """When it became active for the first time, by the observations."""
    opened_at: datetime
    """When that was stored, by the clock."""
    active_at: datetime
    """Latest activation."""
    seq: int
    """Row of the log that decided the latest activation."""
    text_en: str = ""
    """`text` in English."""
    domain: str = ""
    position: str = ""
    returned_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    closed_at: datetime | None = None
    activations: int = 1
    """How often it became active; who acknowledges says which of them was seen."""
    is_latching: bool = False
    suppressed: Suppressed = Suppressed.NO
    owner: str = ""
    escalate_at: datetime | None = None
    escalations: int = 0
    recent_at: tuple[datetime, ...] = ()
    """The latest transitions of the condition, also of earlier occurrences."""
    is_chattering: bool = False
    revision: int = 0
    """Number of the newest entry of its record: rises with every change of any alarm."""

    @property
    def is_open(self) -> bool:
        return self.state is not AlarmState.NORMAL

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def needs_acknowledgement(self) -> bool:
        return self.state in UNACKNOWLEDGED


class Entry(StrEnum):
    """Kinds of entries in the record of an alarm."""

    RAISED = "raised"
    ACTIVATED = "activated"
    """Active again before it was closed."""
    CHANGED = "changed"
    """Of another priority or text while active."""
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"
    COMMENTED = "commented"
    ASSIGNED = "assigned"
    ESCALATED = "escalated"
    CHATTERING = "chattering"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    OUT_OF_SERVICE = "out_of_service"
    IN_SERVICE = "in_service"


class AlarmEntry(Struct, frozen=True):
    """One line of the append-only record: every change with who, when and why."""

    alarm: int
    kind: Entry
    at: datetime
    """When it happened: of the observation, or of the clock."""
    stored_at: datetime
    state: AlarmState
    """After it."""
    by: str = ""
    """Person; empty: dothi itself."""
    reason: str = ""
    detail: str = ""
    """Value against limit; of a chattering alarm the proposal; of a suppression its number."""
    explanation: str = ""
    """JSON of the rules, of activations."""
    is_announced: bool = False
    """An activation that an operator was to notice: it was not suppressed."""
    detail_en: str = ""
    """`detail` in English, where it is a text."""
    number: int = 0


class Suppression(Struct, frozen=True):
    """Alarms that are kept from the operators. Every given condition must hold."""

    cause: SuppressionCause
    by: str
    reason: str
    from_at: datetime
    until_at: datetime | None = None
    """None: until it is ended (never with shelving)."""
    rule: str = ""
    entity: str = ""
    area: str = ""
    parent: str = ""
    """Id of the rule whose active alarm at the same entity suppresses."""
    least_urgent: Priority | None = None
    """Only alarms of this priority and less urgent ones (flood mode)."""
    permit: str = ""
    id: int = 0
    has_begun: bool = False
    """Whether the alarms that stood when it began were told of it."""
    ended_at: datetime | None = None
    ended_by: str = ""
    """Person; empty while it lasts, and when its time was over."""


class AlarmCounts(Struct, frozen=True):
    """How many open alarms there are."""

    unacknowledged: int = 0
    by_priority: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Not suppressed ones, the most urgent first."""
    shelved: int = 0
    by_design: int = 0
    out_of_service: int = 0
    stale: int = 0
    """Not suppressed and active for longer than the limit."""
