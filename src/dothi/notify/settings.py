"""Settings `[notices]`: how people are told of things."""

from typing import Literal

import msgspec


class EmailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Channel `email`: the mail server that takes the messages (SMTP, RFC 5321)."""

    host: str = ""
    """Name of the server; empty: the channel is off."""
    port: int = 587
    """587 with STARTTLS as a rule, 465 with TLS from the start."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` only for a server on this machine: user and password are refused with it."""
    tls_ca: str = ""
    """PEM file of the authority to trust; empty: those of the system."""
    user: str = ""
    """Empty: no sign-in."""
    password_file: str = ""
    """File that holds the password alone, or `env:NAME`."""
    sender: str = ""
    """Address that the messages come from, e.g. `truc@example.vn`."""
    sender_name: str = "dothi"
    """Shown before the address."""
    connections: int = 4
    """Messages on their way at the same time."""
    timeout_s: float = 20.0
    """For one message."""


class SmppSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Channel `sms` over SMPP 3.4, straight to a message centre."""

    host: str = ""
    """Name of the message centre; empty: the channel is off."""
    port: int = 2775
    """TCP port; often 3550 with TLS."""
    tls: bool = False
    """Encrypt, and check the certificate of the centre."""
    tls_ca: str = ""
    """PEM file of the authority to trust; empty: those of the system."""
    system_id: str = ""
    """The name that the operator gave you."""
    password_file: str = ""
    """File that holds the password alone, or `env:NAME`; SMPP takes up to 8 characters."""
    system_type: str = ""
    """As the operator says; mostly empty."""
    source: str = ""
    """Brand name or number that the messages come from."""
    source_ton: int = 5
    """Type of number of `source`: 5 alphanumeric, 1 international, 3 network specific."""
    source_npi: int = 0
    """Numbering plan of `source`: 0 with an alphanumeric one, else 1."""
    window: int = 10
    """Messages that may wait for their answer at the same time."""
    per_second: float = 10.0
    """Messages a second at most, as the contract allows."""
    enquire_link_s: float = 30.0
    """A silent connection is tested after this time."""
    timeout_s: float = 10.0
    """For one answer."""


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel of its own over an HTTP interface: SMS gateways, Zalo and the like."""

    url: str
    """Where to send it. In `url`, `body` and `headers` stand `{address}`, `{title}`, `{text}`,
    `{short}`, `{key}`, `{person}`, `{notice}`; `{secret}` only in `headers` and `body`."""
    method: Literal["POST", "PUT", "GET"] = "POST"
    """HTTP method."""
    body: str = ""
    """Template. Values are escaped as `content_type` wants it: JSON, form, or XML."""
    content_type: str = "application/json"
    """Of the body: `application/json`, `application/x-www-form-urlencoded`, `text/xml` or
    `text/plain`."""
    headers: dict[str, str] = {}
    """More headers, e.g. `Authorization = "Bearer {secret}"`."""
    secret_file: str = ""
    """File that holds the key alone, or `env:NAME`."""
    contact: str = ""
    """Which contact of a person it takes; empty: the one named as the channel is."""
    success: str = ""
    """Regular expression that the answer must match, for services that answer 200 to everything.
    """
    retry: str = ""
    """Regular expression: an answer that matches may pass later."""
    reference: str = ""
    """Regular expression whose first group is the service's id of the message."""
    receipt: str = ""
    """Regular expression over what the service posts to `/api/v1/notices/receipts/<channel>` when
    it knows more: the group `id` is its id of the message (see `reference`), the group `state` what
    became of it. It may match several times. Empty: such calls are not taken."""
    receipt_delivered: str = ""
    """Regular expression that the whole `state` of a delivered message matches."""
    receipt_failed: str = ""
    """The same of a message that will not arrive. Other states are taken and change nothing."""
    receipt_secret_file: str = ""
    """File that holds the secret of those calls alone, or `env:NAME`; needed with `receipt`. The
    service sends it in the header `X-Receipt-Secret`."""
    receipts_per_second: float = 50.0
    """Calls a second at most; more are answered with status 429."""
    per_second: float = 10.0
    """Messages a second at most."""
    timeout_s: float = 10.0
    """For one message."""


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Channel `webhook`: signed POST to the URL among the contacts of a person."""

    secret_file: str = ""
    """File that holds the key of the signature (24 to 64 bytes, base64), or `env:NAME`; empty: the
    channel is off."""
    timeout_s: float = 10.0
    """For one message."""


class WebPushSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Channel `web_push`: to browsers that people have registered in the console (RFC 8030)."""

    subject: str = ""
    """`mailto:` or `https:` address under which a push service reaches you (RFC 8292); empty: the
    channel is off. Its key is made at the first start, in `secrets/vapid.pem`."""
    lifetime_s: int = 86_400
    """How long the push service keeps a message for a browser that is away."""
    timeout_s: float = 10.0
    """For one message."""


class MqttChannelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Channel `mqtt`: to the topic among the contacts of a person."""

    url: str = ""
    """`mqtt://host:1883` or `mqtts://host:8883`, without user and password; empty: off."""
    user: str = ""
    """Empty: no user name is sent."""
    password_file: str = ""
    """File that holds the password alone, or `env:NAME`."""
    version: Literal["5", "3.1.1"] = "5"
    """Of the protocol."""
    timeout_s: float = 10.0
    """For one message."""


class NoticeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Notices to people: when, to whom, how. Channels without settings are off."""

    capture: bool = False
    """Send nothing to anybody: keep what would have been sent, for drills and for trying out."""
    escalation: tuple[str, ...] = ("operator", "duty_officer", "leader")
    """Positions: when nobody answers in time, the next one is told."""
    channels: tuple[str, ...] = ()
    """Order in which the channels are tried for people who chose none; empty: web_push, the
    gateways by name, sms, email, webhook, mqtt."""
    fallback_s: float = 120.0
    """The next channel is tried when none before it has accepted the message by then."""
    storm_alarms: int = 20
    """More new alarms of medium and low priority than this within `storm_within_s` are told in one
    summary; urgent ones always one by one. 0: no summaries."""
    storm_within_s: float = 60.0
    """Within this time."""
    storm_every_s: float = 300.0
    """While so many go on coming, a summary is told so often."""
    again_s: float = 60.0
    """A notice for which nobody was on duty is looked at again after this time."""
    zone: str = "Asia/Ho_Chi_Minh"
    """Time zone of quiet hours and of times in messages (IANA name)."""
    sms_diacritics: bool = False
    """Vietnamese SMS with diacritics: 70 characters in each instead of 160."""
    sms_parts: int = 1
    """A longer text is cut so that it fits into so many SMS."""
    templates_dir: str = ""
    """Folder with `vi.toml` and `en.toml` whose kinds replace those that come with dothi."""
    allow: tuple[str, ...] = ()
    """Addresses or networks (CIDR) that messages may go to although they are loopback, link-local
    or private: a mail server in the house. With `[access] mode = "open"` loopback is open."""
    retry_s: float = 2.0
    """Pause before the second attempt; it doubles with each further one."""
    max_retry_s: float = 300.0
    """Longest pause between attempts."""
    keep_s: float = 86_400.0
    """How long an undelivered message is tried."""
    connections: int = 8
    """Messages to one endpoint at the same time."""
    poll_s: float = 0.5
    """How often new notices are looked for."""
    history_days: float = 400.0
    """How long notices and their receipts are kept."""
    email: EmailSettings = EmailSettings()
    smpp: SmppSettings = SmppSettings()
    gateways: dict[str, GatewaySettings] = {}
    """By the name of the channel, e.g. `[notices.gateways.zalo]`."""
    webhook: WebhookSettings = WebhookSettings()
    web_push: WebPushSettings = WebPushSettings()
    mqtt: MqttChannelSettings = MqttChannelSettings()
