"""Identity, permissions, foreign origins, problems, headers: the site as an ASGI app."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from databases import lay_database
from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.app.config.load import load
from dothi.app.config.settings import Settings
from dothi.app.http.dispatch import Dispatch
from dothi.app.http.identity import Known
from dothi.app.http.site import Site
from dothi.app.people import known_positions
from dothi.app.supervisor import Supervisor
from dothi.model.problem import Overloaded, Problem, StoreUnavailable
from dothi.model.source import Source
from dothi.ports.audit import AuditQuestion
from dothi.ports.clock import SystemClock
from dothi.storage.relational.access_store import AccessStore
from dothi.storage.relational.answers import RelationalAnswers
from dothi.storage.relational.audit import RelationalAudit
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.people import RelationalPeople

TOKEN, SYSTEM_TOKEN = "device-token", "system-token"
HOST = "http://127.0.0.1:8400"


class OneSource:
    """`Sources` with one source; what is not asked for here is not there."""

    def source_of_token(self, token: str) -> Source | None:
        kind = {TOKEN: "http", SYSTEM_TOKEN: "ngsi_ld"}.get(token)
        return Source("wl-1", "Water level", kind) if kind else None


class Echo(msgspec.Struct):
    who: str


async def _who(request: Request) -> Response:
    return JSONResponse({"who": request.state.principal.name, **request.path_params})


def _raises(error: Exception) -> Any:
    async def handler(request: Request) -> Response:
        raise error

    return handler


async def _read_all(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def _page(request: Request) -> Response:
    return HTMLResponse("<p>console")


READ, WRITE = Permission.READ, Permission.WRITE_OBSERVATIONS
ENDPOINTS = [
    Endpoint("GET", "/api/v1/things/{id}", READ, _who, "One thing", answer=Echo),
    Endpoint("GET", "/api/v1/things/fixed", READ, _who, "The fixed thing"),
    Endpoint("POST", "/api/v1/things", READ, _who, "Make a thing", body=Echo),
    Endpoint("POST", "/api/v1/rows", WRITE, _read_all, "Send rows"),
    Endpoint("GET", "/", Permission.PUBLIC, _page, "The console"),
    Endpoint("GET", "/bad", Permission.PUBLIC, _raises(Problem("x", "X", "no", 418)), "A problem"),
    Endpoint("GET", "/busy", Permission.PUBLIC, _raises(Overloaded(1.2)), "Busy"),
    Endpoint("GET", "/full", Permission.PUBLIC, _raises(StoreUnavailable("disk full")), "Full"),
    Endpoint("GET", "/fault", Permission.PUBLIC, _raises(RuntimeError("s3cret")), "A fault"),
]


def _site(tmp_path: Path, environ: dict[str, str]) -> tuple[Site, AccessStore]:
    engine = open_sqlite(lay_database(tmp_path / "test.db"))
    sessions = AccessStore(engine, SystemClock())
    settings = load(Settings, None, environ).settings
    supervisor = Supervisor([], SystemClock(), 1)
    people = RelationalPeople(engine, SystemClock())
    positions, answers = known_positions(settings.access), RelationalAnswers(engine)
    audit = RelationalAudit(engine, SystemClock())
    known = Known(sessions, OneSource(), people, positions, answers, audit)  # type: ignore[arg-type]
    return Site(settings, known, supervisor, list, ENDPOINTS), sessions


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    site, sessions = _site(tmp_path, {"DOTHI_SERVER__MAX_BODY_MB": "1"})
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        client.sessions = sessions  # type: ignore[attr-defined]
        yield client


async def _sign_in(client: httpx.AsyncClient) -> httpx.Response:
    token = client.sessions.make_link(60)  # type: ignore[attr-defined]
    return await client.post("/login", data={"token": token}, headers={"origin": HOST})


async def test_a_forgotten_endpoint_that_writes_is_told_by_its_path(
    client: httpx.AsyncClient,
) -> None:
    await _sign_in(client)
    assert (await client.post("/api/v1/things", json={})).status_code == 200
    engine = client.sessions._engine  # type: ignore[attr-defined]
    [told] = RelationalAudit(engine, SystemClock()).find(AuditQuestion(1))
    assert (told.who, told.action) == ("administrator", "POST /api/v1/things")


async def test_a_link_opens_a_session_that_a_prefetch_does_not_use_up(
    client: httpx.AsyncClient,
) -> None:
    token = client.sessions.make_link(60)  # type: ignore[attr-defined]
    for _ in range(2):
        page = await client.get(f"/login?token={token}")
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
        assert token in page.text
    answer = await client.post("/login", data={"token": token})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (await client.get("/api/v1/things/7")).json() == {"who": "administrator", "id": "7"}
    again = await client.post("/login", data={"token": token})
    assert again.status_code == 403


@pytest.mark.parametrize(("to", "landing"), [("duty", "/duty"), ("//evil.example", "/"), ("", "/")])
async def test_a_link_leads_to_a_known_screen_only(
    client: httpx.AsyncClient, to: str, landing: str
) -> None:
    token = client.sessions.make_link(60)  # type: ignore[attr-defined]
    page = await client.get("/login", params={"token": token, "to": to + '"<'})
    assert '"&lt;' not in page.text
    assert "&quot;&lt;" in page.text
    answer = await client.post("/login", data={"token": token, "to": to})
    assert answer.headers["location"] == landing


async def test_the_token_in_the_page_is_escaped(client: httpx.AsyncClient) -> None:
    page = await client.get("/login", params={"token": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text


async def test_signing_out_ends_the_session_at_once(client: httpx.AsyncClient) -> None:
    await _sign_in(client)
    session = client.cookies["dothi_session"]
    assert (await client.post("/api/v1/logout", headers={"origin": HOST})).status_code == 204
    client.cookies.set("dothi_session", session)
    assert (await client.get("/api/v1/things/7")).status_code == 401


@pytest.mark.parametrize("number", ["9223372036854775808", "1" * 4000])
def test_nothing_stands_at_a_number_that_no_store_holds(number: str) -> None:
    dispatch = Dispatch({"/api/v1/alarms/{id:int}": "an alarm"})
    assert dispatch.find("/api/v1/alarms/12") == ("an alarm", {"id": 12})
    assert dispatch.find(f"/api/v1/alarms/{number}") is None


async def test_nobody_gets_401_and_a_device_without_the_permission_403(
    client: httpx.AsyncClient,
) -> None:
    nobody = await client.get("/api/v1/things/7")
    assert nobody.status_code == 401
    assert nobody.headers["content-type"] == "application/problem+json"
    assert nobody.headers["www-authenticate"] == "Bearer"
    assert nobody.json()["remedy"]
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert (await client.get("/api/v1/things/7", headers=headers)).status_code == 403
    rows = await client.post("/api/v1/rows", content=b"abc", headers=headers)
    assert rows.json() == {"bytes": 3}
    headers = {"authorization": f"Bearer {SYSTEM_TOKEN}"}
    thing = await client.get("/api/v1/things/7", headers=headers)
    assert thing.json()["who"] == "system:wl-1"


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic abc", "Bearer", ""])
async def test_a_wrong_token_is_said_to_be_wrong(client: httpx.AsyncClient, header: str) -> None:
    await _sign_in(client)
    answer = await client.get("/api/v1/things/7", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] == "bad_token"


async def test_another_site_cannot_write_with_the_cookie(client: httpx.AsyncClient) -> None:
    await _sign_in(client)
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9999"):
        answer = await client.post("/api/v1/things", headers={"origin": origin})
        assert answer.status_code == 403
        assert answer.json()["code"] == "foreign_origin"
    hidden = await client.post("/api/v1/things", headers={"sec-fetch-site": "cross-site"})
    assert hidden.json()["code"] == "foreign_origin"
    assert (await client.post("/api/v1/things", headers={"origin": HOST})).status_code == 200
    assert (await client.post("/login", headers={"origin": "http://evil"})).status_code == 403


async def test_the_public_url_is_a_known_origin(tmp_path: Path) -> None:
    site, sessions = _site(tmp_path, {"DOTHI_SERVER__PUBLIC_URL": "https://hub.example.vn"})
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        origin = {"origin": "https://hub.example.vn"}
        link = sessions.make_link(60)
        await client.post("/login", data={"token": link}, headers=origin)
        assert (await client.post("/api/v1/things", headers=origin)).status_code == 200


async def test_open_mode_answers_loopback_names_only(tmp_path: Path) -> None:
    site, _ = _site(tmp_path, {"DOTHI_ACCESS__MODE": "open"})
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        assert (await client.get("/api/v1/things/7")).json()["who"] == "administrator"
        rebound = await client.get("/api/v1/things/7", headers={"host": "evil.example:8400"})
        assert rebound.json()["code"] == "foreign_host"
        foreign = await client.post("/api/v1/things", headers={"origin": "http://evil.example"})
        assert foreign.json()["code"] == "foreign_origin"


async def test_fixed_paths_win_over_parameters(client: httpx.AsyncClient) -> None:
    await _sign_in(client)
    assert (await client.get("/api/v1/things/fixed")).json() == {"who": "administrator"}


async def test_unknown_paths_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nowhere")).json()["code"] == "not_found"
    answer = await client.delete("/api/v1/things/7")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert answer.json()["code"] == "method_not_allowed"


async def test_a_browser_at_an_unknown_page_gets_the_console(client: httpx.AsyncClient) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = await client.get("/nosuch", headers=browser)
    assert page.status_code == 404
    assert page.text == "<p>console"
    assert page.headers["content-type"].startswith("text/html")
    assert (await client.get("/api/v1/nosuch", headers=browser)).json()["code"] == "not_found"
    nosuch = await client.get("/ngsi-ld/v1/nosuch", headers=browser)
    assert nosuch.json()["type"] == "https://uri.etsi.org/ngsi-ld/errors/ResourceNotFound"
    assert (await client.post("/nosuch", headers=browser)).json()["code"] == "not_found"


@pytest.mark.parametrize(
    "environ",
    [{"DOTHI_SERVER__HOST": "0.0.0.0"}, {"DOTHI_SERVER__PUBLIC_URL": "https://hub.example.vn"}],
)
async def test_the_figures_are_for_readers_where_others_come_in(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    site, _ = _site(tmp_path, environ)
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/metrics")).status_code == 401
        device = {"authorization": f"Bearer {TOKEN}"}
        assert (await client.get("/metrics", headers=device)).status_code == 403
        reader = {"authorization": f"Bearer {SYSTEM_TOKEN}"}
        assert "dothi_http_seconds" in (await client.get("/metrics", headers=reader)).text


async def test_what_handlers_raise_is_rendered(client: httpx.AsyncClient) -> None:
    problem = await client.get("/bad")
    assert (problem.status_code, problem.json()["code"]) == (418, "x")
    busy = await client.get("/busy")
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "2")
    full = await client.get("/full")
    assert (full.status_code, full.headers["retry-after"]) == (503, "5")
    assert "disk full" in full.json()["detail"]


async def test_a_fault_shows_an_id_that_the_log_has(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/fault")
    assert answer.status_code == 500
    assert "s3cret" not in answer.text
    fault = answer.json()["detail"].split()[-1]
    assert fault in caplog.text
    assert "s3cret" in caplog.text


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    answer = await client.post("/api/v1/rows", content=b"x" * (2**20 + 1), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


async def test_security_headers_stand_on_everything(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/nowhere", "/fault", "/login?token=x"):
        headers = (await client.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert "blob:" in (await client.get("/healthz")).headers["content-security-policy"]


async def test_the_request_log_has_no_query(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="dothi.http"):
        await client.get("/login?token=very-secret")
    text = "".join(r.getMessage() for r in caplog.records if r.name == "dothi.http")
    assert "/login" in text
    assert "very-secret" not in text


async def test_metrics_count_requests_by_route(client: httpx.AsyncClient) -> None:
    await client.get("/api/v1/things/1")
    await client.get("/api/v1/things/2")
    text = (await client.get("/metrics")).text
    expected = 'dothi_http_requests_total{method="GET",path="/api/v1/things/{id}",status="401"} 2'
    assert expected in text
    assert "dothi_http_seconds_bucket" in text


async def test_every_route_is_in_openapi_with_permission_and_summary(tmp_path: Path) -> None:
    site, _ = _site(tmp_path, {})
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        document = (await client.get("/api/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    for endpoint in site.endpoints:
        operation = document["paths"][endpoint.path.replace(":path}", "}")][endpoint.method.lower()]
        assert operation["summary"]
        assert operation["x-permission"] in set(Permission)
    thing = document["paths"]["/api/v1/things/{id}"]["get"]
    assert thing["parameters"][0]["in"] == "path"
    assert "#/components/schemas/Echo" in str(thing["responses"]["200"])
