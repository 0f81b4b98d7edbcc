"""/csourceRegistrations (clauses 5.9, 5.10, 6.8, 6.9)."""

from typing import Any

import pytest
from tests.conformance.ngsi_ld.broker import (
    CONTEXT_LINK,
    CONTEXT_URL,
    LD_JSON,
    ROOT,
    Running,
    problem_of,
)

PATH = "/csourceRegistrations"
URI = "urn:ngsi-ld:ContextSourceRegistration:1"


def registration(uri: str = URI, **members: Any) -> dict[str, Any]:
    return {
        "id": uri,
        "type": "ContextSourceRegistration",
        "information": [{"entities": [{"type": "Vehicle"}]}],
        "endpoint": "http://source.example.org",
        **members,
    }


def _information(**members: Any) -> list[dict[str, Any]]:
    return [members]


async def _ids(door: Running, query: str, **headers: str) -> list[str]:
    answer = await door.get(f"{PATH}?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [found["id"] for found in answer.json()]


async def test_registered_then_read_changed_and_deleted(door: Running) -> None:
    """5.9.2, 5.10.1, 5.9.3, 5.9.4."""
    members: dict[str, Any] = {
        "registrationName": "buses",
        "description": "all buses",
        "mode": "inclusive",
        "operations": ["retrieveOps"],
        "contextSourceInfo": [{"key": "Authorization", "value": "Bearer x"}],
        "contextSourceAlias": "other-1",
        "refreshRate": "PT5M",
        "management": {"timeout": 500, "cooldown": 100, "localOnly": True, "cacheDuration": "PT1M"},
        "location": {"type": "Point", "coordinates": [105.8, 21.0]},
        "scope": ["/Hanoi"],
        "datasetId": ["@none", "urn:d:1"],
        "expiresAt": "2999-01-01T00:00:00Z",
        "owner": {"type": "Property", "value": "transport office"},
    }
    answer = await door.send("POST", PATH, registration(**members))
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["location"] == f"{ROOT}{PATH}/{URI}"
    answer = await door.get(f"{PATH}/{URI}")
    assert answer.json() == registration(**members)
    assert answer.headers["content-type"] == "application/json"
    assert "rel=" in answer.headers["link"]

    answer = await door.send("PATCH", f"{PATH}/{URI}", {"description": "trams", "expiresAt": None})
    assert (answer.status_code, answer.content) == (204, b"")
    changed = (await door.get(f"{PATH}/{URI}/")).json()
    assert changed["description"] == "trams"
    assert "expiresAt" not in changed
    answer = await door.http.delete(f"{ROOT}{PATH}/{URI}")
    assert answer.status_code == 204
    problem_of(await door.get(f"{PATH}/{URI}"), 404, "ResourceNotFound")


async def test_an_id_is_made_when_there_is_none(door: Running) -> None:
    body = registration()
    del body["id"]
    answer = await door.send("POST", f"{PATH}/", body)
    made = answer.headers["location"].rpartition("/")[2]
    assert (await door.get(f"{PATH}/{made}")).json()["id"] == made


async def test_names_follow_the_context_of_each_request(door: Running) -> None:
    """5.5.7: expanded with the context of the registration, compacted with that of the reader."""
    body = registration(
        information=_information(entities=[{"type": "AirStation"}], propertyNames=["dust"]),
        dust={"type": "Property", "value": 1},
    )
    answer = await door.send(
        "POST", PATH, body | {"@context": CONTEXT_URL}, **{"content-type": LD_JSON}
    )
    assert answer.status_code == 201
    plain = (await door.get(f"{PATH}/{URI}")).json()
    assert plain["information"][0] == {
        "entities": [{"type": "https://example.org/city#AirStation"}],
        "propertyNames": ["https://example.org/city#dust"],
    }
    assert "https://example.org/city#dust" in plain
    answer = await door.get(f"{PATH}/{URI}", headers=CONTEXT_LINK | {"accept": LD_JSON})
    assert answer.json() == body | {"@context": CONTEXT_URL}
    assert await _ids(door, "type=AirStation") == []
    assert await _ids(door, "type=AirStation", **CONTEXT_LINK) == [URI]


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Registration"},
        {"id": "nonsense"},
        {"endpoint": "nonsense"},
        {"endpoint": "ftp://x.org"},
        {"information": []},
        {"information": [{}]},
        {"information": [{"entities": []}]},
        {"information": [{"entities": [{"id": "urn:x:1"}]}]},
        {"information": [{"entities": [{"type": "T", "idPattern": "[wrong"}]}]},
        {"information": [{"entities": [{"type": "T", "id": "nonsense"}]}]},
        {"information": [{"propertyNames": []}]},
        {"information": [{"propertyNames": ["not a name"]}]},
        {"information": [{"attributes": ["a"]}]},
        {"mode": "exklusive"},
        {"operations": ["everything"]},
        {"operations": []},
        {"mode": "auxiliary", "operations": ["updateEntity"]},
        {"mode": "exclusive"},
        {"contextSourceInfo": [{"key": "a"}]},
        {"contextSourceInfo": [{"key": "a", "value": 1}]},
        {"contextSourceInfo": [{"key": 5, "value": "v"}]},
        {"contextSourceInfo": [{"key": "a", "value": "x\r\ny: z"}]},
        {"contextSourceInfo": [{"key": "accept", "value": "text/html"}]},
        {"contextSourceInfo": [{"key": "jsonldContext", "value": "nonsense"}]},
        {"management": "yes"},
        {"management": {"timeout": -5}},
        {"management": {"cooldown": 0}},
        {"management": {"localOnly": "yes"}},
        {"management": {"cacheDuration": "bogus"}},
        {"location": {"type": "Point", "coordinates": ["a"]}},
        {"expiresAt": "2001-01-01T00:00:00Z"},
        {"expiresAt": "tomorrow"},
        {"observationInterval": {"endAt": "2026-01-01T00:00:00Z"}},
        {"refreshRate": "daily"},
        {"datasetId": ["nonsense"]},
        {"contextSourceAlias": ""},
    ],
)
async def test_wrong_data(standing_door: Running, change: dict[str, Any]) -> None:
    """5.9.2.4 and 5.9.3.4: what breaks clause 5.2.9 is BadRequestData, and nothing is stored."""
    problem_of(
        await standing_door.send("POST", PATH, registration() | change), 400, "BadRequestData"
    )
    assert await _ids(standing_door, "type=Vehicle,T") == []
    await standing_door.send("POST", PATH, registration())
    try:
        answer = await standing_door.send("PATCH", f"{PATH}/{URI}", change)
        problem_of(answer, 400, "BadRequestData")
        assert (await standing_door.get(f"{PATH}/{URI}")).json() == registration()
    finally:
        await standing_door.http.delete(f"{ROOT}{PATH}/{URI}")


