"""Evidence: files go up as the plain body of a request and come back as attachments."""

import re
from typing import Annotated
from urllib.parse import quote

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.incidents.deps import IncidentDeps, in_thread, number_in, who
from dothi.api.incidents.rooms import ROOT, answer_room, room_of
from dothi.api.incidents.shapes import Room
from dothi.api.person import NoQuery
from dothi.api.query import decode_query, wrong_parameter
from dothi.api.uploads import SHOWN, receive
from dothi.incidents import timeline
from dothi.model.incident import EvidenceFile
from dothi.model.problem import Problem

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, and marks that turn the direction of writing: they would show another name
than the one on record."""


class FileParameters(Struct, forbid_unknown_fields=True):
    """Of the file that is the body."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    note: Annotated[str, Meta(max_length=2000)] = ""
    run: int | None = None
    """Procedure that asked for it, and its step."""
    step: str = ""


class FileHandlers:
    def __init__(self, deps: IncidentDeps) -> None:
        self._deps = deps
        self._centre = deps.centre

    async def put(self, request: Request) -> Response:
        asked = decode_query(request, FileParameters)
        if _UNSEEN.search(asked.name):
            raise wrong_parameter(
                "name", "holds characters that nobody sees", "leave out control characters"
            )
        number, by = number_in(request), who(request)
        await in_thread(self._centre.get, number)  # before megabytes are taken for nothing
        remedy = "make it smaller, or raise incidents.max_file_mb"
        most_bytes = self._deps.max_file_bytes
        got = await receive(request, self._deps.evidence, most_bytes, remedy)
        file = EvidenceFile(
            0,
            asked.name.replace("/", "_").replace("\\", "_"),
            got.media_type,
            got.stored.size_bytes,
            got.stored.sha256,
            by,
            self._centre.now(),
            asked.run,
            asked.step,
        )

        def added() -> Room:
            record = self._centre.change(
                number, by, lambda r, actor: timeline.add_file(r, file, asked.note, actor)
            )
            return room_of(self._deps, record)

        return answer_room(await in_thread(added), 201)

    async def get(self, request: Request) -> Response:
        """Nothing in the file can act in the name of the one who opens it."""
        decode_query(request, NoQuery)
        number, wanted = number_in(request), number_in(request, "file")
        record = await in_thread(self._centre.get, number)
        file = next((f for f in record.files if f.number == wanted), None)
        path = await in_thread(self._deps.evidence.path, file.sha256) if file else None
        if file is None or path is None:
            raise Problem(
                "file_not_found",
                "No such file",
                f"incident {number} has no file {wanted}"
                if file is None
                else f"the bytes of {file.name} ({file.sha256}) are not in the data folder",
                404,
                remedy="" if file is None else "restore the folder evidence/ from the backup",
            )
        how = "inline" if file.media_type in SHOWN else "attachment"
        return FileResponse(
            path,
            media_type=file.media_type,
            headers={
                "content-disposition": f"{how}; filename*=UTF-8''{quote(file.name)}",
                "x-content-type-options": "nosniff",
                "content-security-policy": "default-src 'none'; sandbox",
                "cache-control": "private, no-cache",
                "etag": f'"{file.sha256}"',
            },
        )


def endpoints(deps: IncidentDeps) -> list[Endpoint]:
    """Routes about evidence."""
    h = FileHandlers(deps)
    files, tags = f"{ROOT}/{{id}}/files", ("incidents",)
    body = {"requestBody": {"required": True, "content": {"application/octet-stream": {}}}}
    return [
        Endpoint(
            "POST", files, Permission.INCIDENTS_WRITE, h.put,
            "Put a file into the record", FileParameters, None, Room, tags, body,
        ),
        Endpoint(
            "GET", f"{files}/{{file}}", Permission.READ, h.get,
            "A file of the record", NoQuery, None, None, tags,
        ),
    ]  # fmt: skip
