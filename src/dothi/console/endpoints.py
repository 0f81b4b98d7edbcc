"""Routes of the console: the page, its assets, the base map. All public: the data behind is not."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.console.basemap import BasemapManifest, read_manifest
from dothi.console.settings import ConsoleSettings
from dothi.console.static_files import (
    STATIC_DIR,
    file_inside,
    not_found,
    send_asset,
    send_page,
    send_range,
)
from dothi.console.unbuilt import UNBUILT_PAGE

SCREEN_PATHS = (
    "/",
    "/wall",
    "/map",
    "/alarms",
    "/alarm/{subject:path}",
    "/alarm_performance",
    "/suppressions",
    "/incidents",
    "/incident/{subject:path}",
    "/warnings",
    "/warnings/{subject:path}",
    "/entities",
    "/entity/{subject:path}",
    "/trends",
    "/rules",
    "/rules/{subject:path}",
    "/sources",
    "/subscriptions",
    "/registrations",
    "/procedures",
    "/procedures/{subject:path}",
    "/shift",
    "/people",
    "/audit",
    "/duty",
    "/notices",
    "/signed-out",
)
"""URLs of screens: each is answered with the one page, which reads the URL itself."""

DUTY_FILES = ("sw.js", "duty.webmanifest", "icon-192.png", "icon-512.png")
"""What lets the duty page be installed and opened without network."""

_TAGS = ("console",)

Handler = Callable[[Request], Awaitable[Response]]


def console_endpoints(settings: ConsoleSettings, static_dir: Path = STATIC_DIR) -> list[Endpoint]:
    """Routes that serve the built console from `static_dir` and the base map of `settings`."""
    page = _page(static_dir)
    screens = [_public(path, page, "A screen of the console") for path in SCREEN_PATHS]
    return [
        *screens,
        _public("/assets/{name:path}", _asset(static_dir / "assets"), "A file of the console"),
        _public("/push-worker.js", _file(static_dir, "push-worker.js"), "Shows web push messages"),
        _public("/favicon.svg", _file(static_dir, "favicon.svg"), "The icon of the console"),
        *(
            _public(f"/{name}", _fresh_file(static_dir, name), "A part of the mobile duty page")
            for name in DUTY_FILES
        ),
        _public(
            "/basemap/manifest.json",
            _manifest(settings.basemap_dir),
            "What the offline base map holds",
            BasemapManifest,
        ),
        _public(
            "/basemap/{name:path}",
            _basemap(settings.basemap_dir),
            "Tiles (HTTP ranges of the PMTiles archive), glyphs",
        ),
    ]


def _public(path: str, handler: Handler, summary: str, answer: type | None = None) -> Endpoint:
    return Endpoint("GET", path, Permission.PUBLIC, handler, summary, answer=answer, tags=_TAGS)


def _page(static_dir: Path) -> Handler:
    async def handle(_request: Request) -> Response:
        index = static_dir / "index.html"
        return send_page(index) if index.is_file() else HTMLResponse(UNBUILT_PAGE, 503)

    return handle


def _asset(folder: Path) -> Handler:
    async def handle(request: Request) -> Response:
        return send_asset(request, folder, request.path_params["name"])

    return handle


def _file(folder: Path, name: str) -> Handler:
    async def handle(_request: Request) -> Response:
        path = file_inside(folder, name)
        return send_range(path) if path else not_found(name)

    return handle


def _fresh_file(static_dir: Path, name: str) -> Handler:
    """A file that must not be older than the page: a worker of last week would serve its assets."""

    async def handle(_request: Request) -> Response:
        path = file_inside(static_dir, name)
        return send_page(path) if path else not_found(name)

    return handle


def _manifest(folder: Path | None) -> Handler:
    async def handle(_request: Request) -> Response:
        body = msgspec.json.encode(read_manifest(folder))
        return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})

    return handle


def _basemap(folder: Path | None) -> Handler:
    async def handle(request: Request) -> Response:
        name = request.path_params["name"]
        path = file_inside(folder, name) if folder else None
        return send_range(path) if path else not_found(name)

    return handle
