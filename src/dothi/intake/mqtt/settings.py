"""Settings of the MQTT door: section `[mqtt]` of dothi.toml."""

from typing import Literal

import msgspec


class FieldRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one key of a JSON payload becomes."""

    attribute: str
    """Name of the attribute."""
    unit: str = ""
    """Unit when the payload gives none: UCUM or UN/CEFACT code."""
    scale: float = 1.0
    """Multiplied with a number, e.g. 0.1 for tenths."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which topics, how their payload reads, and what entity, attribute and source it means.

    `entity`, `type`, `attribute` and `source` are templates: `{name}` is a level of the topic,
    `{payload.a.b}` a value inside a JSON payload, `{name|default}` has a fallback; in SenML
    `{device}` and `{name}` are the two parts of the resolved record name.
    """

    topic: str
    """Levels: text, `{name}` (takes one as a variable), `+` (any one), `#` (all the rest)."""
    format: Literal["json", "plain", "senml"] = "json"
    """`json`: an object of attributes; `plain`: one number or text; `senml`: RFC 8428 in JSON."""
    entity: str = "{entity}"
    """Entity id; one that is no URI becomes urn:ngsi-ld:<type>:<id>."""
    type: str = "{payload.type|Device}"
    """Entity type, used when the entity is first seen."""
    attribute: str = ""
    """Attribute name; empty: the keys of the JSON object are the attributes."""
    source: str = ""
    """Source id; only used where the connection does not prove one (external broker, anonymous)."""
    root: str = ""
    """Path of the object that holds the values, e.g. "uplink_message.decoded_payload"."""
    time: str = "observedAt"
    """Path of the time of the values (RFC 3339, or seconds/ms/us/ns since 1970 by magnitude)."""
    zone: str = ""
    """Zone of times without an offset, e.g. "Asia/Ho_Chi_Minh"; empty: such times are rejected."""
    unit: str = ""
    """Unit of a plain value."""
    fields: dict[str, str | FieldRule] = {}
    """Payload key -> attribute name, or {attribute, unit, scale}."""
    keep_other_fields: bool = True
    """Whether keys that `fields` does not name become attributes under their own name."""


DEFAULT_RULES = (
    Rule(topic="dothi/v1/{entity}"),
    Rule(topic="dothi/v1/{entity}/{attribute}", format="plain", attribute="{attribute}"),
    Rule(topic="dothi/senml/{entity}", format="senml", entity="{entity}", attribute="{name}"),
    Rule(topic="dothi/senml", format="senml", entity="{device}", attribute="{name}"),
)
"""Work without any configuration; described in docs/reference/mqtt.md."""


class EmbeddedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker inside dothi."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 1883
    """0 takes any free port."""
    allow_anonymous: bool = False
    """Let clients in without user name and password, from this machine only."""
    tls_certificate: str = ""
    """PEM file with the certificate chain; set: the port speaks TLS only."""
    tls_key: str = ""
    """PEM file with its private key, when it is not in the same file."""
    relay_only: tuple[str, ...] = ("relay/#",)
    """Topics that are passed on to subscribers only, never read as observations."""
    readable: tuple[str, ...] = ("relay/#",)
    """Topic filters that clients may subscribe to (narrower ones included). A device token does not
    give the right to read what other sources send; `#` gives it to every client."""
    max_connections: int = 20_000
    """Clients connected at the same time."""
    max_queued_messages: int = 1_000
    """Messages that wait for one subscriber; above it the oldest is dropped and counted."""
    max_session_expiry_s: int = 86_400
    """Longest life of the session of a client that is away."""
    max_retained: int = 20_000
    """Retained messages kept, all topics together."""
    connect_timeout_s: float = 10.0
    """Seconds a new connection has to send CONNECT."""
    token_check_s: float = 60.0
    """How often open connections are checked for revoked tokens."""


class ExternalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broker that is already there, e.g. Mosquitto."""

    host: str = "127.0.0.1"
    """Name or address of the broker."""
    port: int = 1883
    """1883 as a rule, 8883 with TLS."""
    version: Literal["5", "3.1.1"] = "5"
    """Of the protocol; 3.1.1 for old brokers."""
    client_id: str = "dothi"
    """Names the session at the broker: two programs with the same id throw each other out."""
    user: str = ""
    """Empty: no user name is sent."""
    password_file: str = ""
    """File that holds the password alone."""
    tls: bool = False
    """Encrypt, and check the certificate of the broker."""
    tls_ca: str = ""
    """PEM file of the authority to trust; empty: those of the system."""
    tls_certificate: str = ""
    """PEM file with the certificate of dothi, where the broker wants one."""
    tls_key: str = ""
    """PEM file with the key of that certificate."""
    keep_alive_s: int = 30
    """A silent connection is tested after this time."""
    session_expiry_s: int = 7 * 86_400
    """How long the broker keeps messages for dothi while it is away (MQTT 5)."""
    receive_maximum: int = 20_000
    """Messages the broker may send before the first is acknowledged (MQTT 5)."""
    connect_timeout_s: float = 10.0
    """How long connecting and subscribing may take."""
    min_backoff_s: float = 0.5
    """Waiting time between attempts grows from the first to the second figure."""
    max_backoff_s: float = 30.0
    """See `min_backoff_s`."""


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The MQTT door."""

    mode: Literal["embedded", "external", "off"] = "embedded"
    """`embedded`: a broker inside dothi; `external`: subscribe to another one; `off`: no MQTT."""
    embedded: EmbeddedSettings = EmbeddedSettings()
    """The broker inside dothi."""
    external: ExternalSettings = ExternalSettings()
    """The broker to subscribe to."""
    rules: tuple[Rule, ...] = ()
    """Tried in order, before the default rules; the first whose topic fits is taken."""
    default_rules: bool = True
    """Whether the rules for `dothi/...` topics hold after the own ones."""
    default_source: str = "mqtt"
    """Source of messages that name none."""
    max_payload_bytes: int = 262_144
    """A larger payload is rejected."""
    coalesce_s: float = 0.004
    """Messages that arrive within this time share one transaction."""
    max_batch_messages: int = 2_000
    """Most messages of one transaction."""
    max_batches_in_flight: int = 4
    """Transactions under way at the same time."""
    max_in_flight_messages: int = 40_000
    """Received and not yet committed; above either figure nothing more is read from the sockets."""
    max_in_flight_bytes: int = 67_108_864
    """See `max_in_flight_messages`."""
    stop_timeout_s: float = 10.0
    """How long a stop waits for what was received."""
