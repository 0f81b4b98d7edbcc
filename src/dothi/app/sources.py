"""Makes a Source from what a person typed."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from dothi.model.problem import Problem
from dothi.model.source import Source

_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")


Details = Mapping[str, str | float | bool | None]
"""Fields of Source as typed; None: not given."""


def make_source(source_id: str, details: Details) -> Source:
    """Raises Problem: an id that cannot be an MQTT user name."""
    if not _ID.fullmatch(source_id):
        raise Problem(
            "bad_source_id",
            "This cannot be the id of a source",
            repr(source_id),
            remedy="use letters, digits, `-`, `_` and `.`, at most 200",
        )
    return change_source(Source(source_id, source_id, ""), details)


def change_source(source: Source, details: Details) -> Source:
    """The source with the details that are given."""
    given = {key: value for key, value in details.items() if value is not None}
    return replace(source, **given)
