"""Settings of public warnings (section `warnings` of dothi.toml)."""

import msgspec

UNCONFIGURED_SENDER = "unconfigured@dothi.invalid"


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
    sms_parts: int = 1
    """Into how many parts a short message may fall."""
