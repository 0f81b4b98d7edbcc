"""The packets of MQTT 3.1.1 and 5 as values."""

from enum import IntEnum
from typing import NamedTuple

from dothi.intake.mqtt.codec.properties import Properties

NO_PROPERTIES: Properties = {}

V311 = 4
V5 = 5


class Type(IntEnum):
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Publish(NamedTuple):
    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    """0 for QoS 0."""
    is_retained: bool = False
    is_duplicate: bool = False
    properties: Properties = NO_PROPERTIES
    cut: int = 0
    """Size in bytes of a packet that was too large to keep; the payload is empty then."""


class Will(NamedTuple):
    topic: str
    payload: bytes
    qos: int
    is_retained: bool
    properties: Properties


class Connect(NamedTuple):
    version: int
    client_id: str
    is_clean: bool
    keep_alive_s: int
    user: str | None
    password: bytes | None
    will: Will | None
    properties: Properties


class Connack(NamedTuple):
    session_present: bool
    code: int
    """Return code of 3.1.1 or reason code of 5; 0: accepted."""
    properties: Properties


class Request(NamedTuple):
    """One topic filter of a SUBSCRIBE with its options."""

    filter: str
    qos: int
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


class Subscribe(NamedTuple):
    packet_id: int
    requests: tuple[Request, ...]
    properties: Properties


class Unsubscribe(NamedTuple):
    packet_id: int
    filters: tuple[str, ...]


class Ack(NamedTuple):
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""

    packet_id: int
    code: int
