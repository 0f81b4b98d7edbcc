"""The console's routes: page, hashed assets, base map ranges, and the page of an unbuilt tree."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from dothi.access.permission import Permission
from dothi.console.endpoints import console_endpoints
from dothi.console.settings import ConsoleSettings


def client(static: Path, basemap: Path | None = None) -> TestClient:
    endpoints = console_endpoints(ConsoleSettings(basemap_dir=basemap), static)
    return TestClient(Starlette(routes=[Route(e.path, e.handler) for e in endpoints]))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>dothi</title>")
    (static / "assets" / "index-abc.js").write_text("plain")
    (static / "assets" / "index-abc.js.br").write_bytes(b"brotli")
    (static / "assets" / "index-abc.js.gz").write_bytes(b"gz")
    (tmp_path / "secret.txt").write_text("secret")
    return static


ROUTES = Path(__file__).parents[3] / "console" / "src" / "state" / "route.svelte.ts"
SCREENS = re.findall(
    r"'([a-z_-]+)'", ROUTES.read_text().partition("Screen[] = [")[2].partition("]")[0]
)


@pytest.mark.parametrize("path", ["/", "/entity/urn:ngsi-ld:A%2FB:1", *(f"/{s}" for s in SCREENS)])
def test_every_screen_url_gets_the_page(built: Path, path: str) -> None:
    answer = client(built).get(path)
    assert answer.status_code == 200
    assert "<title>dothi</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


def test_assets_are_kept_for_a_year_and_come_compressed(built: Path) -> None:
    answer = client(built).get("/assets/index-abc.js", headers={"accept-encoding": "identity"})
    assert answer.text == "plain"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    with client(built).stream(
        "GET", "/assets/index-abc.js", headers={"accept-encoding": "gzip, br"}
    ) as compressed:
        assert compressed.headers["content-encoding"] == "br"
        assert compressed.headers["vary"] == "accept-encoding"
        assert b"".join(compressed.iter_raw()) == b"brotli"


@pytest.mark.parametrize(
    "name", ["../../secret.txt", "%2e%2e/%2e%2e/secret.txt", "none.js", "%00", "a" * 3000]
)
def test_nothing_outside_the_folder_is_served(built: Path, name: str) -> None:
    assert client(built).get(f"/assets/{name}").status_code == 404


def test_an_unbuilt_console_says_what_to_do(tmp_path: Path) -> None:
    answer = client(tmp_path / "static").get("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text


def test_the_basemap_is_read_by_ranges(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "basemap"
    (folder / "fonts").mkdir(parents=True)
    (folder / "demo.pmtiles").write_bytes(bytes(range(256)))
    (folder / "basemap.json").write_text('{"attribution": "credits", "is_schematic": true}')
    hub = client(built, folder)
    assert hub.get("/basemap/manifest.json").json() == {
        "tiles": "demo.pmtiles",
        "has_glyphs": True,
        "attribution": "credits",
        "is_schematic": True,
    }
    part = hub.get("/basemap/demo.pmtiles", headers={"range": "bytes=16-31"})
    assert part.status_code == 206
    assert part.content == bytes(range(16, 32))
    assert part.headers["content-range"] == "bytes 16-31/256"


def test_without_a_basemap_the_manifest_says_so(built: Path) -> None:
    hub = client(built)
    assert hub.get("/basemap/manifest.json").json()["tiles"] is None
    assert hub.get("/basemap/demo.pmtiles").status_code == 404


def test_every_route_is_public_and_documented() -> None:
    for endpoint in console_endpoints(ConsoleSettings()):
        assert endpoint.permission is Permission.PUBLIC
        assert endpoint.summary


def test_the_parts_of_the_duty_page_are_never_old(built: Path) -> None:
    for name, kind in (
        ("sw.js", "text/javascript"),
        ("duty.webmanifest", "application/manifest+json"),
        ("icon-192.png", "image/png"),
    ):
        assert client(built).get(f"/{name}").status_code == 404
        (built / name).write_text("x")
        answer = client(built).get(f"/{name}")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"].startswith(kind)
    assert "<title>" in client(built).get("/duty").text
