"""A message of the Common Alerting Protocol 1.2 (OASIS, 1 July 2010), element by element.

Names follow the standard where they say what they mean; its clause is given where a value has a
form of its own. Times are aware and keep the offset with which they were written.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class CapStatus(StrEnum):
    """alert.status (3.2.1)."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MsgType(StrEnum):
    """alert.msgType (3.2.1)."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    """alert.scope (3.2.1)."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Category(StrEnum):
    """info.category (3.2.2)."""

    GEO = "Geo"
    MET = "Met"
    SAFETY = "Safety"
    SECURITY = "Security"
    RESCUE = "Rescue"
    FIRE = "Fire"
    HEALTH = "Health"
    ENV = "Env"
    TRANSPORT = "Transport"
    INFRA = "Infra"
    CBRNE = "CBRNE"
    OTHER = "Other"


class ResponseType(StrEnum):
    """info.responseType (3.2.2)."""

    SHELTER = "Shelter"
    EVACUATE = "Evacuate"
    PREPARE = "Prepare"
    EXECUTE = "Execute"
    AVOID = "Avoid"
    MONITOR = "Monitor"
    ASSESS = "Assess"
    ALL_CLEAR = "AllClear"
    NONE = "None"


class Urgency(StrEnum):
    """info.urgency (3.2.2): how soon to act."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Severity(StrEnum):
    """info.severity (3.2.2)."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    """info.certainty (3.2.2)."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


LatLon = tuple[float, float]
"""Degrees, WGS 84; latitude first, as CAP has it."""


class Named(Struct, frozen=True):
    """valueName and value of an eventCode, parameter or geocode."""

    name: str
    value: str


class Reference(Struct, frozen=True):
    """An earlier message (3.2.1, references): `sender,identifier,sent`."""

    sender: str
    identifier: str
    sent_at: datetime


class Circle(Struct, frozen=True):
    """area.circle (3.2.4)."""

    centre: LatLon
    radius_km: float


class CapArea(Struct, frozen=True):
    """info.area (3.2.4)."""

    description: str
    polygons: tuple[tuple[LatLon, ...], ...] = ()
    """Each closed: the last point is the first one."""
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Named, ...] = ()
    altitude_ft: float | None = None
    """Feet above mean sea level; with a ceiling the lower bound."""
    ceiling_ft: float | None = None


class Resource(Struct, frozen=True):
    """info.resource (3.2.3): a file that goes with the message."""

    description: str
    mime_type: str
    size_bytes: int | None = None
    uri: str = ""
    deref_uri: str = ""
    """Base64 of the content."""
    digest: str = ""
    """SHA-1 of the content, hex."""


class Info(Struct, frozen=True):
    """alert.info (3.2.2): one per language, or per part of the event."""

    event: str
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    categories: tuple[Category, ...]
    language: str = ""
    """RFC 3066; empty: en-US."""
    response_types: tuple[ResponseType, ...] = ()
    audience: str = ""
    event_codes: tuple[Named, ...] = ()
    effective_at: datetime | None = None
    onset_at: datetime | None = None
    expires_at: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[Named, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[CapArea, ...] = ()


class Alert(Struct, frozen=True):
    """alert (3.2.1): one message."""

    identifier: str
    sender: str
    sent_at: datetime
    status: CapStatus
    msg_type: MsgType
    scope: Scope
    source: str = ""
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()

    @property
    def reference(self) -> Reference:
        """How later messages refer to this one."""
        return Reference(self.sender, self.identifier, self.sent_at)

    @property
    def expires_at(self) -> datetime | None:
        """When its last part expires; None: it does not say."""
        times = [info.expires_at for info in self.infos if info.expires_at is not None]
        return max(times) if len(times) == len(self.infos) and times else None


class CapUnreadable(Exception):
    """A document that is no CAP message; says where and why."""

    def __init__(self, where: str, detail: str) -> None:
        super().__init__(f"{where}: {detail}" if where else detail)
        self.where = where


class Received(Struct, frozen=True):
    """A message as it was read, and its text in the form in which it is kept."""

    alert: Alert
    document: str


class FeedLink(Struct, frozen=True):
    """Where a feed says that a message is."""

    url: str
    updated: str = ""
    """As the feed has it; only compared for equality and order."""


class CapDocument(Struct, frozen=True):
    """What a document of any kind (CAP, Atom, RSS, an envelope) came to."""

    messages: tuple[Received, ...] = ()
    links: tuple[FeedLink, ...] = ()
