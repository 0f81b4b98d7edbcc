"""Limits of the HTTP door (section `intake_http` of dothi.toml)."""

import msgspec


class HttpIntakeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one message may be; beyond a limit it is refused with 413 and counted."""

    max_body_bytes: int = 32 * 1024 * 1024
    """Bytes of one message as sent (compressed, when it is)."""
    max_decoded_bytes: int = 128 * 1024 * 1024
    """Bytes of one Arrow message after Content-Encoding and Arrow buffer compression."""
    max_json_bytes: int = 48 * 1024 * 1024
    """Bytes of one JSON or NDJSON message after Content-Encoding."""
    max_rows: int = 500_000
    """Observations of one message."""
    max_in_flight_bytes: int = 256 * 1024 * 1024
    """Bytes of all messages being received at once; beyond it senders are told to retry."""
    rejects_shown: int = 100
    """Rejected rows that an answer describes one by one; the others are counted."""
