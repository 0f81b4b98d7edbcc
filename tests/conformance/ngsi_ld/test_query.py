"""GET /entities (clause 6.4.3.2): filters, paging, errors."""

import re
from typing import Any

from tests.conformance.ngsi_ld.broker import CONTEXT_LINK, LD_JSON, ROOT, Running, problem_of

IRI = "https://example.org/city#dust"
STATIONS: list[dict[str, Any]] = [
    {
        "id": "urn:ngsi-ld:Station:1",
        "type": "Air",
        "pm25": {"value": 12.5, "observedAt": "2026-11-21T08:00:00Z", "unitCode": "GQ"},
        "name": "Phú Cường",
        "location": {"type": "Point", "coordinates": [106.65, 10.98]},
        "isOpen": True,
        "address": {"value": {"street": "Bạch Đằng", "number": 5}},
        "ownedBy": {"object": "urn:ngsi-ld:Org:1"},
        "label": {"languageMap": {"vi": "Trạm", "en": "Station"}},
        "tags": {"value": ["roadside", "urban"]},
        "opened": {"value": {"@type": "DateTime", "@value": "2020-05-01T00:00:00Z"}},
    },
    {
        "id": "urn:ngsi-ld:Station:2",
        "type": ["Air", "Water"],
        "pm25": {"value": 80, "accuracy": {"value": 0.5}},
        "name": "Bến Cát",
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [106.6, 11.15]},
            "source": "survey",
        },
        "isOpen": False,
        "address": {"value": {"street": "Hùng Vương", "number": 7}},
        "levels": [{"value": 3}, {"value": 9, "datasetId": "urn:d:1"}],
        "kind": {"vocab": ["traffic", "industry"]},
        "opened": "2024-01-01T00:00:00+07:00",
    },
    {
        "id": "urn:ngsi-ld:Station:3",
        "type": "Water",
        "level": 1.5,
        "name": "Trà Vinh",
        "location": {
            "type": "Polygon",
            "coordinates": [[[106.3, 9.9], [106.4, 9.9], [106.4, 10], [106.3, 10], [106.3, 9.9]]],
        },
    },
]


async def _load(door: Running) -> None:
    for station in STATIONS:
        assert (await door.create(station)).status_code == 201


