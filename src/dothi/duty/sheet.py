"""The text of a handover sheet: what both sign."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from dothi.model.handover import Handover, OpenItem


def sheet_of(
    handover: Handover, began_at: datetime, items: Sequence[OpenItem], prepared_at: datetime
) -> str:
    """JSON in one fixed form, so that the same content always has the same digest."""
    content = {
        "handover": handover.id,
        "position": handover.position,
        "outgoing": handover.outgoing,
        "duty_began_at": began_at.isoformat(),
        "prepared_at": prepared_at.isoformat(),
        "notes": handover.notes,
        "items": [
            {
                "kind": item.kind,
                "subject": item.subject,
                "title": item.title,
                "state": item.state,
                "since_at": item.since_at.isoformat(),
                "detail": item.detail,
                "title_en": item.title_en,
                "detail_en": item.detail_en,
            }
            for item in items
        ],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(sheet: str) -> str:
    """SHA-256 of the UTF-8 bytes, hex."""
    return hashlib.sha256(sheet.encode()).hexdigest()
