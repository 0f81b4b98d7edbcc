"""The built console as files: hashed assets are kept by browsers for a year, the page never."""

import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

STATIC_DIR = Path(__file__).parent / "static"

_FOREVER = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"
_ASK_AGAIN = "no-cache"
_TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
    ".pbf": "application/x-protobuf",
    ".pmtiles": "application/vnd.pmtiles",
}
_LONGEST = 255
"""Bytes of a file's name; the system refuses to look for a longer one."""
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""Compressed twins that the build wrote beside a file, the smaller first."""


def file_inside(folder: Path, name: str) -> Path | None:
    """The file called `name` below `folder`; None: not there, or a way out of the folder."""
    if "\x00" in name or any(len(part.encode()) > _LONGEST for part in name.split("/")):
        return None
    found = (folder / name).resolve()
    return found if found.is_relative_to(folder.resolve()) and found.is_file() else None


def media_type(path: Path) -> str:
    return (
        _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )


def not_found(what: str) -> Response:
    return Response(f"{what} is not there\n", status_code=404, media_type="text/plain")


def send_asset(request: Request, folder: Path, name: str) -> Response:
    """A file whose name holds the hash of its content, compressed as the browser likes it."""
    path = file_inside(folder, name)
    if path is None:
        return not_found(name)
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
    accepted = request.headers.get("accept-encoding", "")
    for encoding, suffix in _ENCODINGS:
        twin = path.with_name(path.name + suffix)
        if encoding in accepted and twin.is_file():
            headers["content-encoding"] = encoding
            return FileResponse(twin, headers=headers, media_type=media_type(path))
    return FileResponse(path, headers=headers, media_type=media_type(path))


def send_page(path: Path) -> Response:
    """A file that browsers ask for again each time: it names the present assets."""
    return FileResponse(path, headers={"cache-control": _ASK_AGAIN}, media_type=media_type(path))


def send_range(path: Path) -> Response:
    """A file or the range of it that was asked for; kept for an hour (the ETag tells a change)."""
    return FileResponse(path, headers={"cache-control": _AN_HOUR}, media_type=media_type(path))
