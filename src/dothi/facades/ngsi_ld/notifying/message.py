"""How a notification travels (clauses 6.3.8 and 7.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dothi.ports.notifier import Message


def carried(
    uri: str,
    headers: Mapping[str, str],
    body: dict[str, Any],
    options: Sequence[tuple[str, str]],
    timeout_s: float,
) -> Message:
    """HTTP has headers; MQTT takes the same as `metadata` beside the body (clause 7.2)."""
    sent = {"metadata": headers, "body": body} if uri.startswith("mqtt") else body
    return Message(uri, msgspec.json.encode(sent), tuple(headers.items()), options, timeout_s)
