"""Answers as JSON."""

import msgspec
from starlette.responses import Response


def answer(content: object, status: int = 200) -> Response:
    """A JSON answer that no cache keeps."""
    return Response(
        msgspec.json.encode(content),
        status,
        {"cache-control": "no-store"},
        "application/json",
    )