@pytest.mark.parametrize("name", ["endpoint", "information", "type"])
async def test_missing_members(standing_door: Running, name: str) -> None:
    body = registration()
    del body[name]
    problem_of(await standing_door.send("POST", PATH, body), 400, "BadRequestData")


async def test_errors_of_the_id(door: Running) -> None:
    await door.send("POST", PATH, registration())
    problem_of(await door.send("POST", PATH, registration()), 409, "AlreadyExists")
    problem_of(await door.get(f"{PATH}/nonsense"), 400, "BadRequestData")
    problem_of(await door.send("PATCH", f"{PATH}/urn:x:9", {"mode": "inclusive"}), 404,
               "ResourceNotFound")  # fmt: skip
    problem_of(await door.http.delete(f"{ROOT}{PATH}/urn:x:9"), 404, "ResourceNotFound")
    problem_of(await door.http.delete(f"{ROOT}{PATH}/nonsense"), 400, "BadRequestData")
    problem_of(await door.send("PATCH", f"{PATH}/{URI}", {"id": "urn:x:2"}), 400, "BadRequestData")


async def test_what_cannot_be_read_at_all(door: Running) -> None:
    headers = {"content-type": "application/json"}
    answer = await door.http.post(f"{ROOT}{PATH}", content=b"{", headers=headers)
    problem_of(answer, 400, "InvalidRequest")
    problem_of(await door.get(f"{PATH}?type=Vehicle&page=2"), 400, "InvalidRequest")
    answer = await door.get(f"{PATH}/{URI}", headers={"accept": "application/geo+json"})
    problem_of(answer, 406, "InvalidRequest")


