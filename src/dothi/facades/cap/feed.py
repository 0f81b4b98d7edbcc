"""The Atom feed of warnings (RFC 4287): the newest message of every chain, updates and cancels
in the place of what they replace."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from dothi.facades.cap.reading import read_alert
from dothi.facades.cap.settings import WarningSettings
from dothi.facades.cap.writing import MEDIA_TYPE
from dothi.model.cap import Alert, CapStatus, MsgType
from dothi.model.warning import ForeignWarning, WarningMessage

FEED_MEDIA_TYPE = "application/atom+xml"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DRILL = "[DIỄN TẬP] "
_PREFIX = {MsgType.UPDATE: "Cập nhật: ", MsgType.CANCEL: "Hủy: "}


class Feed(Struct, frozen=True):
    """A document and when it last changed."""

    document: str
    updated_at: datetime


def make_feed(
    messages: Sequence[WarningMessage],
    status: CapStatus,
    address: str,
    now_at: datetime,
    settings: WarningSettings,
) -> Feed:
    """The feed at `address` (of the server, without a slash at the end).

    messages: the newest released message of every chain, those that are over included, so that the
    time of the last change also tells when something fell out.
    """
    keep = timedelta(hours=settings.feed_keep_h)
    listed = [m for m in messages if _until(m) + keep > now_at]
    gone = [_until(m) + keep for m in messages if _until(m) + keep <= now_at]
    sent = [m.sent_at for m in listed if m.sent_at is not None]
    updated_at = max([*sent, *gone], default=_day_of(now_at))
    own = f"{address}/cap/feed.atom"
    if status is not CapStatus.ACTUAL:
        own += f"?status={status}"
    lines = [
        *_feed_head(
            own, _title(status, settings), updated_at, settings.sender_name or settings.sender
        ),
        *(line for message in listed for line in _entry(message, address)),
        "</feed>",
    ]
    return Feed("\n".join(lines) + "\n", updated_at)


def make_answers_feed(
    answers: Sequence[ForeignWarning], address: str, now_at: datetime, name: str
) -> Feed:
    """Our public Acks and Errors to messages of other authorities, the newest first."""
    own = f"{address}/cap/answers.atom"
    updated_at = max((one.sent_at for one in answers), default=_day_of(now_at))
    lines = [
        *_feed_head(own, f"Phản hồi bản tin cảnh báo · {name}", updated_at, name),
        *(line for one in answers for line in _answer_entry(one, address)),
        "</feed>",
    ]
    return Feed("\n".join(lines) + "\n", updated_at)


def _feed_head(own: str, title: str, updated_at: datetime, name: str) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="vi">'
    yield f"<id>{escape(own)}</id>"
    yield f"<title>{escape(title)}</title>"
    yield f"<updated>{_utc(updated_at)}</updated>"
    yield f"<author><name>{escape(name)}</name></author>"
    yield f"<link rel={quoteattr('self')} type={quoteattr(FEED_MEDIA_TYPE)} href={quoteattr(own)}/>"


def _answer_entry(answer: ForeignWarning, address: str) -> Iterator[str]:
    link = f"{address}/cap/{answer.identifier}.xml"
    to = ", ".join(identifier for _sender, identifier, _at in answer.references)
    mark = "" if answer.status is CapStatus.ACTUAL else _DRILL
    yield "<entry>"
    yield f"<id>{escape(_iri(answer.identifier, link))}</id>"
    yield f"<title>{escape(f'{mark}{answer.msg_type}: {to}')}</title>"
    yield f"<updated>{_utc(answer.sent_at)}</updated>"
    yield f"<published>{_utc(answer.sent_at)}</published>"
    if answer.headline:
        yield f"<summary>{escape(answer.headline)}</summary>"
    yield f"<link rel='alternate' type={quoteattr(MEDIA_TYPE)} href={quoteattr(link)}/>"
    yield "</entry>"


def _entry(message: WarningMessage, address: str) -> Iterator[str]:
    alert = read_alert(message.document.encode())
    sent = _utc(alert.sent_at)
    link = f"{address}/cap/{alert.identifier}.xml"
    yield "<entry>"
    yield f"<id>{escape(_iri(alert.identifier, link))}</id>"
    yield f"<title>{escape(_headline(alert))}</title>"
    yield f"<updated>{sent}</updated>"
    yield f"<published>{sent}</published>"
    for info in alert.infos[:1]:
        for category in info.categories:
            yield f"<category term={quoteattr(category)}/>"
        text = "\n\n".join(part for part in (info.description, info.instruction) if part)
        if text:
            yield f"<summary>{escape(text)}</summary>"
    yield f"<link rel='alternate' type={quoteattr(MEDIA_TYPE)} href={quoteattr(link)}/>"
    yield "</entry>"


def _headline(alert: Alert) -> str:
    info = alert.infos[0] if alert.infos else None
    text = (info.headline or info.event) if info else alert.identifier
    prefix = _PREFIX.get(alert.msg_type, "")
    if text.startswith(prefix):
        prefix = ""
    return ("" if alert.status is CapStatus.ACTUAL else _DRILL) + prefix + text


def _title(status: CapStatus, settings: WarningSettings) -> str:
    name = settings.sender_name or settings.sender
    return ("" if status is CapStatus.ACTUAL else _DRILL) + f"Cảnh báo công cộng · {name}"


def _iri(identifier: str, link: str) -> str:
    """An Atom id is an IRI with a scheme (RFC 4287, 4.2.6)."""
    return identifier if ":" in identifier else link


def _until(message: WarningMessage) -> datetime:
    return message.expires_at or message.sent_at or _EPOCH


def _day_of(now_at: datetime) -> datetime:
    """When a feed without entries was updated: RFC 4287, 4.1.1 wants a time, and readers keep what
    has not changed since."""
    return now_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
