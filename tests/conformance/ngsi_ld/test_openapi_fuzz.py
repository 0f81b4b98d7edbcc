"""Requests made from /api/openapi.json: every NGSI-LD route answers as the specification says, none
with a fault, and what is refused changes nothing.

DOTHI_FUZZ_EXAMPLES tells how many requests each route gets.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.program import Program
from thorough import IS_THOROUGH

EXAMPLES = int(os.environ.get("DOTHI_FUZZ_EXAMPLES") or (3 if IS_THOROUGH else 1))
LEGITIMATE = {501, 503, 504, 508}
"""No tenants, no writes now, an @context that cannot be had, a loop of sources."""
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
LAMP = "urn:ngsi-ld:Lamp:1"
"""The entity that writes go to, so that they find something they could change."""
NEW = "urn:ngsi-ld:Lamp:new"
_NAMES = ("entityId", "entity_id")
_LAMP = {
    "id": LAMP,
    "type": "Lamp",
    "a": {"type": "Property", "value": 1},
    "b": {"type": "Property", "value": 2},
    "c": {"type": "Property", "value": 3},
}
_EVER = {"timerel": "after", "timeAt": "1970-01-01T00:00:00Z"}
_GOOD = {"type": "Property", "value": 9}
_WRONG: tuple[Any, ...] = (
    {"type": "Property"},
    {"type": "Colour", "value": 1},
    {"type": "Property", "value": 1, "observedAt": "noon"},
    {"type": "Property", "value": 1, "object": LAMP},
    {"type": "Relationship", "object": "not a uri"},
    {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1000, 0]}},
    {"type": "LanguageProperty", "languageMap": 5},
    {"type": "Property", "value": 1, "unitCode": 7},
)


def _entity(fragment: dict[str, Any]) -> dict[str, Any]:
    return {"id": LAMP, "type": "Lamp", **fragment}


def _new(fragment: dict[str, Any]) -> dict[str, Any]:
    return {"id": NEW, "type": "Lamp", **fragment}


def _dated(fragment: dict[str, Any]) -> dict[str, Any]:
    at = {"observedAt": "2026-01-01T00:00:00Z"}
    return {name: [{**at, **attribute}] for name, attribute in fragment.items()}


_ONE = f"/entities/{LAMP}"
_WAYS: dict[str, tuple[str, str, Callable[[dict[str, Any]], Any]]] = {
    "create": ("POST", "/entities", _new),
    "merge": ("PATCH", _ONE, dict),
    "replace": ("PUT", _ONE, _entity),
    "append": ("POST", f"{_ONE}/attrs", dict),
    "append new": ("POST", f"{_ONE}/attrs?options=noOverwrite", dict),
    "update": ("PATCH", f"{_ONE}/attrs", dict),
    "batch create": ("POST", "/entityOperations/create", lambda f: [_new(f)]),
    "batch upsert": ("POST", "/entityOperations/upsert", lambda f: [_entity(f)]),
    "batch upsert, update": (
        "POST",
        "/entityOperations/upsert?options=update",
        lambda f: [_entity(f), _new(f)],
    ),
    "batch update": ("POST", "/entityOperations/update", lambda f: [_entity(f)]),
    "batch merge": ("POST", "/entityOperations/merge", lambda f: [_entity(f)]),
    "evolution": ("POST", "/temporal/entities", lambda f: _new(_dated(f))),
    "evolution, more": ("POST", f"/temporal/entities/{LAMP}/attrs", _dated),
}
"""Each way in which several attributes come together: method, path, body."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("fuzz") / "data"
    environ = {
        "DOTHI_ACCESS__MODE": "open",
        "DOTHI_NGSI_LD__CONTEXT_TIMEOUT_S": "0.2",
        "DOTHI_NGSI_LD__MAX_TENANTS": "3",
        "DOTHI_NGSI_LD__MAX_SNAPSHOTS": "2",
    }
    with Program(folder, command="serve", environ=environ) as dothi:
        yield dothi
        assert dothi.stop() == 0, dothi.log()