async def test_a_query_needs_a_restriction(door: Running) -> None:
    """5.10.2.4: too wide."""
    for query in ("", "idPattern=.*", "scopeQ=/A"):
        problem_of(await door.get(f"{PATH}?{query}"), 400, "BadRequestData")
    for query in ("id=nonsense", "type=A;", "q=a==", "csf=a==", "georel=near;maxDistance==1"):
        problem_of(await door.get(f"{PATH}?{query}"), 400, "BadRequestData")


async def test_matching_of_entities_and_attributes(door: Running) -> None:
    """5.12."""
    infos = {
        "urn:r:id": _information(entities=[{"type": "Vehicle", "id": "urn:v:1"}]),
        "urn:r:pattern": _information(entities=[{"type": ["Bus", "Tram"], "idPattern": "^urn:b:"}]),
        "urn:r:names": _information(propertyNames=["speed"], relationshipNames=["owner"]),
        "urn:r:both": _information(entities=[{"type": "Vehicle"}], propertyNames=["brand"]),
    }
    for uri, information in infos.items():
        answer = await door.send("POST", PATH, registration(uri, information=information))
        assert answer.status_code == 201, answer.text
    cases = {
        "type=Vehicle": ["urn:r:id", "urn:r:names", "urn:r:both"],
        "type=Vehicle&id=urn:v:2": ["urn:r:names", "urn:r:both"],
        "type=Vehicle&idPattern=v:1": ["urn:r:id", "urn:r:names", "urn:r:both"],
        "type=Vehicle&idPattern=v:2": ["urn:r:names", "urn:r:both"],
        "type=Tram&id=urn:b:7,urn:c:7": ["urn:r:pattern", "urn:r:names"],
        "type=Tram&id=urn:c:7": ["urn:r:names"],
        "type=Tram&idPattern=anything": ["urn:r:pattern", "urn:r:names"],
        "attrs=speed": ["urn:r:id", "urn:r:pattern", "urn:r:names"],
        "attrs=owner&type=Vehicle": ["urn:r:id", "urn:r:names"],
        "pick=id,brand&type=Vehicle": ["urn:r:id", "urn:r:both"],
        "q=brand==1": ["urn:r:id", "urn:r:pattern", "urn:r:both"],
        "type=Plane": ["urn:r:names"],
    }
    for query, expected in cases.items():
        assert await _ids(door, query) == expected, query


async def test_filters_on_the_source_itself(door: Running) -> None:
    """5.10.2.4: csf, scopeQ, geo-query."""
    place = {"type": "Point", "coordinates": [8.68, 49.41]}
    first = {"scope": "/Madrid/Centro", "location": place, "grade": 5, "kind": {"value": "sensor"}}
    await door.send("POST", PATH, registration("urn:r:1", **first))
    await door.send("POST", PATH, registration("urn:r:2", scope=["/Berlin"], grade=1))
    near = "georel=near;maxDistance==2000&geometry=Point&coordinates=[8.69,49.41]"
    only_first = [
        "scopeQ=/Madrid/%23",
        "scopeQ=/Madrid/%2B",
        "scopeQ=/Madrid/Centro",
        "csf=grade>3",
        'csf=kind=="sensor"',
        'csf=kind~="^sen";grade==5..6',
        "q=grade>3",
        near,
        near.replace("[8.69", "[8.68"),
        "georel=within&geometry=Polygon&coordinates=[[[8,49],[9,49],[9,50],[8,50],[8,49]]]",
    ]
    for query in only_first:
        assert await _ids(door, f"type=Vehicle&{query}") == ["urn:r:1"], query
    for query in ("scopeQ=/Madrid", "scopeQ=/Madrid/%2B/%2B", near.replace("2000", "100")):
        assert await _ids(door, f"type=Vehicle&{query}") == [], query
    assert await _ids(door, "type=Vehicle&scopeQ=/Madrid/%23,/Berlin") == ["urn:r:1", "urn:r:2"]
    assert await _ids(door, 'type=Vehicle&csf=endpoint=="http://source.example.org"') == [
        "urn:r:1",
        "urn:r:2",
    ]


