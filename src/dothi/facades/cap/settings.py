"""Settings of public warnings (section `warnings` of dothi.toml)."""

from typing import Literal

import msgspec

UNCONFIGURED_SENDER = "unconfigured@dothi.invalid"


class CapReceiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody outside who is handed each released public message at once, as signed POST."""

    url: str
    """Where to send it: the body is the CAP XML. A private address must be in `[notices] allow`."""
    secret_file: str
    """File that holds the key of the signature (24 to 64 bytes, base64), or `env:NAME`."""
    statuses: tuple[Literal["Actual", "Exercise", "Test"], ...] = ("Actual",)
    """Which messages it gets."""
    timeout_s: float = 10.0
    """For one message."""


class WarningSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Public warnings in the Common Alerting Protocol 1.2."""

    sender: str = UNCONFIGURED_SENDER
    """Who the message says it is from (CAP `sender`), e.g. `pctt@example.gov.vn`. With the default
    nothing of status Actual can be released."""
    sender_name: str = ""
    """The authority as the public knows it (`senderName`)."""
    sender_name_en: str = ""
    """The same in English."""
    contact: str = ""
    """Where the public can ask (`contact`), where a message names nothing else."""
    web: str = ""
    """Page with more (`web`), where a message names nothing else."""
    identifier_prefix: str = "urn:uuid:"
    """Beginning of every identifier; a random UUID follows. With an OID of the WMO register:
    `urn:oid:2.49.0.1.704.<n>.`"""
    zone: str = "Asia/Ho_Chi_Minh"
    """Time zone (IANA name) whose offset the times of messages carry."""
    is_drill: bool = False
    """true: only messages of status Exercise can be made and released."""
    events_file: str = ""
    """TOML file with the events; empty: the list that comes with dothi."""
    risk_levels_file: str = ""
    """TOML file with levels of risk and their colours; empty: Decision 18/2021/QĐ-TTg as it comes
    with dothi."""
    area_geocode: str = "vn:maDonViHanhChinh"
    """CAP valueName of the code of an administrative unit."""
    polygon_points: int = 200
    """Most points of one polygon: borders of areas are simplified until they have no more."""
    longest_h: float = 168.0
    """A warning may hold for so many hours at most."""
    feed_keep_h: float = 24.0
    """How long a warning that is over stays in the feed."""
    file_mb: int = 5
    """Files that go with a warning may be so large (status 413 else)."""
    receivers: dict[str, CapReceiver] = {}
    """By a name of your choice, e.g. `[warnings.receivers.province]`. How long and how often a
    message is tried say `retry_s`, `max_retry_s` and `keep_s` of `[notices]`."""
    sms_parts: int = 1
    """Into how many parts a short message may fall."""
