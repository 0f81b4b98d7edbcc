"""Notices to people: who was told of what, what became of it, answering, and trying it out."""

from typing import Annotated, Literal
from uuid import uuid4

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.notice_deps import NoticeDeps, known_person
from dothi.api.notice_view import NoticeDetail, NoticePage, NoticeView, notice_detail, notice_view
from dothi.api.people_deps import asker, in_thread, number_in
from dothi.api.person import NoQuery
from dothi.api.query import Whole, decode_body, decode_query
from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.ports.notices import NoticeQuestion, StoredNotice
from dothi.ports.telling import ChannelHealth

_TEST = "test"


class NoticesQuery(Struct, forbid_unknown_fields=True):
    """Which notices; newest first."""

    state: Literal["", "new", "told", "nobody", "answered", "unanswered"] = ""
    kind: Annotated[str, Meta(max_length=100)] = ""
    """May hold `*`."""
    subject: Annotated[str, Meta(max_length=200)] = ""
    """As `alarm:12`."""
    mine: bool = False
    """Only what was told to the one who asks."""
    before: Whole = 0
    """Only those with a smaller number."""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    language: Literal["vi", "en"] = "vi"
    """Of the titles."""


class LanguageQuery(Struct, forbid_unknown_fields=True):
    """Of the titles."""

    language: Literal["vi", "en"] = "vi"


class AnswerBody(Struct, forbid_unknown_fields=True):
    """What the others may read; may be empty."""

    text: Annotated[str, Meta(max_length=500)] = ""


class ChannelsView(Struct):
    """Channels in the order in which they are tried."""

    channels: list[ChannelHealth]
    is_capturing: bool
    """Nothing is sent: what would have been is kept."""


class NoticeHandlers:
    """Each asks the store in a worker thread."""

    def __init__(self, deps: NoticeDeps) -> None:
        self._deps = deps

    async def page(self, request: Request) -> Response:
        asked = decode_query(request, NoticesQuery)
        question = NoticeQuestion(
            asked.state,
            asked.kind,
            asked.subject,
            asker(request).name if asked.mine else "",
            asked.before,
            asked.limit + 1,
        )
        return answer(await in_thread(self._page, question, asked.language))

    async def one(self, request: Request) -> Response:
        asked = decode_query(request, LanguageQuery)
        return answer(await in_thread(self._one, number_in(request), asked.language))

    async def reply(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, AnswerBody)
        number, by, now = number_in(request), asker(request).name, self._deps.clock.now()
        stored = await in_thread(self._deps.notices.answer, number, by, body.text.strip(), now)
        if stored is None:
            raise _no_such_notice(number)
        return answer(await in_thread(self._one, number, "vi"))

    async def test(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        me, now = asker(request), self._deps.clock.now()
        await in_thread(known_person, self._deps.people, me.name)
        notice = Notice(
            f"test:{uuid4()}",
            _TEST,
            now,
            Priority.LOW,
            f"person:{me.name}",
            {"by": me.title or me.name},
            people=(me.name,),
        )
        await in_thread(self._deps.notices.put, [notice])
        self._deps.telling.wake()
        question = NoticeQuestion(subject=notice.subject, kind=_TEST, limit=1)
        [stored] = await in_thread(self._deps.notices.page, question)
        return answer(await in_thread(self._one, stored.number, "vi"), 202)

    async def channels(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        found = await in_thread(self._deps.telling.health)
        return answer(ChannelsView(found, self._deps.telling.is_capturing))

    def _page(self, question: NoticeQuestion, language: str) -> NoticePage:
        found = self._deps.notices.page(question)
        shown = found[: question.limit - 1]
        next_before = shown[-1].number if len(found) == question.limit else None
        return NoticePage(
            self._views(shown, language), next_before, self._deps.telling.is_capturing
        )

    def _views(self, found: list[StoredNotice], language: str) -> list[NoticeView]:
        deps = self._deps
        records = deps.notices.deliveries([one.number for one in found])
        names = {person.id: person.name for person in deps.people.all()}
        return [
            notice_view(
                one,
                deps.telling.title(one, language),
                [record for record in records if record.delivery.notice == one.number],
                names,
            )
            for one in found
        ]

    def _one(self, number: int, language: str) -> NoticeDetail:
        stored = self._deps.notices.get(number)
        if stored is None:
            raise _no_such_notice(number)
        [view] = self._views([stored], language)
        records = self._deps.notices.deliveries([number])
        return notice_detail(view, records, self._deps.notices.receipts(number))


def _no_such_notice(number: int) -> Problem:
    return Problem(
        "notice_not_found",
        "No such notice",
        f"there is no notice {number}, or it is so old that it was forgotten",
        404,
        remedy="GET /api/v1/notices lists them",
    )


def endpoints(deps: NoticeDeps) -> list[Endpoint]:
    """Routes about notices."""
    handlers = NoticeHandlers(deps)
    read, duty = Permission.READ, Permission.DUTY
    root, tags = "/api/v1/notices", ("notices",)
    return [
        Endpoint(
            "GET", root, read, handlers.page,
            "Who was told of what, and what became of it", NoticesQuery, None, NoticePage, tags,
        ),
        Endpoint(
            "GET", f"{root}/channels", read, handlers.channels,
            "How each channel does", NoQuery, None, ChannelsView, tags,
        ),
        Endpoint(
            "POST", f"{root}/test", duty, handlers.test,
            "Send a test message to oneself on every channel", NoQuery, None, NoticeDetail, tags,
        ),
        Endpoint(
            "GET", f"{root}/{{id}}", read, handlers.one,
            "A notice with its record", LanguageQuery, None, NoticeDetail, tags,
        ),
        Endpoint(
            "POST", f"{root}/{{id}}/answer", duty, handlers.reply,
            "Answer a notice: nobody else is told", NoQuery, AnswerBody, NoticeDetail, tags,
        ),
    ]  # fmt: skip
