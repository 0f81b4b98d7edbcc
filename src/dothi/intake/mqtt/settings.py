"""Settings of the MQTT door: section `[mqtt]` of dothi.toml."""

from typing import Literal

import msgspec


class FieldRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one key of a JSON payload becomes."""

    # name of the attribute
    attribute: str
    # unit when the payload gives none: UCUM or UN/CEFACT code
    unit: str = ""
    # multiplied with a number, e.g. 0.1 for tenths
    scale: float = 1.0


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which topics, how their payload reads, and what entity, attribute and source it means.

    `entity`, `type`, `attribute` and `source` are templates: `{name}` is a level of the topic,
    `{payload.a.b}` a value inside a JSON payload, `{name|default}` has a fallback; in SenML
    `{device}` and `{name}` are the two parts of the resolved record name.
    """

    # levels separated by `/`; `{name}` takes one level as a variable, `+` one level, `#` the rest
    topic: str
    # json: an object of attributes; plain: one number or text; senml: RFC 8428 in JSON
    format: Literal["json", "plain", "senml"] = "json"
    # entity id; one that is no URI becomes urn:ngsi-ld:<type>:<id>
    entity: str = "{entity}"
    # entity type, used when the entity is first seen
    type: str = "{payload.type|Device}"
    # attribute name; empty: the keys of the JSON object are the attributes
    attribute: str = ""
    # source id; only used where the connection does not prove one (external broker, anonymous)
    source: str = ""
    # path of the object that holds the values, e.g. "uplink_message.decoded_payload"
    root: str = ""
    # path of the time of the values (RFC 3339, or seconds/ms/us/ns since 1970 by magnitude)
    time: str = "observedAt"
    # zone of times without an offset, e.g. "Asia/Ho_Chi_Minh"; empty: such times are rejected
    zone: str = ""
    # unit of a plain value
    unit: str = ""
    # payload key -> attribute name, or {attribute, unit, scale}
    fields: dict[str, str | FieldRule] = {}
    # whether keys that `fields` does not name become attributes under their own name
    keep_other_fields: bool = True


DEFAULT_RULES = (
    Rule(topic="dothi/v1/{entity}"),
    Rule(topic="dothi/v1/{entity}/{attribute}", format="plain", attribute="{attribute}"),
    Rule(topic="dothi/senml/{entity}", format="senml", entity="{entity}", attribute="{name}"),
    Rule(topic="dothi/senml", format="senml", entity="{device}", attribute="{name}"),
)
"""Work without any configuration; described in docs/reference/mqtt.md."""


class EmbeddedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker inside dothi."""

    # address to listen on
    host: str = "127.0.0.1"
    # 0 takes any free port
    port: int = 1883
    # let clients in without user name and password, from this machine only
    allow_anonymous: bool = False
    # PEM files; both set: the port speaks TLS
    tls_certificate: str = ""
    tls_key: str = ""
    # topics that are passed on to subscribers only, never read as observations
    relay_only: tuple[str, ...] = ("relay/#",)
    # topic filters that clients may subscribe to (narrower ones included)
    readable: tuple[str, ...] = ("#",)
    # clients connected at the same time
    max_connections: int = 20_000
    # messages that wait for one subscriber; above it the oldest is dropped and counted
    max_queued_messages: int = 1_000
    # longest life of the session of a client that is away
    max_session_expiry_s: int = 86_400
    # retained messages kept, all topics together
    max_retained: int = 20_000
    # seconds a new connection has to send CONNECT
    connect_timeout_s: float = 10.0


class ExternalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broker that is already there, e.g. Mosquitto."""

    host: str = "127.0.0.1"
    port: int = 1883
    # "5" or "3.1.1"
    version: Literal["5", "3.1.1"] = "5"
    # names the session at the broker: two programs with the same id throw each other out
    client_id: str = "dothi"
    user: str = ""
    # file that holds the password alone
    password_file: str = ""
    tls: bool = False
    # PEM file of the authority to trust; empty: those of the system
    tls_ca: str = ""
    # client certificate and key, where the broker wants them
    tls_certificate: str = ""
    tls_key: str = ""
    keep_alive_s: int = 30
    # how long the broker keeps messages for dothi while it is away (MQTT 5)
    session_expiry_s: int = 7 * 86_400
    # messages the broker may send before the first is acknowledged (MQTT 5)
    receive_maximum: int = 20_000
    connect_timeout_s: float = 10.0
    # waiting time between attempts grows from the first to the second figure
    min_backoff_s: float = 0.5
    max_backoff_s: float = 30.0


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The MQTT door."""

    # embedded: a broker inside dothi; external: subscribe to another broker; off: no MQTT
    mode: Literal["embedded", "external", "off"] = "embedded"
    embedded: EmbeddedSettings = EmbeddedSettings()
    external: ExternalSettings = ExternalSettings()
    # tried in order, the first whose topic fits is taken
    rules: tuple[Rule, ...] = DEFAULT_RULES
    # source of messages that name none
    default_source: str = "mqtt"
    # a larger payload is rejected
    max_payload_bytes: int = 262_144
    # messages that arrive within this time share one transaction
    coalesce_s: float = 0.004
    # most messages of one transaction
    max_batch_messages: int = 5_000
    # transactions under way at the same time
    max_batches_in_flight: int = 4
    # received and not yet committed; above either figure nothing more is read from the sockets
    max_in_flight_messages: int = 40_000
    max_in_flight_bytes: int = 67_108_864
    # how long a stop waits for what was received
    stop_timeout_s: float = 10.0
