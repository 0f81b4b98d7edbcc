"""`POST /api/v1/observations`: many observations in one message, answered after the commit."""

import re

import anyio
import anyio.to_thread
import msgspec
from msgspec import Struct, field
from msgspec.structs import replace
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.intake.http.arrow_rows import decode_arrow
from dothi.intake.http.body import InFlight, receive, unpack
from dothi.intake.http.decoded import Decoded
from dothi.intake.http.json_rows import decode_json, decode_ndjson
from dothi.intake.http.settings import HttpIntakeSettings
from dothi.intake.http.unreadable import Unreadable, sample_of
from dothi.model.batch import Batch, CommitResult, Rejection, new_batch_id, rejection_only
from dothi.model.problem import Problem
from dothi.ports.clock import Clock
from dothi.ports.ingest import Ingest

PATH = "/api/v1/observations"
_ARROW = "application/vnd.apache.arrow.stream"
_NDJSON = ("application/x-ndjson", "application/jsonl")
_JSON = ("application/json", "")
_INLINE_BYTES, _INLINE_ARROW_BYTES = 8 * 1024, 64 * 1024
"""Up to this size decoding costs less than a hop to a thread, which waits twice for others; columns
are taken as they are, 500 rows of them hardly longer than 50."""
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_SOURCE = re.compile(r"[A-Za-z0-9._-]{1,200}")


class SourceQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Query of the bulk door."""

    source: str = ""
    """Whose rows these are; a device token names it by itself."""


class RowReject(msgspec.Struct, frozen=True):
    """Why a row, or `count` rows of one reason, was not stored."""

    row: int | None
    reason: str
    detail: str
    count: int = 1


class IngestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """received = stored + duplicates + rejected; given when stored rows survive a power cut."""

    batch: str
    received: int
    stored: int
    duplicates: int
    rejected: int
    replayed: bool
    rejects: list[RowReject]


class HttpIntakeDeps(Struct, frozen=True):
    """What the door needs."""

    ingest: Ingest
    clock: Clock
    settings: HttpIntakeSettings = field(default_factory=HttpIntakeSettings)


def endpoints(deps: HttpIntakeDeps) -> list[Endpoint]:
    """The routes of the door."""
    return [
        Endpoint(
            "POST",
            PATH,
            Permission.WRITE_OBSERVATIONS,
            BulkDoor(deps).post,
            "Send many observations as a JSON array, NDJSON or an Arrow IPC stream",
            query=SourceQuery,
            answer=IngestAnswer,
            tags=("observations",),
        )
    ]


class BulkDoor:
    """One per process: it bounds what is received and decoded at once."""

    def __init__(self, deps: HttpIntakeDeps) -> None:
        self._deps = deps
        self._in_flight = InFlight(deps.settings.max_in_flight_bytes)
        self._decoders = anyio.CapacityLimiter(2)

    async def post(self, request: Request) -> Response:
        """Receive, decode, commit, answer."""
        source = _source_of(request)
        key = request.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise Problem(
                "idempotency_key_invalid",
                "Idempotency-Key cannot be used",
                "it must have 1 to 200 printable ASCII characters without spaces",
                where="header Idempotency-Key",
                remedy="send a UUID",
            )
        received_at = self._deps.clock.now()
        body = b""
        with self._in_flight.message() as held:
            try:
                body = await receive(
                    request.stream(),
                    _declared_bytes(request),
                    self._deps.settings.max_body_bytes,
                    held,
                )
                decoded = await self._decode(request, body, source)
            except (Unreadable, ClientDisconnect) as error:
                refusal = _as_unreadable(error)
                rejection = Rejection(
                    source, refusal.reason, refusal.detail, sample=sample_of(body)
                )
                await self._deps.ingest.submit(
                    rejection_only(_batch_id(source, None), received_at, (rejection,))
                )
                raise refusal.problem() from error
            principal: Principal = request.state.principal
            batch = Batch(
                _batch_id(source, key),
                decoded.rows,
                received_at,
                decoded.rejected,
                is_trusted=principal.may(Permission.WRITE_ENTITIES),
                is_single=key is None,
            )
            result = await self._deps.ingest.submit(batch)
        answer = self._answer(result, decoded)
        all_refused = answer.rejected > 0 and answer.rejected == answer.received
        return Response(
            msgspec.json.encode(answer),
            status_code=422 if all_refused else 200,
            media_type="application/json",
        )

    async def _decode(self, request: Request, body: bytes, source: str) -> Decoded:
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = request.headers.get("content-encoding", "").strip().lower()
        most = _INLINE_ARROW_BYTES if media == _ARROW else _INLINE_BYTES
        if len(body) <= most and encoding in ("", "identity"):
            return decode(body, media, encoding, source, self._deps.settings)
        return await anyio.to_thread.run_sync(
            decode, body, media, encoding, source, self._deps.settings, limiter=self._decoders
        )

    def _answer(self, result: CommitResult, decoded: Decoded) -> IngestAnswer:
        # The pipeline counts rows in the Batch; the sender counts them in the message.
        at_door = {id(rejection) for rejection in decoded.rejected}
        shown = [
            r if id(r) in at_door else replace(r, row=decoded.sent_index(r.row))
            for r in result.rejected[: self._deps.settings.rejects_shown]
        ]
        return IngestAnswer(
            batch=result.batch,
            received=result.received,
            stored=result.stored,
            duplicates=result.duplicates,
            rejected=result.rejected_count,
            replayed=result.replayed,
            rejects=[RowReject(r.row, r.reason, r.detail, r.count) for r in shown],
        )


def decode(
    body: bytes, media: str, encoding: str, source: str, settings: HttpIntakeSettings
) -> Decoded:
    """Bytes of a message to rows of `source`.

    Raises:
        Unreadable: nothing of it can be taken.
    """
    if media == _ARROW:
        data = unpack(body, encoding, settings.max_decoded_bytes)
        return decode_arrow(data, source, settings.max_rows, settings.max_decoded_bytes)
    if media in _NDJSON:
        data = unpack(body, encoding, settings.max_json_bytes)
        return decode_ndjson(data, source, settings.max_rows)
    if media in _JSON:
        data = unpack(body, encoding, settings.max_json_bytes)
        return decode_json(data, source, settings.max_rows)
    raise Unreadable(
        "media_type_unknown",
        f"Content-Type {media!r} is not known",
        f"send application/json, {_NDJSON[0]} or {_ARROW}",
        415,
    )


def _source_of(request: Request) -> str:
    principal: Principal = request.state.principal
    unknown = sorted(set(request.query_params) - {"source"})
    if unknown:
        raise Problem(
            "parameter_unknown",
            "Unknown parameter",
            f"{unknown[0]!r} is not a parameter of this request",
            where="query",
            remedy="the only parameter is 'source'",
        )
    named = request.query_params.get("source", "")
    if principal.source is not None:
        if named not in ("", principal.source):
            raise Problem(
                "source_of_another",
                "Not your source",
                f"this token sends for {principal.source!r}, not for {named!r}",
                403,
                where="query source",
                remedy="leave ?source= out, or use the token of that source",
            )
        return principal.source
    if not _SOURCE.fullmatch(named):
        raise Problem(
            "source_missing",
            "Whose observations are these?",
            "a person must name the source: letters, digits, '-', '_', '.', at most 200",
            where="query source",
            remedy="add ?source=<id>, or send with the device token of a source",
        )
    return named


def _declared_bytes(request: Request) -> int | None:
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdigit() else None


def _as_unreadable(error: Unreadable | ClientDisconnect) -> Unreadable:
    if isinstance(error, Unreadable):
        return error
    return Unreadable("body_truncated", "the connection ended before the message", "send it again")


def _batch_id(source: str, key: str | None) -> str:
    # A key belongs to its source: two devices may both count from 1.
    return f"http:{source}:{key or new_batch_id()}"
