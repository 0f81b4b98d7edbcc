"""Files that come as the plain body of a request."""

import hashlib
from pathlib import Path

import anyio.to_thread
from msgspec import Struct
from starlette.requests import Request

from dothi.model.problem import Problem
from dothi.ports.incidents import Evidence, Stored, Upload

SHOWN = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/webp": b"RIFF",
}
"""What a page may show, by how its bytes begin."""
PLAIN = "application/octet-stream"
_KINDS = SHOWN | {"application/pdf": b"%PDF-"}
_HEAD_BYTES = 16


class Received(Struct, frozen=True):
    """A file that is kept."""

    stored: Stored
    media_type: str
    """By its first bytes; what is not known there is PLAIN."""
    sha1: str
    """Hex, as CAP asks for it (CAP 1.2, 3.2.3, digest)."""


async def receive(request: Request, files: Evidence, most_bytes: int, remedy: str) -> Received:
    """Keep the body. Raises Problem: too large (413), or nothing in it (400)."""
    upload: Upload = await anyio.to_thread.run_sync(files.begin)
    digest = hashlib.sha1(usedforsecurity=False)
    head = b""
    try:
        async for part in request.stream():
            head = (head + part)[:_HEAD_BYTES] if len(head) < _HEAD_BYTES else head
            if upload.size_bytes + len(part) > most_bytes:
                raise _too_large(most_bytes, remedy)
            digest.update(part)
            await anyio.to_thread.run_sync(upload.write, part)
        if not upload.size_bytes:
            raise Problem(
                "file_empty", "The file is empty", "the request has no body", where="body"
            )
        stored = await anyio.to_thread.run_sync(upload.keep)
    finally:
        await anyio.to_thread.run_sync(upload.drop)
    return Received(stored, media_type_of(head), digest.hexdigest())


def media_type_of(head: bytes) -> str:
    """Of a file that begins so."""
    return next((kind for kind, mark in _KINDS.items() if head.startswith(mark)), PLAIN)


def file_kind(path: Path) -> str:
    """Media type of a kept file."""
    with path.open("rb") as file:
        return media_type_of(file.read(_HEAD_BYTES))


def _too_large(most_bytes: int, remedy: str) -> Problem:
    return Problem(
        "file_too_large",
        "The file is too large",
        f"at most {most_bytes:,} bytes are taken",
        413,
        where="body",
        remedy=remedy,
    )