async def test_intervals(door: Running) -> None:
    """5.10.2.4: without a temporal query only sources of the current state, else the others."""
    interval = {"startAt": "2020-08-01T00:00:00Z", "endAt": "2021-08-01T00:00:00Z"}
    await door.send("POST", PATH, registration("urn:r:now"))
    await door.send("POST", PATH, registration("urn:r:seen", observationInterval=interval))
    await door.send("POST", PATH, registration("urn:r:kept", managementInterval=interval))
    assert await _ids(door, "type=Vehicle") == ["urn:r:now"]
    before = "type=Vehicle&timerel=before&timeAt=2021-01-01T00:00:00Z"
    assert await _ids(door, before) == ["urn:r:seen"]
    assert await _ids(door, f"{before}&timeproperty=modifiedAt") == ["urn:r:kept"]
    for query, count in (
        ("timerel=after&timeAt=2022-01-01T00:00:00Z", 0),
        ("timerel=before&timeAt=2020-01-01T00:00:00Z", 0),
        ("timerel=between&timeAt=2021-07-01T00:00:00Z&endTimeAt=2022-01-01T00:00:00Z", 1),
    ):
        assert len(await _ids(door, f"type=Vehicle&{query}")) == count, query
    problem_of(await door.get(f"{PATH}?type=V&timerel=at&timeAt=2020-01-01T00:00:00Z"), 400,
               "BadRequestData")  # fmt: skip


JSON_ASKED = {"accept": "application/json"}


async def test_pages(door: Running) -> None:
    """5.5.9, 6.3.10, 6.3.13."""
    for number in range(3):
        await door.send("POST", PATH, registration(f"urn:r:{number}"))
    path = f"{PATH}?type=Vehicle&count=true&limit=1"
    for headers, media in (({}, "ld+json"), ({"accept": "*/*"}, "ld+json"), (JSON_ASKED, "json")):
        answer = await door.get(f"{path}&offset=1", headers=headers)
        assert answer.headers["content-type"] == "application/json"
        assert [found["id"] for found in answer.json()] == ["urn:r:1"]
        assert answer.headers["NGSILD-Results-Count"] == "3"
        links = answer.headers["link"]
        assert f'<{ROOT}{path}&offset=0>;rel="prev";type="application/{media}"' in links
        assert f'<{ROOT}{path}&offset=2>;rel="next";type="application/{media}"' in links
    answer = await door.get(f"{PATH}?type=Vehicle&count=true&limit=0")
    assert (answer.json(), answer.headers["NGSILD-Results-Count"]) == ([], "3")
    problem_of(await door.get(f"{PATH}?type=Vehicle&limit=0"), 400, "BadRequestData")


async def test_conflicts_of_proxied_registrations(door: Running) -> None:
    """4.3.6.3, 5.9.2.4: no second source for an exclusive attribute, no data of it here."""
    info = _information(entities=[{"type": "Vehicle", "id": "urn:v:1"}], propertyNames=["speed"])
    exclusive = registration(mode="exclusive", information=info)
    for wrong in (
        _information(entities=[{"type": "Vehicle", "id": "urn:v:1"}]),
        _information(entities=[{"type": "Vehicle"}], propertyNames=["speed"]),
        _information(entities=[{"type": "Vehicle", "idPattern": "v"}], propertyNames=["speed"]),
    ):
        problem_of(await door.send("POST", PATH, exclusive | {"information": wrong}), 400,
                   "BadRequestData")  # fmt: skip
    assert (await door.send("POST", PATH, exclusive)).status_code == 201
    for mode in ("exclusive", "redirect"):
        second = exclusive | {"id": "urn:r:2", "mode": mode}
        problem_of(await door.send("POST", PATH, second), 409, "Conflict")
    other = _information(entities=[{"type": "Vehicle", "id": "urn:v:1"}], propertyNames=["brand"])
    second = exclusive | {"id": "urn:r:2", "information": other}
    assert (await door.send("POST", PATH, second)).status_code == 201
    problem_of(await door.send("PATCH", f"{PATH}/urn:r:2", {"information": info}), 409, "Conflict")
    for number in (3, 4):
        redirect = registration(f"urn:r:{number}", mode="redirect")
        redirect["information"] = _information(entities=[{"type": "Bus"}])
        assert (await door.send("POST", PATH, redirect)).status_code == 201