async def _found(door: Running, **params: Any) -> list[int]:
    answer = await door.get("/entities", params=params)
    assert answer.status_code == 200, answer.text
    return [int(entity["id"][-1]) for entity in answer.json()]


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"type": "Air"}, [1, 2]),
    ({"type": "Air;Water"}, [2]),
    ({"type": "(Air;Water),Nothing"}, [2]),
    ({"type": "Air,Water"}, [1, 2, 3]),
    ({"id": "urn:ngsi-ld:Station:3,urn:ngsi-ld:Station:1", "local": "true"}, [1, 3]),
    ({"id": "urn:ngsi-ld:Station:3,urn:ngsi-ld:Station:1", "type": "Air"}, [1]),
    ({"type": "Air", "idPattern": ".*:2$"}, [2]),
    ({"attrs": "level"}, [3]),
    ({"local": "true"}, [1, 2, 3]),
    ({"q": "pm25>12.5"}, [2]),
    ({"q": "pm25>=12.5;isOpen==true"}, [1]),
    ({"q": "pm25<20|level"}, [1, 3]),
    ({"q": "(pm25<20|level);name~=^Tr"}, [3]),
    ({"q": "pm25==10..20"}, [1]),
    ({"q": "pm25!=10..20"}, [2]),
    ({"q": "pm25==12.5,80"}, [1, 2]),
    ({"q": "pm25!=12.5"}, [2]),
    ({"q": 'name=="Bến Cát"'}, [2]),
    ({"q": 'name!="Bến Cát"'}, [1, 3]),
    ({"q": 'name>"P"'}, [1, 3]),
    ({"q": 'name~="(Cát|Vinh)$"'}, [2, 3]),
    ({"q": "name!~=Cát"}, [1, 3]),
    ({"q": "isOpen==false"}, [2]),
    ({"q": "isOpen!=false"}, [1]),
    ({"q": "isOpen"}, [1, 2]),
    ({"q": "address[number]>5"}, [2]),
    ({"q": 'address[street]=="Bạch Đằng"'}, [1]),
    ({"q": "address[nothing]"}, []),
    ({"q": "ownedBy==urn:ngsi-ld:Org:1"}, [1]),
    ({"q": 'ownedBy=="urn:ngsi-ld:Org:1"'}, [1]),
    ({"q": 'label[en]=="Station"'}, [1]),
    ({"q": 'label[*]=="Trạm"'}, [1]),
    ({"q": 'label[fr]=="Trạm"'}, []),
    ({"q": 'tags=="urban"'}, [1]),
    ({"q": 'tags!="urban"'}, []),
    ({"q": "kind==industry", "expandValues": "kind"}, [2]),
    ({"q": 'kind!="industry"', "expandValues": "kind"}, []),
    ({"q": 'kind=="industry"'}, []),
    ({"q": "kind!=industry"}, [2]),
    ({"q": "kind==https://uri.etsi.org/ngsi-ld/default-context/industry"}, [2]),
    ({"q": 'name=="Trà Vinh"', "expandValues": "name"}, []),
    ({"q": "levels==9"}, [2]),
    ({"q": "pm25.accuracy==0.5"}, [2]),
    ({"q": "pm25.accuracy"}, [2]),
    ({"q": "pm25.observedAt>=2026-11-21T08:00:00Z"}, [1]),
    ({"q": 'pm25.unitCode=="GQ"'}, [1]),
    ({"q": "createdAt>2020-01-01T00:00:00Z", "local": "true"}, [1, 2, 3]),
    ({"q": 'createdAt>"2020-01-01T00:00:00Z"', "local": "true"}, [1, 2, 3]),
    ({"q": "pm25.modifiedAt<2020-01-01T00:00:00Z"}, []),
    ({"q": "opened<2023-12-31T18:00:00Z"}, [1, 2]),
    ({"q": "opened==2023-12-31T17:00:00Z"}, [2]),
    ({"q": "opened>2023-12-31T17:00:00Z"}, []),
    ({"q": 'pm25=="text"'}, []),
    ({"q": "name>5"}, []),
    ({"q": "nothing"}, []),
    ({"q": "!nothing"}, [1, 2, 3]),
    ({"q": "!pm25.accuracy"}, [1, 3]),
    ({"q": "!pm25.accuracy;pm25>0"}, [1]),
    ({"q": "pm25>0", "type": "Water"}, [2]),
]
POINT = {"geometry": "Point", "coordinates": "[106.65,10.98]"}
BOX = "[[[106,10.5],[107,10.5],[107,12],[106,12],[106,10.5]]]"
POLYGON = {"geometry": "Polygon", "coordinates": BOX}
GEO_FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"georel": "near;maxDistance==1000", **POINT}, [1]),
    ({"georel": "near;maxDistance==25000", **POINT}, [1, 2]),
    ({"georel": "near;maxDistance==19000", **POINT}, [1]),
    ({"georel": "near;minDistance==19000", **POINT}, [2, 3]),
    ({"georel": "within", **POLYGON}, [1, 2]),
    ({"georel": "disjoint", **POLYGON}, [3]),
    ({"georel": "intersects", **POLYGON}, [1, 2]),
    ({"georel": "equals", **POINT}, [1]),
    ({"georel": "contains", "geometry": "Point", "coordinates": "[106.35,9.95]"}, [3]),
    ({"georel": "within", "q": "pm25>50", **POLYGON}, [2]),
    ({"georel": "within", "geoproperty": "nothing", **POLYGON}, []),
]


async def test_filters(door: Running) -> None:
    await _load(door)
    for params, expected in [*FILTERS, *GEO_FILTERS]:
        assert await _found(door, **params) == expected, params


async def test_names_in_filters_are_expanded(door: Running) -> None:
    entity = {"id": "urn:x:1", "type": "https://example.org/city#AirStation", IRI: 5}
    assert (await door.create(entity)).status_code == 201
    for params in ({"q": "dust>4"}, {"attrs": "dust"}, {"type": "AirStation"}, {"q": "ex:dust==5"}):
        answer = await door.get("/entities", params=params, headers=CONTEXT_LINK)
        assert [e["id"] for e in answer.json()] == ["urn:x:1"], params
        assert (await door.get("/entities", params={"type": "T", **params})).json() == []
    answer = await door.get("/entities", params={"q": f"{IRI}>4"})
    assert [e["id"] for e in answer.json()] == ["urn:x:1"]
    answer = await door.get("/entities", params={"type": "AirStation"}, headers=CONTEXT_LINK)
    assert answer.json()[0].keys() == {"id", "type", "dust"}


