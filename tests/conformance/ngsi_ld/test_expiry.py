"""expiresAt of entities and attributes (clause 4.22)."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.ngsi_ld.broker import Running, problem_of

from dothi.model.row import Change
from dothi.storage.relational.entity_query import SqliteEntities

ID = "urn:ngsi-ld:Alert:1"
SYSTEM = {"params": {"options": "sysAttrs"}}


def _in(seconds: float) -> str:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.isoformat().replace("+00:00", "Z")


async def _soon(check: Any) -> None:
    """Wait until the check holds, two seconds at most."""
    end = time.monotonic() + 2
    while not await check():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.01)


async def test_an_entity_is_gone_when_its_time_has_come(door: Running) -> None:
    at = _in(3600)
    await door.create({"id": ID, "type": "Alert", "a": 1, "expiresAt": at})
    await door.create({"id": "urn:x:2", "type": "Alert", "expiresAt": at})
    assert (await door.entity(ID, **SYSTEM))["expiresAt"][:19] == at[:19]
    answer = await door.send("POST", f"/entities/{ID}/attrs", {"expiresAt": _in(0.05)})
    assert answer.status_code == 204

    async def deleted() -> bool:
        rows = door.hub.rows().to_pylist()
        return any(r["change"] == Change.DELETE_ENTITY and r["entity"] == ID for r in rows)

    await _soon(deleted)
    problem_of(await door.get(f"/entities/{ID}"), 404, "ResourceNotFound")
    assert (await door.create({"id": ID, "type": "Alert"})).status_code == 201
    assert (await door.get("/entities/urn:x:2")).status_code == 200


async def test_an_attribute_is_gone_when_its_time_has_come(door: Running) -> None:
    second = {"value": 2, "datasetId": "urn:d:1", "expiresAt": _in(3600)}
    body = {"id": ID, "type": "Alert", "a": 1, "b": [{"value": 1, "expiresAt": _in(3600)}, second]}
    await door.create(body)
    assert second.keys() < (await door.entity(ID, **SYSTEM))["b"][1].keys()
    body = {"a": {"value": 1, "expiresAt": _in(0.05)}, "b": second | {"expiresAt": _in(0.05)}}
    assert (await door.send("PATCH", f"/entities/{ID}/attrs", body)).status_code == 204

    async def shrunk() -> bool:
        found = await door.entity(ID)
        return "a" not in found and isinstance(found["b"], dict)

    await _soon(shrunk)
    assert (await door.entity(ID))["b"]["value"] == 1
    changes = [r["change"] for r in door.hub.rows().to_pylist()]
    assert changes.count(Change.DELETE_ATTRIBUTE) == 2


async def test_the_end_can_be_put_off_and_taken_away(door: Running) -> None:
    entities = SqliteEntities(door.hub.engine)
    soon = datetime.now(UTC) + timedelta(seconds=60)
    body: dict[str, Any] = {"id": ID, "type": "Alert", "expiresAt": _in(30)}
    body |= {"a": {"value": 1, "expiresAt": _in(30)}, "b": {"value": 1, "expiresAt": _in(30)}}
    await door.create(body)
    found = entities.expiring(soon, 10)
    assert {(one.entity, one.attribute) for one in found} == {(ID, ""), (ID, "a"), (ID, "b")}
    null = "urn:ngsi-ld:null"
    body = {"expiresAt": null, "a": {"expiresAt": _in(3600)}, "b": {"expiresAt": null}}
    answer = await door.send("PATCH", f"/entities/{ID}", body)
    assert answer.status_code == 204, answer.text
    assert entities.expiring(soon, 10) == []
    entity = await door.entity(ID, **SYSTEM)
    assert "expiresAt" not in entity
    assert "expiresAt" in entity["a"]
    assert "expiresAt" not in entity["b"]


async def test_what_has_expired_already_never_shows(door: Running) -> None:
    body = {"id": ID, "type": "Alert", "expiresAt": _in(-60)}
    assert (await door.create(body)).status_code == 201
    problem_of(await door.get(f"/entities/{ID}"), 404, "ResourceNotFound")
    problem_of(await door.create(body | {"expiresAt": "tomorrow"}), 400, "BadRequestData")
    attribute = {"value": 1, "expiresAt": 5}
    answer = await door.create({"id": "urn:x:2", "type": "Alert", "a": attribute})
    problem_of(answer, 400, "BadRequestData")


async def test_expiry_is_told_with_system_attributes_alone(door: Running) -> None:
    """6.3.11: of instances of an evolution too."""
    at = "2100-01-01T00:00:00Z"
    a = {"value": 1, "observedAt": "2026-01-01T00:00:00Z", "expiresAt": at}
    await door.create({"id": ID, "type": "Alert", "a": a})
    for path in (f"/entities/{ID}", f"/temporal/entities/{ID}"):
        plain = (await door.get(path)).json()["a"]
        told = (await door.get(path, **SYSTEM)).json()["a"]
        [plain, told] = [part[0] if isinstance(part, list) else part for part in (plain, told)]
        assert "expiresAt" not in plain
        assert told["expiresAt"] == at
