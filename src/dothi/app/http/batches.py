"""`POST /api/v1/batches`: a whole Batch from a command of this machine, e.g. `dothi import`."""

import asyncio

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.model.batch import CommitResult
from dothi.model.batch_message import decode_batch
from dothi.model.problem import Problem
from dothi.ports.ingest import Ingest

PATH = "/api/v1/batches"


class Batches:
    """One process writes the log, so commands hand their batches to it."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "POST",
                PATH,
                Permission.ADMINISTER,
                self.post,
                "Hand in a whole batch (for commands of dothi itself)",
                answer=CommitResult,
                tags=("operation",),
            )
        ]

    async def post(self, request: Request) -> Response:
        content = await request.body()
        try:
            batch = await asyncio.to_thread(decode_batch, content)
        except ValueError as error:
            raise Problem(
                "bad_batch", "Not a batch", str(error), 400, remedy="use the command of dothi"
            ) from error
        # Whoever administers may write every series; that is never taken from the message.
        result = await self._ingest.submit(replace(batch, is_trusted=True))
        return Response(msgspec.json.encode(result), media_type="application/json")
