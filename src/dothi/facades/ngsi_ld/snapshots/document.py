"""The data type Snapshot on the wire (clause 5.2.41)."""

import re
from collections.abc import Iterable
from typing import Any

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.durations import read_lifetime_s
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.names import check_address, check_uri
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.ports.hubs import SnapshotRecord

QUERIES, TEMPORAL_QUERIES = "snapshotQueries", "snapshotTemporalQueries"
QUERY_DETAILS, TEMPORAL_DETAILS = "snapshotQueriesDetails", "snapshotTemporalQueriesDetails"
DEFAULT_PRIORITY = 5
_OF_THE_CONNECTION = frozenset({"host", "content-length", "connection", "transfer-encoding"})
_UPDATABLE = frozenset({"snapshotLifetime", "snapshotPriority", "endpoint", "receiverInfo"})
_OUTPUT = frozenset(
    {
        *("snapshotStatus", QUERY_DETAILS, TEMPORAL_DETAILS),
        *("createdAt", "modifiedAt", "expiresAt", "lastUsedAt"),
    }
)
MEMBERS = frozenset({"id", "type", QUERIES, TEMPORAL_QUERIES, *_UPDATABLE, *_OUTPUT})
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read_new(document: Any) -> dict[str, Any]:
    """The members of a snapshot to create. Raises BadRequestData."""
    found = _members(document)
    if found.get("type") != "Snapshot":
        raise bad_request_data('type: it must be "Snapshot"')
    if QUERIES not in found and TEMPORAL_QUERIES not in found:
        raise bad_request_data(f"{QUERIES} or {TEMPORAL_QUERIES} must say what the snapshot holds")
    for name in (QUERIES, TEMPORAL_QUERIES):
        if name in found:
            _check_queries(found[name], name)
    _check_updatable(found)
    return found


def read_clone(document: Any) -> dict[str, Any]:
    """The members of a clone: its queries are those of the original. Raises BadRequestData."""
    found = _members(document)
    if found.get("type", "Snapshot") != "Snapshot":
        raise bad_request_data('type: it must be "Snapshot"')
    _refuse(found, (QUERIES, TEMPORAL_QUERIES), "a clone has those of the original")
    _check_updatable(found)
    return found


def read_fragment(document: Any, snapshot_id: str) -> dict[str, Any]:
    """The members that a change sets; those that are NGSI-LD Null go. Raises BadRequestData."""
    found = _members(document)
    if found.pop("id", snapshot_id) != snapshot_id:
        raise bad_request_data("id: the id of a snapshot cannot be changed")
    if found.pop("type", "Snapshot") != "Snapshot":
        raise bad_request_data("type: the type of a snapshot cannot be changed")
    _refuse(found, (QUERIES, TEMPORAL_QUERIES), "they cannot be changed")
    _check_updatable({name: value for name, value in found.items() if value != NGSI_NULL})
    return found


def present(record: SnapshotRecord) -> dict[str, Any]:
    """The snapshot as clients see it."""
    given = {name: value for name, value in record.document.items() if name in MEMBERS}
    return {
        "id": record.id,
        "type": "Snapshot",
        "snapshotPriority": DEFAULT_PRIORITY,
        **given,
        "snapshotStatus": record.status,
        "createdAt": format_date_time(record.created_at),
        "modifiedAt": format_date_time(record.modified_at),
        "expiresAt": format_date_time(record.expires_at),
        "lastUsedAt": format_date_time(record.used_at),
    }


def _members(document: Any) -> dict[str, Any]:
    """What is given, without the members that only answers have."""
    if not isinstance(document, dict):
        raise bad_request_data("the body must be an object of type Snapshot")
    unknown = document.keys() - MEMBERS - {"@context"}
    if unknown:
        raise bad_request_data(f"a Snapshot has no member {', '.join(sorted(unknown))}")
    if "id" in document:
        check_uri(document["id"], "id")
    return {n: v for n, v in document.items() if n not in _OUTPUT and n != "@context"}


def _refuse(found: dict[str, Any], names: Iterable[str], why: str) -> None:
    for name in names:
        if name in found:
            raise bad_request_data(f"{name}: {why}")


def _check_queries(value: Any, name: str) -> None:
    if not isinstance(value, list) or not value:
        raise bad_request_data(f"{name}: it must be an array of at least one Query")
    for at, query in enumerate(value):
        where = f"{name}[{at}]"
        if not isinstance(query, dict) or query.get("type") != "Query":
            raise bad_request_data(f'{where}: it must be an object with the type "Query"')
        if ("temporalQ" in query) != (name == TEMPORAL_QUERIES):
            needs = "needs" if name == TEMPORAL_QUERIES else "takes no"
            raise bad_request_data(f"{where}: it {needs} temporalQ")


def _check_updatable(found: dict[str, Any]) -> None:
    if "snapshotLifetime" in found:
        read_lifetime_s(found["snapshotLifetime"], "snapshotLifetime")
    priority = found.get("snapshotPriority", DEFAULT_PRIORITY)
    if isinstance(priority, bool) or not isinstance(priority, int) or not 1 <= priority <= 10:
        raise bad_request_data(f"snapshotPriority: {priority!r} is no whole number from 1 to 10")
    if "endpoint" in found:
        endpoint_of(found)
    if "receiverInfo" in found:
        receiver_headers(found)


def endpoint_of(document: dict[str, Any]) -> str | None:
    """Where status notifications go. Raises BadRequestData."""
    uri = document.get("endpoint")
    if uri is None:
        return None
    check_address(uri, "endpoint")
    return str(uri)


def receiver_headers(document: dict[str, Any]) -> dict[str, str]:
    """receiverInfo as HTTP headers. Raises BadRequestData."""
    pairs = document.get("receiverInfo", [])
    if not isinstance(pairs, list):
        raise bad_request_data("receiverInfo: it must be an array of objects with key and value")
    headers = {}
    for at, pair in enumerate(pairs):
        key = pair.get("key") if isinstance(pair, dict) else None
        value = pair.get("value") if isinstance(pair, dict) else None
        if not isinstance(key, str) or not _HEADER.fullmatch(key):
            raise bad_request_data(f"receiverInfo[{at}].key: {key!r} is no name of a header")
        if not isinstance(value, str) or not (value.isprintable() and value.isascii()):
            raise bad_request_data(f"receiverInfo[{at}].value: {value!r} cannot be a header")
        if key.lower() not in _OF_THE_CONNECTION:
            headers[key] = value
    return headers