async def test_only_asked_attributes_come_back(door: Running) -> None:
    await _load(door)
    answer = await door.get("/entities", params={"attrs": "pm25,level", "options": "keyValues"})
    assert [e.keys() - {"id", "type"} for e in answer.json()] == [{"pm25"}, {"pm25"}, {"level"}]


async def test_pages_count_and_links(door: Running) -> None:
    await _load(door)
    params = {"type": "Air,Water", "limit": 1, "offset": 1, "idPattern": "urn:.*", "count": "true"}
    answer = await door.get("/entities", params=params)
    assert answer.headers["NGSILD-Results-Count"] == "3"
    path = f"{ROOT}/entities?count=true&idPattern=urn:.*&limit=1"
    links = answer.headers.get_list("link")
    assert f'<{path}&offset=0&type=Air%2CWater>;rel="prev";type="application/json"' in links
    assert f'<{path}&offset=2&type=Air%2CWater>;rel="next";type="application/json"' in links
    for link in links[1:]:
        again = await door.http.get(re.findall("<(.*)>", link)[0])
        assert len(again.json()) == 1
    ends = [await door.get("/entities/", params=params | {"offset": at}) for at in (0, 2)]
    assert ["prev" in str(a.headers.get_list("link")) for a in ends] == [False, True]
    assert ["next" in str(a.headers.get_list("link")) for a in ends] == [True, False]
    answer = await door.get("/entities", params=params | {"limit": 0, "offset": 0})
    assert (answer.json(), answer.headers["NGSILD-Results-Count"]) == ([], "3")
    assert len(answer.headers.get_list("link")) == 1
    assert "NGSILD-Results-Count" not in (await door.get("/entities?type=Air")).headers


async def test_media_types(door: Running) -> None:
    await _load(door)
    answer = await door.get("/entities?type=Air", headers={"accept": LD_JSON})
    assert answer.headers["content-type"] == LD_JSON
    assert all("@context" in entity for entity in answer.json())
    answer = await door.get("/entities?type=Air", headers={"accept": "application/geo+json"})
    collection = answer.json()
    assert collection["type"] == "FeatureCollection"
    assert collection["features"][1]["geometry"]["coordinates"] == [106.6, 11.15]
    assert "@context" in collection
    assert "@context" not in collection["features"][0]


WRONG = [
    {},
    {"id": "urn:ngsi-ld:Station:1"},
    {"idPattern": ".*"},
    {"attrs": "id,type"},
    {"attrs": "createdAt"},
    {"q": "modifiedAt>2020-01-01T00:00:00Z"},
    {"type": ""},
    {"type": "Air,"},
    {"type": "a b"},
    {"type": "Air", "id": "nonsense"},
    {"type": "Air", "idPattern": "("},
    {"q": "pm25>"},
    {"q": "pm25=5"},
    {"q": "(pm25>5"},
    {"q": "pm25>5;;x"},
    {"q": "name~=("},
    {"q": "owner{name}"},
    {"q": "(" * 100 + "a" + ")" * 100},
    {"type": "Air", "limit": "-1"},
    {"type": "Air", "limit": "x"},
    {"type": "Air", "limit": "0"},
    {"type": "Air", "offset": "-1"},
    {"type": "Air", "count": "yes"},
    {"georel": "near"},
    {"georel": "near;maxDistance==10", "geometry": "Point"},
    {"georel": "near", **POINT},
    {"georel": "near;maxDistance==x", **POINT},
    {"georel": "beside", **POINT},
    {"georel": "within", "geometry": "Point", "coordinates": "[106"},
    {"georel": "within", "geometry": "Point", "coordinates": "[300,10]"},
    {"georel": "within", "geometry": "Blob", "coordinates": "[1,2]"},
    {"georel": "within", "geometry": "Polygon", "coordinates": "[[[1,2],[3,4]]]"},
    {"georel": "near;maxDistance==0", **POINT},
    {"georel": "near;maxDistance==1e400", **POINT},
    {"q": "createdAt>2020-01-01T00:00:00Z"},
    {"attrs": "modifiedAt"},
    {"type": "*", "local": "false"},
    {"type": "Air", "csf": "))bad(("},
    {"type": "Air", "scopeQ": "/A//B"},
    {"type": "Air", "lang": "en;q=x"},
    {"type": "Air", "datasetId": "nonsense"},
    {"type": "Air", "limit": "--5"},
    {"type": "Air", "limit": "5-"},
    {"type": "Air", "join": "sideways"},
    {"type": "Air", "join": "inline", "joinLevel": "0"},
    {"type": "Air", "join": "inline", "containedBy": "x"},
    {"type": "Air", "geometryProperty": "location"},
]


