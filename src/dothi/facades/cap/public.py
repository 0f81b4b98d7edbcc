"""What everybody may read: the feed and the messages, for caches and readers."""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Literal

import anyio.to_thread
import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.cap.composing import FILES
from dothi.facades.cap.feed import FEED_MEDIA_TYPE, Feed, make_answers_feed, make_feed
from dothi.facades.cap.reading import read_alert
from dothi.facades.cap.settings import WarningSettings
from dothi.facades.cap.writing import MEDIA_TYPE
from dothi.model.cap import CapStatus, Scope
from dothi.model.problem import Problem
from dothi.model.warning import ForeignWarning
from dothi.ports.clock import Clock
from dothi.ports.incidents import Evidence
from dothi.ports.warnings import ForeignWarnings, Warnings

_OPEN_TO_ALL = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": "public, max-age=30",
}


class FeedQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which messages: those that are meant (Actual), or exercises and tests."""

    status: Literal["Actual", "Exercise", "Test"] = "Actual"


class PublicStores(Struct, frozen=True):
    """Where the messages lie."""

    warnings: Warnings
    foreign: ForeignWarnings
    files: Evidence


class PublicWarnings:
    """Answers under /cap."""

    def __init__(
        self, stores: PublicStores, settings: WarningSettings, clock: Clock, public_url: str
    ) -> None:
        self._warnings = stores.warnings
        self._foreign = stores.foreign
        self._files = stores.files
        self._settings = settings
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    async def feed(self, request: Request) -> Response:
        """GET /cap/feed.atom."""
        status = CapStatus(_query(request).status)
        address = self._public_url or str(request.base_url).rstrip("/")
        made = await anyio.to_thread.run_sync(self._feed, status, address)
        return _answer(request, made.document, FEED_MEDIA_TYPE, made.updated_at)

    async def message(self, request: Request) -> Response:
        """GET /cap/{identifier}.xml: also of those that were replaced."""
        identifier = request.path_params["identifier"]
        answer = await anyio.to_thread.run_sync(self._answer_of, identifier)
        if answer is not None:
            return _answer(request, answer.document, MEDIA_TYPE, answer.sent_at)
        found = await anyio.to_thread.run_sync(self._warnings.by_identifier, identifier)
        if found is None or found.sent_at is None or found.content.scope is not Scope.PUBLIC:
            raise Problem(
                "warning_not_found",
                "No such warning",
                f"no public message has the identifier {identifier!r}",
                404,
                remedy="/cap/feed.atom lists them",
            )
        return _answer(request, found.document, MEDIA_TYPE, found.sent_at)

    async def file(self, request: Request) -> Response:
        """GET /cap/files/{sha256}: what goes with a released public message."""
        sha256 = request.path_params["sha256"]
        found = await anyio.to_thread.run_sync(self._file, sha256)
        if found is None:
            raise Problem(
                "file_not_found",
                "No such file",
                "no public warning has a file of this name",
                404,
                remedy="/cap/feed.atom lists the warnings",
            )
        path, media_type = found
        headers = {
            **_OPEN_TO_ALL,
            "cache-control": "public, max-age=86400, immutable",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
        }
        return FileResponse(path, media_type=media_type, headers=headers)

    def _file(self, sha256: str) -> tuple[Path, str] | None:
        path = self._files.path(sha256)
        if path is None:
            return None
        for message in self._warnings.with_file(sha256):
            if message.content.scope is Scope.PUBLIC:
                for one in message.content.attachments:
                    if one.sha256 == sha256:
                        return path, one.mime_type
        return None

    async def answers(self, request: Request) -> Response:
        """GET /cap/answers.atom."""
        address = self._public_url or str(request.base_url).rstrip("/")
        made = await anyio.to_thread.run_sync(self._answers, address)
        return _answer(request, made.document, FEED_MEDIA_TYPE, made.updated_at)

    def _answers(self, address: str) -> Feed:
        after_at = self._clock.now() - timedelta(hours=self._settings.longest_h)
        found = [one for one in self._foreign.own_answers(after_at) if _is_public(one)]
        name = self._settings.sender_name or self._settings.sender
        return make_answers_feed(found, address, self._clock.now(), name)

    def _answer_of(self, identifier: str) -> ForeignWarning | None:
        found = self._foreign.own_answer(identifier)
        return found if found is not None and _is_public(found) else None

    def _feed(self, status: CapStatus, address: str) -> Feed:
        now_at = self._clock.now()
        # Twice as long as they stay: what fell out lately still says when the feed changed.
        after_at = now_at - timedelta(hours=2 * self._settings.feed_keep_h)
        messages = self._warnings.published(status, after_at)
        return make_feed(messages, status, address, now_at, self._settings)


def endpoints(answers: PublicWarnings) -> list[Endpoint]:
    """Routes that need no identity."""
    tags = ("public warnings",)
    return [
        Endpoint(
            "GET", "/cap/feed.atom", Permission.PUBLIC, answers.feed,
            "Atom feed of public warnings (CAP 1.2)", FeedQuery, None, None, tags,
        ),
        Endpoint(
            "GET", f"{FILES}/{{sha256}}", Permission.PUBLIC, answers.file,
            "A file that goes with a public warning", None, None, None, tags,
        ),
        Endpoint(
            "GET", "/cap/answers.atom", Permission.PUBLIC, answers.answers,
            "Atom feed of our answers (Ack, Error) to messages of other authorities",
            None, None, None, tags,
        ),
        Endpoint(
            "GET", "/cap/{identifier}.xml", Permission.PUBLIC, answers.message,
            "A released public warning (CAP 1.2)", None, None, None, tags,
        ),
    ]  # fmt: skip


def _is_public(answer: ForeignWarning) -> bool:
    return read_alert(answer.document.encode()).scope is Scope.PUBLIC


def _query(request: Request) -> FeedQuery:
    try:
        return msgspec.convert(dict(request.query_params), FeedQuery)
    except msgspec.ValidationError as error:
        raise Problem(
            "parameter_invalid",
            "Parameter not understood",
            str(error),
            where="query status",
            remedy="leave it out, or say status=Exercise or status=Test",
        ) from error


def _answer(request: Request, document: str, media_type: str, changed_at: datetime) -> Response:
    """With validators (RFC 9110, 13.1): 304 when the reader has it."""
    body = document.encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        **_OPEN_TO_ALL,
        "etag": etag,
        "last-modified": format_datetime(changed_at.astimezone(UTC), usegmt=True),
    }
    if _has_it(request, etag, changed_at):
        return Response(None, 304, headers)
    return Response(body, 200, headers, f"{media_type}; charset=utf-8")


def _has_it(request: Request, etag: str, changed_at: datetime) -> bool:
    """If-None-Match decides where it is given (RFC 9110, 13.2.2)."""
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = [part.strip().removeprefix("W/") for part in known.split(",")]
        return "*" in tags or etag in tags
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return changed_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False