@pytest.fixture(scope="module")
def document(program: Program) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{program.url}/api/openapi.json").json()
    found["paths"] = {p: o for p, o in found["paths"].items() if p.startswith("/ngsi-ld/")}
    for operations in found["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)  # made-up tokens would end most requests at the door
    return found


def test_the_routes_are_described(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        if not path.startswith("/ngsi-ld/v1/"):
            continue  # where sources call back, which no client does
        for method, operation in operations.items():
            names = [p["name"] for p in operation["parameters"]]
            assert "NGSILD-Tenant" in names, path
            assert len(names) == len(set(names)), path
            default = operation["responses"]["default"]["content"]
            assert list(default) == ["application/json"]
            assert ("requestBody" in operation) == (method in {"post", "put", "patch"}), path
    query = document["paths"]["/ngsi-ld/v1/entities"]["get"]["parameters"]
    assert {"type", "q", "limit", "count", "orderBy"} <= {p["name"] for p in query}


def test_no_request_is_answered_with_a_fault(program: Program, document: dict[str, Any]) -> None:
    import schemathesis  # here, because it takes two seconds and only one process needs it

    schema = schemathesis.openapi.from_dict(document)
    tried = 0
    with httpx.Client(base_url=program.url, timeout=20) as client:
        kept = _Kept(client)
        for result in schema.get_all_operations():
            operation = result.ok()

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def ask(case: Any) -> None:
                nonlocal tried
                tried += 1
                if case.method == "GET":
                    _check(client, case)
                else:
                    kept.write(case)

            ask()
    assert tried >= EXAMPLES * len(document["paths"])
    assert "unexpected error" not in program.log()


@settings(max_examples=max(EXAMPLES * 5, 20), deadline=None, derandomize=True, database=None)
@given(
    way=st.sampled_from(sorted(_WAYS)),
    wrong=st.sampled_from(_WRONG),
    good=st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True),
    at=st.integers(0, 4),
)
def test_one_wrong_attribute_stores_none(
    program: Program, way: str, wrong: Any, good: list[str], at: int
) -> None:
    """Wherever it stands among good ones, whichever way they come."""
    names = [*good[:at], "wrong", *good[at:]]
    fragment = {name: wrong if name == "wrong" else _GOOD for name in names}
    method, path, make = _WAYS[way]
    with httpx.Client(base_url=program.url, timeout=20) as client:
        before = _kept(client)
        answer = client.request(method, f"/ngsi-ld/v1{path}", json=make(fragment))
        told = f"{way} {fragment}: {answer.status_code} {answer.text}"
        assert 400 <= answer.status_code < 500 or answer.status_code == 207, told
        assert _state(client) == before, told


class _Kept:
    """Sees to it that the entity is there, and that what is refused changes nothing, not even a
    time of modification."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._known: dict[str, Any] | None = None

    def write(self, case: Any) -> None:
        for name in _NAMES:
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = LAMP
        before, self._known = self._known or _kept(self._client), None
        answer = _check(self._client, case)
        if answer is not None and 400 <= answer.status_code < 500:
            self._known = _state(self._client)
            assert self._known == before, f"{case.method} {answer.url}: {answer.text}"


def _kept(client: httpx.Client) -> dict[str, Any]:
    """What there is, the entity with its attributes among it."""
    found = _state(client)
    if LAMP not in [one["id"] for one in found["entities"]]:
        client.post("/ngsi-ld/v1/entities", json=_LAMP).raise_for_status()
        found = _state(client)
    return found


def _state(client: httpx.Client) -> dict[str, Any]:
    """Entities and evolutions with their times, ids of what else is kept."""
    every = {"local": "true", "limit": "1000", "options": "sysAttrs"}
    lamps = {**every, **_EVER, "id": f"{LAMP},{NEW}"}
    ids = {
        path: sorted(one["id"] for one in _list(client, path))
        for path in ("/ngsi-ld/v1/subscriptions?limit=1000", "/api/v1/registrations")
    }
    return {
        **ids,
        "entities": _list(client, "/ngsi-ld/v1/entities", every),
        "evolutions": _list(client, "/ngsi-ld/v1/temporal/entities", lamps),
    }


def _list(client: httpx.Client, path: str, params: dict[str, str] | None = None) -> list[Any]:
    answer = client.get(path, params=params)
    assert answer.status_code in {200, 206}, answer.text
    found: list[Any] = answer.json()
    return found


def _check(client: httpx.Client, case: Any) -> httpx.Response | None:
    """The answer; none when no client would send it."""
    request = case.as_transport_kwargs(base_url=str(client.base_url))
    headers = {
        name: value
        for name, value in (request.get("headers") or {}).items()
        if name.isascii() and str(value).isascii() and str(value).isprintable()
    }
    try:
        answer = client.request(
            request["method"],
            request["url"],
            params=request.get("params"),
            headers={**headers, "host": client.base_url.netloc.decode()},
            **{key: request[key] for key in ("json", "data", "content") if key in request},
        )
    except (httpx.LocalProtocolError, UnicodeEncodeError, httpx.InvalidURL):
        return None  # no HTTP client would send this
    told = f"{request['method']} {answer.url} {request.get('json')!r}: {answer.text}"
    assert answer.status_code < 500 or answer.status_code in LEGITIMATE, told
    if answer.status_code >= 400 and answer.content:
        assert answer.headers["content-type"] == "application/json", told
        assert answer.json()["type"].startswith(ERRORS), told
    return answer
