"""Whatever door a write comes through, the next read shows it in every form (cached or not)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, Running

from dothi.model.batch import Batch
from dothi.model.row import rows_table
from dothi.ports.clock import SystemClock

ROOM = "urn:ngsi-ld:Room:1"
LEVEL = {"type": "Property", "value": 1}
WAYS: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("?options=keyValues", {}),
    ("?format=concise&sysAttrs=true", {}),
    ("?options=sysAttrs", {}),
    ("?pick=level,type", {}),
    ("?omit=level", {}),
    ("?attrs=level", {}),
    ("?lang=vi", {}),
    ("?datasetId=@none", {}),
    ("", {"accept": "application/ld+json"}),
    ("", {"accept": "application/geo+json"}),
    ("", {"accept": "application/geo+json", "prefer": "body=json"}),
    ("?geometryProperty=place", {"accept": "application/geo+json"}),
    ("", CONTEXT_LINK),
]


async def _seen(door: Running) -> list[Any]:
    found = []
    for query, headers in WAYS:
        one = await door.get(f"/entities/{ROOM}{query}", headers=headers)
        more = query.replace("?", "&")
        many = await door.get(f"/entities?type=Room{more}&count=true", headers=headers)
        counted = many.headers.get("ngsild-results-count")
        for answer in (one, many):
            assert answer.status_code in (200, 404), answer.text
            found.append((answer.status_code, answer.json(), answer.headers.get("link"), counted))
    return found


async def _twice(door: Running) -> list[Any]:
    first = await _seen(door)
    assert await _seen(door) == first
    return first


WRITES: list[tuple[str, str, Any]] = [
    ("PATCH", f"/entities/{ROOM}/attrs/level", {"value": 2}),
    ("PATCH", f"/entities/{ROOM}", {"level": 3}),
    ("POST", f"/entities/{ROOM}/attrs", {"name": {"type": "Property", "value": "A"}}),
    ("PUT", f"/entities/{ROOM}", {"id": ROOM, "type": "Room", "level": LEVEL}),
    ("PUT", f"/entities/{ROOM}/attrs/level", {"type": "Property", "value": 5}),
    ("DELETE", f"/entities/{ROOM}/attrs/level", None),
    ("POST", "/entityOperations/upsert", [{"id": ROOM, "type": "Room", "level": LEVEL}]),
    ("POST", "/entityOperations/update", [{"id": ROOM, "type": "Room", "level": 8}]),
    ("POST", "/entityOperations/merge", [{"id": ROOM, "type": "Room", "level": 9}]),
    ("POST", "/entities", {"id": f"{ROOM}0", "type": "Room", "level": LEVEL}),
    ("DELETE", f"/entities/{ROOM}0", None),
    ("POST", "/entityOperations/delete", [ROOM]),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_write_of_ngsi_ld_is_seen(door: Running, method: str, path: str, body: Any) -> None:
    where = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [106.7, 10.8]}}
    label = {"type": "LanguageProperty", "languageMap": {"vi": "Phòng", "en": "Room"}}
    room = {"id": ROOM, "type": "Room", "level": LEVEL, "location": where, "label": label}
    assert (await door.create(room)).status_code == 201
    if path.endswith("0"):
        await door.create({"id": f"{ROOM}0", "type": "Room", "level": LEVEL})
    before = await _twice(door)
    answer = await door.send(method, path, body)
    assert answer.status_code in (200, 201, 204), answer.text
    assert await _twice(door) != before


async def test_an_observation_is_seen(door: Running) -> None:
    await door.create({"id": ROOM, "type": "Room", "level": LEVEL})
    before = await _twice(door)
    for n, entity in enumerate((ROOM, "urn:ngsi-ld:Room:new")):
        rows = rows_table(
            {
                "source": "s",
                "entity": [entity],
                "entity_type": "Room",
                "attribute": "humidity",
                "number": 7.5,
            }
        )
        result = await door.hub.intake.submit(Batch(f"seen{n}", rows, SystemClock().now()))
        assert result.stored == 1, result.rejected
        after = await _twice(door)
        assert after != before
        before = after
