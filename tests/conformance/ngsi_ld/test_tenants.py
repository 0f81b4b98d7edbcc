"""Tenants (clauses 4.14, 5.5.10, 6.3.14)."""

import asyncio
from pathlib import Path

import pytest
from tests.conformance.ngsi_ld.broker import ROOT, Running, open_tenants, problem_of

from dothi.app.data_folder import DataFolder
from dothi.app.hubs.folders import tenant_names
from dothi.ports.hubs import NoSuchTenant, TooManyTenants

ID = "urn:ngsi-ld:Room:1"
ROOM = {"id": ID, "type": "Room", "temperature": {"type": "Property", "value": 20}}


async def test_a_tenant_sees_only_its_own(door: Running) -> None:
    """4.14: "only visible to users of the same Tenant"; the header comes back (6.3.14)."""
    for tenant, value in (("hue", 21), ("da-nang", 22)):
        room = {**ROOM, "temperature": {"type": "Property", "value": value}}
        answer = await door.create(room, **{"NGSILD-Tenant": tenant})
        assert answer.status_code == 201, answer.text
        assert answer.headers["ngsild-tenant"] == tenant
    for tenant, value in (("hue", 21), ("da-nang", 22)):
        answer = await door.get(
            f"/entities/{ID}", headers={"ngsild-tenant": tenant}, params={"format": "simplified"}
        )
        assert answer.json()["temperature"] == value
        assert answer.headers["ngsild-tenant"] == tenant
    problem_of(await door.get(f"/entities/{ID}"), 404, "ResourceNotFound")
    gone = await door.http.delete(f"{ROOT}/entities/{ID}", headers={"ngsild-tenant": "hue"})
    assert gone.status_code == 204
    assert gone.headers["ngsild-tenant"] == "hue"
    still = await door.get(f"/entities/{ID}", headers={"ngsild-tenant": "da-nang"})
    assert still.status_code == 200


async def test_what_creates_nothing_needs_an_existing_tenant(door: Running) -> None:
    """5.5.10: "All other NGSI-LD operations ..." that target a tenant which does not exist."""
    tenant = {"ngsild-tenant": "nowhere"}
    body = {"temperature": {"type": "Property", "value": 1}}
    for answer in (
        await door.get("/entities", params={"type": "Room"}, headers=tenant),
        await door.get(f"/entities/{ID}", headers=tenant),
        await door.send("PATCH", f"/entities/{ID}/attrs", body, **tenant),
        await door.http.delete(f"{ROOT}/entities/{ID}", headers=tenant),
        await door.send("POST", "/entityOperations/upsert", [ROOM], **tenant),
    ):
        problem_of(answer, 404, "NonexistentTenant")
        assert answer.headers["ngsild-tenant"] == "nowhere"


async def test_the_length_is_asked_for_before_the_tenant(door: Running) -> None:
    """6.3.4: a missing Content-Length is a bare 411, whatever the request targets."""

    async def pieces():  # type: ignore[no-untyped-def]
        yield b"{}"

    answer = await door.http.post(
        f"{ROOT}/entities",
        content=pieces(),
        headers={"content-type": "application/json", "ngsild-tenant": "nowhere"},
    )
    assert answer.status_code == 411
    assert answer.content == b""


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a b", "x" * 65, "-x", "%2e%2e"])
async def test_a_name_that_cannot_be_one(standing_door: Running, name: str) -> None:
    problem_of(await standing_door.create(ROOM, **{"NGSILD-Tenant": name}), 400, "BadRequestData")


async def test_an_empty_header_means_the_default_tenant(door: Running) -> None:
    assert (await door.create(ROOM, **{"NGSILD-Tenant": ""})).status_code == 201
    answer = await door.get(f"/entities/{ID}")
    assert answer.status_code == 200
    assert "ngsild-tenant" not in answer.headers


async def test_many_at_once_open_a_tenant_once(door: Running) -> None:
    rooms = [{**ROOM, "id": f"urn:ngsi-ld:Room:{n}"} for n in range(12)]
    answers = await asyncio.gather(*(door.create(r, **{"NGSILD-Tenant": "busy"}) for r in rooms))
    assert [a.status_code for a in answers] == [201] * 12
    count = await door.get(
        "/entities",
        params={"type": "Room", "count": "true", "limit": "0"},
        headers={"ngsild-tenant": "busy"},
    )
    assert count.headers["ngsild-results-count"] == "12"


async def test_a_tenant_is_there_again_after_a_restart(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    async with open_tenants(tmp_path) as tenants, tenants.use("a:b", may_create=True) as ports:
        assert ports.entities.load([ID]) == []
    assert tenant_names(folder) == ["a:b"]
    async with open_tenants(tmp_path) as tenants:
        async with tenants.use("a:b", may_create=False):
            pass
        with pytest.raises(NoSuchTenant):
            async with tenants.use("b", may_create=False):
                pass


async def test_there_is_a_limit(tmp_path: Path) -> None:
    async with open_tenants(tmp_path, most=1) as tenants:
        async with tenants.use("a", may_create=True):
            pass
        with pytest.raises(TooManyTenants):
            async with tenants.use("b", may_create=True):
                pass
        measured = {measure.name: measure for measure in tenants.measures()}
        assert measured["dothi_tenants"].samples[0][1] == 1
        assert measured["dothi_log_head"].samples[0][0] == {"hub": "a"}
    async with open_tenants(tmp_path / "none", most=0) as tenants:
        with pytest.raises(TooManyTenants):
            async with tenants.use("a", may_create=True):
                pass


async def test_hubs_that_nobody_uses_are_closed(tmp_path: Path) -> None:
    async with open_tenants(tmp_path) as tenants, tenants.use("t0", may_create=True) as first:
        for n in range(1, 6):
            async with tenants.use(f"t{n}", may_create=True):
                pass
        measured = {measure.name: measure for measure in tenants.measures()}
        assert measured["dothi_hubs_open"].samples[0][1] == 3
        async with tenants.use("t0", may_create=False) as again:
            assert again is first


async def test_a_request_that_fails_makes_no_tenant(door: Running, tmp_path: Path) -> None:
    tenant = {"NGSILD-Tenant": "typo"}
    problem_of(await door.create({"id": "no uri", "type": "Room"}, **tenant), 400, "BadRequestData")
    assert tenant_names(DataFolder(tmp_path)) == []
    answer = await door.get("/entities", params={"type": "Room"}, headers=tenant)
    problem_of(answer, 404, "NonexistentTenant")
    assert (await door.create(ROOM, **tenant)).status_code == 201
    problem_of(await door.create(ROOM, **tenant), 409, "AlreadyExists")
    assert tenant_names(DataFolder(tmp_path)) == ["typo"]


async def test_good_and_bad_requests_at_once_keep_the_tenant(door: Running) -> None:
    tenant = {"NGSILD-Tenant": "mixed"}
    rooms = [{**ROOM, "id": f"urn:ngsi-ld:Room:{n}"} if n % 2 else {} for n in range(10)]
    answers = await asyncio.gather(*(door.create(room, **tenant) for room in rooms))
    assert sorted(a.status_code for a in answers) == [201] * 5 + [400] * 5
    page = await door.get("/entities", params={"type": "Room"}, headers=tenant)
    assert len(page.json()) == 5
