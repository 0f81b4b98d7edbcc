"""Files that go with public warnings (CAP 1.2, 3.2.3, resource): put up, and looked at again."""

from typing import Annotated

import anyio.to_thread
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.kept_files import WarningFiles
from dothi.api.person import NoQuery
from dothi.api.query import decode_query
from dothi.api.uploads import PLAIN, file_kind, receive
from dothi.model.problem import Problem
from dothi.model.warning import FILE_KINDS, Attachment

_REMEDY = "make it smaller; phones on a bad line have to load it"


class WarningFileQuery(Struct, forbid_unknown_fields=True):
    """Of the file that is the body."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]


def endpoints(files: WarningFiles) -> list[Endpoint]:
    """Routes about files of warnings."""

    async def put(request: Request) -> Response:
        asked = decode_query(request, WarningFileQuery)
        got = await receive(request, files.store, files.most_bytes, _REMEDY)
        if got.media_type == PLAIN:
            raise Problem(
                "file_kind",
                "This kind of file cannot go with a warning",
                f"{asked.name!r} is none of {', '.join(FILE_KINDS)}",
                422,
                where="body",
                remedy="save it as a picture (PNG, JPEG, WebP) or as a PDF",
            )
        name = asked.name.replace("/", "_").replace("\\", "_")
        kept = got.stored
        return answer(Attachment(name, got.media_type, kept.size_bytes, got.sha1, kept.sha256), 201)

    async def get(request: Request) -> Response:
        decode_query(request, NoQuery)
        path = await anyio.to_thread.run_sync(files.store.path, request.path_params["sha256"])
        if path is None:
            raise Problem("file_not_found", "No such file", "no file has this SHA-256", 404)
        kind = await anyio.to_thread.run_sync(file_kind, path)
        return FileResponse(path, media_type=kind, headers=_HARMLESS)

    tags, root = ("warnings",), "/api/v1/warnings/files"
    body = {"requestBody": {"required": True, "content": {"application/octet-stream": {}}}}
    return [
        Endpoint(
            "POST", root, Permission.WARNINGS_WRITE, put,
            "Put up a file for a warning", WarningFileQuery, None, Attachment, tags, body,
        ),
        Endpoint(
            "GET", f"{root}/{{sha256}}", Permission.READ, get,
            "A file of a warning", NoQuery, None, None, tags,
        ),
    ]  # fmt: skip


_HARMLESS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, no-cache",
}
