"""Evolutions that other brokers give, in the form in which the history gives ours."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from msgspec import Struct, structs

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.remote_entity import UNKNOWN_AT, told_time
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.operations.evolution import SCOPE
from dothi.facades.ngsi_ld.wire.body import columns
from dothi.facades.ngsi_ld.wire.evolution_reading import EvolutionReader
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.quality import Quality
from dothi.model.series import RAW_ANSWER
from dothi.ports.evolution import EvolutionHead, PastSeries

_TIMES = frozenset({"createdAt", "modifiedAt", "deletedAt"})
_CORE = frozenset({"id", "type", "@id", "@type", "@context", "expiresAt"})
Row = dict[str, Any]
"""A row of RAW_ANSWER."""


class RemoteEvolution(Struct, frozen=True):
    """What one source tells of one entity."""

    head: EvolutionHead
    values: tuple[Row, ...]
    deletions: tuple[Row, ...]


def remote_evolution(
    document: Any, context: LdContext, names: frozenset[str], now: datetime
) -> RemoteEvolution:
    """The evolution of a document; `names`: only these attributes, empty: all.

    Raises:
        NgsiError: the document is no evolution.
    """
    if not isinstance(document, dict):
        raise bad_request_data("an evolution must be an object")
    reader = EvolutionReader(context)
    core = {key: document[key] for key in document.keys() & _CORE}
    draft = reader.entity(core)
    pairs = [
        pair
        for pair in _instances(document, reader)
        if not names or pair[0].name in names or pair[0].name == SCOPE
    ]
    series = {(one.name, one.dataset): one.kind for one, _ in pairs}
    head = EvolutionHead(
        draft.id,
        draft.types,
        told_time(document, "createdAt"),
        told_time(document, "modifiedAt"),
        told_time(document, "deletedAt") if "deletedAt" in document else None,
        True,
        tuple(PastSeries(*key, kind) for key, kind in sorted(series.items())),
    )
    return RemoteEvolution(
        head,
        tuple(_row(draft.id, one, part, now) for one, part in pairs if "deletedAt" not in part),
        tuple(_row(draft.id, one, part, now) for one, part in pairs if "deletedAt" in part),
    )


def as_table(rows: Sequence[Row]) -> pa.Table:
    """RAW_ANSWER of the rows, numbered in their order."""
    return pa.Table.from_pylist([{**row, "seq": n} for n, row in enumerate(rows)], RAW_ANSWER)


def _instances(
    document: dict[str, Any], reader: EvolutionReader
) -> Iterator[tuple[Instance, dict[str, Any]]]:
    """Each instance, and the JSON that tells it."""
    for name, raw in document.items():
        if name in _CORE or (name in _TIMES and isinstance(raw, str)):
            continue
        for part in raw if isinstance(raw, list) else [raw]:
            if not isinstance(part, dict):
                raise bad_request_data(f"{name} must be an array of instances")
            if name == SCOPE:
                yield from ((one, part) for one in reader.fragment({SCOPE: [part]}, "").instances)
            else:
                yield from ((one, part) for one in reader.attribute(name, [part]))


def _row(entity: str, instance: Instance, part: dict[str, Any], now: datetime) -> Row:
    created_at, modified_at = told_time(part, "createdAt"), told_time(part, "modifiedAt")
    known = [at for at in (modified_at, created_at, instance.observed_at) if at != UNKNOWN_AT]
    told_at = next((at for at in known if at is not None), now)
    found: Row = {
        "lane": 0,
        "source": "",
        "entity": entity,
        "attribute": instance.name,
        "dataset": instance.dataset,
        "observed_at": instance.observed_at,
        "unit": "",
        "quality": int(Quality.GOOD),
        "kind": int(instance.kind),
        "batch": "",
        "committed_at": told_at,
        "revision": 0,
    }
    if "deletedAt" in part:
        return found | {"committed_at": told_time(part, "deletedAt"), "observed_at": None}
    origin = {}
    if isinstance(part.get("instanceId"), str):
        origin = {
            "instanceId": part["instanceId"],
            "createdAt": format_date_time(told_at if created_at == UNKNOWN_AT else created_at),
        }
    held = columns(structs.replace(instance, members=instance.members | origin))
    return found | {
        "number": held.number,
        "text": held.text,
        "body": held.body,
        "unit": held.unit or "",
    }
