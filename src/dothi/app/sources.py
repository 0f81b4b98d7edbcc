"""Makes a Source from what a person typed."""

import re
from collections.abc import Mapping

from dothi.model.problem import Problem
from dothi.model.source import Source

_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")


def make_source(source_id: str, details: Mapping[str, str | float | None]) -> Source:
    """Raises Problem: an id that cannot be an MQTT user name."""
    if not _ID.fullmatch(source_id):
        raise Problem(
            "bad_source_id",
            "This cannot be the id of a source",
            repr(source_id),
            remedy="use letters, digits, `-`, `_` and `.`, at most 200",
        )
    given = {key: value for key, value in details.items() if value is not None}
    return Source(**{"id": source_id, "name": source_id, **given})  # type: ignore[arg-type]