async def test_groups_beside_the_entity_of_an_exclusive_registration_do_not_count(
    door: Running,
) -> None:
    """4.3.6.3: an id pattern or a type alone is not supported for exclusive registrations."""
    one = _information(entities=[{"type": "Vehicle", "id": "urn:v:1"}], propertyNames=["speed"])
    group = _information(
        entities=[{"type": "Parking", "idPattern": "town$"}, {"type": "Bus"}],
        propertyNames=["free"],
    )
    made = registration(mode="exclusive", information=[*group, *one])
    assert (await door.send("POST", PATH, made)).status_code == 201
    kept = await door.get(f"{PATH}/{made['id']}")
    assert kept.json()["information"] == made["information"]
    for asked, found in (("Vehicle", 1), ("Parking", 0), ("Bus", 0)):
        assert len((await door.get(f"{PATH}?type={asked}")).json()) == found
    held = {"id": "urn:p:town", "type": "Parking", "free": {"type": "Property", "value": 1}}
    assert (await door.create(held)).status_code == 201
    assert (await door.get(f"/entities/{held['id']}")).json() == held
    redirect = registration("urn:r:2", mode="redirect", information=group)
    redirect["information"][0]["entities"] = [{"type": "Bus"}]
    assert (await door.send("POST", PATH, redirect)).status_code == 201
    nameless = _information(entities=[{"type": "Vehicle", "id": "urn:v:2"}])
    wrong = registration("urn:r:3", mode="exclusive", information=[*one, *nameless])
    said = problem_of(await door.send("POST", PATH, wrong), 400, "BadRequestData")["detail"]
    assert said == "information[1] of an exclusive registration must name the attributes"


async def test_stored_data_are_in_the_way_of_proxied_registrations(door: Running) -> None:
    await door.create({"id": "urn:v:1", "type": "Vehicle", "speed": 1})
    info = _information(entities=[{"type": "Vehicle", "id": "urn:v:1"}], propertyNames=["speed"])
    answer = await door.send("POST", PATH, registration(mode="exclusive", information=info))
    problem_of(answer, 409, "Conflict")
    problem_of(await door.send("POST", PATH, registration(mode="redirect")), 409, "Conflict")
    info[0]["propertyNames"] = ["brand"]
    answer = await door.send("POST", PATH, registration(mode="exclusive", information=info))
    assert answer.status_code == 201


async def test_expired_ones_are_gone(door: Running) -> None:
    import asyncio
    from datetime import UTC, datetime, timedelta

    soon = (datetime.now(UTC) + timedelta(seconds=0.2)).isoformat().replace("+00:00", "Z")
    await door.send("POST", PATH, registration(expiresAt=soon))
    assert await _ids(door, "type=Vehicle") == [URI]
    await asyncio.sleep(0.25)
    assert await _ids(door, "type=Vehicle") == []
    problem_of(await door.get(f"{PATH}/{URI}"), 404, "ResourceNotFound")
    assert (await door.send("POST", PATH, registration())).status_code == 201


async def test_the_list_of_the_console(door: Running) -> None:
    """GET /api/v1/registrations: all of them, which the public query does not give."""
    login = f"http://me:s3cret@source.example.org{ROOT}"
    await door.send("POST", PATH, registration(registrationName="buses", endpoint=login))
    answer = await door.http.get("/api/v1/registrations")
    assert answer.json() == [
        {
            "id": URI,
            "name": "buses",
            "endpoint": f"http://source.example.org{ROOT}",
            "mode": "inclusive",
            "about": "Vehicle",
            "status": "",
            "times_sent": 0,
            "times_failed": 0,
            "last_success_at": None,
            "last_failure_at": None,
            "last_error": "",
            "expires_at": None,
        }
    ]
