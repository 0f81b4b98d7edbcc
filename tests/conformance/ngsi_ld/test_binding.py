"""What every path of the HTTP binding has in common (clause 6.3), over the real program."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from support.program import Program

ROOT = "/ngsi-ld/v1"
ID = "urn:ngsi-ld:Room:binding"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """`dothi serve` without sign-in, on loopback."""
    folder = tmp_path_factory.mktemp("binding") / "data"
    with Program(folder, command="serve", environ={"DOTHI_ACCESS__MODE": "open"}) as dothi:
        yield dothi
        assert dothi.stop() == 0, dothi.log()


@pytest.fixture
def client(program: Program) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=program.url) as client:
        client.post(
            f"{ROOT}/entities",
            json={"id": ID, "type": "Room", "name": {"languageMap": {"en": "Room"}}},
        )
        yield client


def _raw(program: Program, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """An exchange whose headers nobody adds to or interprets."""
    parts = urlsplit(program.url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    return connection.getresponse()


def _problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    assert found["type"] == ERRORS + kind
    assert found["title"] and found["detail"] and found["title"] != found["detail"]
    return found


@pytest.mark.parametrize("path", ["/nothing", "/entityOperations/nothing", "", "/"])
def test_an_unknown_path(client: httpx.Client, path: str) -> None:
    _problem(client.get(f"{ROOT}{path}"), 404, "ResourceNotFound")


def test_a_method_that_a_resource_does_not_have(client: httpx.Client) -> None:
    """6.3.2: the allowed methods are told."""
    answer = client.put(f"{ROOT}/jsonldContexts", json={})
    _problem(answer, 405, "InvalidRequest")
    assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))
    answer = client.options(f"{ROOT}/entities")
    assert answer.status_code == 204
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/entities/"),
        ("PUT", "/entities"),
        ("DELETE", "/entities//attrs/name"),
        ("POST", "/entities//attrs"),
        ("DELETE", "/temporal/entities//attrs/name"),
        ("PATCH", f"/temporal/entities//attrs/name/{ID}"),
        ("DELETE", f"/temporal/entities/{ID}/attrs//urn:x:1"),
    ],
)
def test_a_path_without_the_name_of_what_it_is_about(
    client: httpx.Client, method: str, path: str
) -> None:
    """5.6: "if the Entity Id [the Attribute name] is not present ... BadRequestData"."""
    _problem(client.request(method, f"{ROOT}{path}", json={"a": 1}), 400, "BadRequestData")
    assert client.get(f"{ROOT}/entities/{ID}").status_code == 200


def test_the_attributes_of_an_entity_cannot_be_deleted_at_once(client: httpx.Client) -> None:
    """6.6: the resource has no DELETE."""
    _problem(client.delete(f"{ROOT}/entities/{ID}/attrs/?deleteAll=false"), 405, "InvalidRequest")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/", {"GET", "POST"}),
        ("DELETE", f"/{ID}/attrs", {"POST"}),
        ("PATCH", f"/{ID}/attrs", {"POST"}),
        ("PATCH", f"/{ID}/attrs/name", {"DELETE"}),
        ("PATCH", f"/{ID}/attrs/name/", {"DELETE"}),
        ("PATCH", f"/{ID}/attrs//urn:x:1", {"DELETE"}),
    ],
)
def test_methods_of_evolutions(
    client: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    """Table 6.2-1: evolutions are deleted one by one, and only an instance is modified."""
    answer = client.request(method, f"{ROOT}/temporal/entities{path}", json={"value": 1})
    _problem(answer, 405, "InvalidRequest")
    assert allowed <= set(answer.headers["allow"].split(", "))


def test_no_content_has_no_length(program: Program, client: httpx.Client) -> None:
    """6.3.6: "No Content-Length HTTP header shall be present if the response code is 204"."""
    answer = _raw(program, "DELETE", f"{ROOT}/entities/{ID}")
    assert answer.status == 204
    assert answer.getheader("content-length") is None
    assert answer.getheader("transfer-encoding") is None
    assert answer.getheader("content-type") is None


def test_a_missing_length_is_a_bare_411(program: Program) -> None:
    for method in ("POST", "PATCH", "PUT"):
        path = f"{ROOT}/entities" if method == "POST" else f"{ROOT}/entities/{ID}/attrs/name"
        if method == "PUT":
            continue
        answer = _raw(
            program, method, path, Content_Type="application/json", Transfer_Encoding="chunked"
        )
        assert answer.status == 411
        assert answer.read() == b""


def test_media_types_are_exact(client: httpx.Client) -> None:
    for accept, media in (
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/*;q=0.5, application/ld+json;q=0.4", "application/json"),
    ):
        headers = {"accept": accept} if accept else {}
        answer = client.get(f"{ROOT}/entities/{ID}", headers=headers)
        assert answer.headers["content-type"] == media
    not_acceptable = client.get(f"{ROOT}/entities/{ID}", headers={"accept": "application/xml"})
    found = _problem(not_acceptable, 406, "InvalidRequest")
    assert "application/json, application/ld+json" in found["detail"]


def test_head_answers_like_get_without_the_body(client: httpx.Client) -> None:
    get, head = client.get(f"{ROOT}/entities/{ID}"), client.head(f"{ROOT}/entities/{ID}")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["link"] == get.headers["link"]


def test_errors_carry_no_link_header(client: httpx.Client) -> None:
    """6.3.6: "all error responses, do not include the Link header"."""
    answer = client.get(f"{ROOT}/entities/urn:ngsi-ld:Room:none")
    _problem(answer, 404, "ResourceNotFound")
    assert "link" not in answer.headers


def test_a_preferred_version(client: httpx.Client) -> None:
    """6.3.6 and 4.3.6.8: the version that the answer conforms to is told."""
    for prefer, applied, kind in (
        ("ngsi-ld=1.3", "ngsi-ld=1.3", "Property"),
        ("body=json, ngsi-ld=1.4", "ngsi-ld=1.4", "LanguageProperty"),
        ("ngsi-ld=2.7", "ngsi-ld=1.9", "LanguageProperty"),
    ):
        answer = client.get(f"{ROOT}/entities/{ID}", headers={"prefer": prefer})
        assert answer.headers["preference-applied"] == applied
        assert answer.status_code == (203 if kind == "Property" else 200)
        assert answer.json()["name"]["type"] == kind
        assert answer.headers["content-length"] == str(len(answer.content))
    assert "preference-applied" not in client.get(f"{ROOT}/entities/{ID}").headers


def test_a_trailing_slash_is_answered(client: httpx.Client) -> None:
    for path in (f"/entities/{ID}/", "/entities/?type=Room", "/jsonldContexts/"):
        answer = client.get(ROOT + path)
        assert answer.status_code == 200, path


def test_too_large_a_body(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("small") / "data"
    environ = {"DOTHI_ACCESS__MODE": "open", "DOTHI_SERVER__MAX_BODY_MB": "1"}
    with Program(folder, command="serve", environ=environ) as dothi:
        body = json.dumps({"id": ID, "type": "Room", "a": {"value": "x" * 2**21}})
        answer = httpx.post(
            f"{dothi.url}{ROOT}/entities",
            content=body,
            headers={"content-type": "application/json"},
        )
    _problem(answer, 413, "InvalidRequest")


def test_without_open_mode_everybody_signs_in(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("login") / "data"
    with Program(folder, command="serve") as dothi:
        answer = httpx.get(f"{dothi.url}{ROOT}/entities?type=Room")
    _problem(answer, 401, "InvalidRequest")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.thorough
def test_tenants_snapshots_and_contexts_outlive_the_program(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Stopped in good order while hubs are open, then killed: everything is there again."""
    folder = tmp_path_factory.mktemp("again") / "data"
    tenant, frozen = {"NGSILD-Tenant": "hue"}, {"NGSILD-Snapshot": "urn:ngsi-ld:Snapshot:1"}
    dothi = Program(folder, command="serve", environ={"DOTHI_ACCESS__MODE": "open"})
    for round_ in range(3):
        with dothi, httpx.Client(base_url=f"{dothi.url}{ROOT}") as client:
            if not round_:
                _fill(client, tenant)
            found = client.get(f"/entities/{ID}", headers={**tenant, **frozen})
            assert found.status_code == 200, found.text
            hosted = client.get("/jsonldContexts", params={"kind": "Hosted"}, headers=tenant)
            assert len(hosted.json()) == 1
            metrics = httpx.get(f"{dothi.url}/metrics").text
            assert 'dothi_log_head{hub="hue"}' in metrics
            if round_ == 1:
                dothi.kill()
            else:
                assert dothi.stop() == 0, dothi.log()


def _fill(client: httpx.Client, tenant: dict[str, str]) -> None:
    room = {"id": ID, "type": "Room"}
    query = {"type": "Query", "entities": [{"type": "Room"}]}
    snapshot = {
        "id": "urn:ngsi-ld:Snapshot:1",
        "type": "Snapshot",
        "snapshotQueries": [query],
    }
    context = {"@context": {"a": "https://example.org/a"}}
    for path, body in (
        ("/entities", room),
        ("/jsonldContexts", context),
        ("/snapshots", snapshot),
    ):
        answer = client.post(path, json=body, headers=tenant)
        assert answer.status_code == 201, answer.text
    for _ in range(100):
        status = client.get("/snapshots/urn:ngsi-ld:Snapshot:1", headers=tenant).json()
        if status["snapshotStatus"] != "preparing":
            break
        time.sleep(0.05)
    assert status["snapshotStatus"] == "success"
