"""Requests made from /api/openapi.json: every NGSI-LD route answers as the specification says, and
none with a fault.

DOTHI_FUZZ_EXAMPLES tells how many requests each route gets.
"""

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from support.program import Program
from thorough import IS_THOROUGH

EXAMPLES = int(os.environ.get("DOTHI_FUZZ_EXAMPLES") or (3 if IS_THOROUGH else 1))
LEGITIMATE = {501, 503, 504, 508}
"""No tenants, no writes now, an @context that cannot be had, a loop of sources."""
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


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
    schema = schemathesis.openapi.from_dict(document)
    tried = 0
    with httpx.Client(base_url=program.url, timeout=20) as client:
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
                _check(client, case)

            ask()
    assert tried >= EXAMPLES * len(document["paths"])
    assert "unexpected error" not in program.log()


def _check(client: httpx.Client, case: Any) -> None:
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
        return  # no HTTP client would send this
    told = f"{request['method']} {answer.url} {request.get('json')!r}: {answer.text}"
    assert answer.status_code < 500 or answer.status_code in LEGITIMATE, told
    if answer.status_code >= 400 and answer.content:
        assert answer.headers["content-type"] == "application/json", told
        assert answer.json()["type"].startswith(ERRORS), told
