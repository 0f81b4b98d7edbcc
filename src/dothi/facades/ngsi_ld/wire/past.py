"""Rows of the history as instances of attributes, with ids by which they can be addressed.

An id names lane and number of the row, and the time under which it stands, so that it is found
without looking through the whole series. An instance that was modified keeps its id and the time
of its creation in its body.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.facades.ngsi_ld.wire.times import format_date_time, is_over, parse_date_time
from dothi.model.quality import Quality
from dothi.model.row import Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX = "urn:ngsi-ld:Instance:"
_ID = re.compile(_PREFIX + r"(\d{1,9})-(\d{1,18})-(-?[0-9a-f]{1,14})")
ORIGIN_MEMBERS = ("instanceId", "createdAt")
"""Members of a body that say what a modified instance was before. (No sub-attribute can have
these names: the broker makes them.)"""


class _Origin(msgspec.Struct, rename="camel"):
    instance_id: str
    created_at: str


class _Transient(msgspec.Struct, rename="camel"):
    expires_at: str


class PastInstance(Struct, frozen=True):
    """One instance of an attribute in the past, or the deletion of the attribute."""

    entity: str
    name: str
    number: float | None
    text: str | None
    body: str | None
    unit: str | None
    kind: Kind
    dataset: str
    observed_at: datetime | None
    committed_at: datetime
    created_at: datetime
    instance_id: str
    seq: int
    is_deletion: bool


def without_expired(rows: pa.Table) -> pa.Table:
    """Rows without those whose `expiresAt` has come (clause 4.22): they are told no more."""
    bodies = rows["body"]
    if bodies.null_count == len(bodies):
        return rows
    may_end = pc.fill_null(pc.match_substring(bodies, '"expiresAt":'), fill_value=False)
    if not pc.any(may_end).as_py():
        return rows
    pairs = zip(may_end.to_pylist(), bodies.to_pylist(), strict=True)
    return rows.filter(pa.array([not (may and _has_ended(body)) for may, body in pairs]))


def _has_ended(body: str) -> bool:
    try:
        return is_over(msgspec.json.decode(body, type=_Transient).expires_at)
    except msgspec.ValidationError:
        return False  # somewhere deeper in a value


def past_instances(rows: pa.Table) -> Iterator[PastInstance]:
    """The instances of RAW_ANSWER rows; those that the store knows as missing are left out."""
    for row in rows.to_pylist():
        has_value = not (row["number"] is None and row["text"] is None and row["body"] is None)
        if has_value or row["quality"] != Quality.MISSING:
            yield _instance(row, is_deletion=not has_value)


def _instance(row: dict[str, Any], *, is_deletion: bool) -> PastInstance:
    committed_at, body = row["committed_at"], row["body"]
    moment = (row["observed_at"] or committed_at) - _EPOCH
    instance_id = f"{_PREFIX}{row['lane']}-{row['seq']}-{moment // timedelta(microseconds=1):x}"
    created_at = committed_at
    if body is not None and '"instanceId":' in body and body.startswith("{"):
        origin = _origin(body)
        if origin is not None:
            instance_id, created_at = origin.instance_id, parse_date_time(origin.created_at)
    return PastInstance(
        row["entity"],
        row["attribute"],
        row["number"],
        row["text"],
        body,
        row["unit"] or None,
        Kind(row["kind"]),
        row["dataset"],
        row["observed_at"],
        committed_at,
        created_at,
        instance_id,
        row["seq"],
        is_deletion,
    )


def _origin(body: str) -> _Origin | None:
    try:
        return msgspec.json.decode(body, type=_Origin)
    except msgspec.ValidationError:
        return None  # somewhere deeper in a value


def origin_members(instance: PastInstance) -> dict[str, str]:
    """What the body of a row that takes the place of the instance carries."""
    return {
        "instanceId": instance.instance_id,
        "createdAt": format_date_time(instance.created_at),
    }


def read_instance_id(text: str) -> tuple[int, datetime] | None:
    """Number of the row and the time under which it stands; None for ids made elsewhere."""
    found = _ID.fullmatch(text)
    if found is None:
        return None
    try:
        return int(found[2]), _EPOCH + timedelta(microseconds=int(found[3], 16))
    except OverflowError:
        return None