TOO_MANY: list[tuple[str, dict[str, str]]] = [
    ("/entities", {"type": "Air"}),
    (
        "/temporal/entities",
        {"type": "Air", "timerel": "after", "timeAt": "2026-01-01T00:00:00Z"},
    ),
    ("/subscriptions", {}),
    ("/csourceRegistrations", {"type": "Air"}),
]
"""Clauses 5.5.9 and 6.3.10: one answer wherever there are pages."""


async def test_system_attributes_by_a_parameter_of_their_own(door: Running) -> None:
    await door.create({"id": "urn:x:1", "type": "Air", "a": 1})
    one = (await door.get("/entities/urn:x:1?sysAttrs=true")).json()
    assert "createdAt" in one and "modifiedAt" in one["a"]
    assert (await door.get("/entities?type=Air&sysAttrs=true")).json() == [one]


async def test_wrong_data(door: Running) -> None:
    for params in WRONG:
        answer = await door.get("/entities", params=params)
        assert problem_of(answer, 400, "BadRequestData")["detail"], params
    for path, params in TOO_MANY:
        answer = await door.get(path, params=params | {"limit": "1001"})
        problem_of(answer, 403, "TooManyResults")
    for params in (
        {"type": "Air", "page": "1"},
        {"foo": "x"},
        {"type": "Air", "options": "keyValues,normalized"},
        {"type": "Air", "options": "pretty"},
        {"type": "Air", "format": "pretty"},
    ):
        problem_of(await door.get("/entities", params=params), 400, "InvalidRequest")
    problem_of(await door.get("/entities?type=Air&type=Water"), 400, "InvalidRequest")
    answer = await door.get("/entities?q=pm25%3E5;name==")
    assert "at the end" in answer.json()["detail"]


async def test_a_pattern_that_would_explode_elsewhere_takes_no_time(door: Running) -> None:
    await door.create({"id": "urn:x:1", "type": "T", "name": "a" * 5000})
    assert await _found(door, q='name~="(a+)+$x"') == []


async def test_the_largest_filters_are_answered_and_larger_ones_refused(door: Running) -> None:
    """Clause 6.3.2, TooComplexQuery: never an error of the database."""
    await door.create({"id": "urn:x:1", "type": "T", "a": 1})
    names = [f"a{n}" for n in range(300)]
    braces = "r{" * 10 + "a" + "}" * 10
    largest: list[dict[str, Any]] = [
        {"q": "|".join(names[:198]) + "|a"},
        {"q": "|".join(f"{name}==1" for name in names[:198]) + "|a"},
        {"q": ";".join(f"(a==1|{name})" for name in names[:98])},
        {"q": "a==" + ",".join(str(n) for n in range(198))},
        {"q": "a!=" + ",".join(str(n + 2) for n in range(198))},
        {"q": "(" * 30 + "a" + ")" * 30},
        {"q": "|".join(f"a~={name}" for name in names[:20]) + "|a==1"},
        {"type": ",".join(names[:198]) + ",T"},
        {"q": f"a|{braces}", "join": "inline", "joinLevel": 10},
        {"type": "T", "scopeQ": ",".join(f"/{name}" for name in names[:198]), "q": "a"},
    ]
    for params in largest:
        expected = [] if "scopeQ" in params else [1]
        assert await _found(door, **params) == expected, params
    for params in (
        {"q": "|".join(names)},
        {"type": ",".join(names)},
        {"q": "a==" + "1," * 250 + "1"},
    ):
        problem_of(await door.get("/entities", params=params), 403, "TooComplexQuery")
    body = {"type": "Query", "entities": [{"type": name} for name in names]}
    answer = await door.send("POST", "/entityOperations/query", body)
    problem_of(answer, 403, "TooComplexQuery")
    body["entities"] = body["entities"][:199]
    assert (await door.send("POST", "/entityOperations/query", body)).json() == []
