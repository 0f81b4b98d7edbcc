"""The Atom feed of warnings (RFC 4287): the newest message of every chain, updates and cancels
in the place of what they replace."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from dothi.facades.cap.reading import read_alert
from dothi.facades.cap.settings import WarningSettings
from dothi.facades.cap.writing import MEDIA_TYPE
from dothi.model.cap import Alert, CapStatus, MsgType
from dothi.model.warning import WarningMessage

FEED_MEDIA_TYPE = "application/atom+xml"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DRILL = "[DIỄN TẬP] "
_PREFIX = {MsgType.UPDATE: "Cập nhật: ", MsgType.CANCEL: "Hủy: "}


@dataclass(frozen=True, slots=True)
class Feed:
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
    updated_at = max([_EPOCH, *sent, *gone])
    own = f"{address}/cap/feed.atom"
    if status is not CapStatus.ACTUAL:
        own += f"?status={status}"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="vi">',
        f"<id>{escape(own)}</id>",
        f"<title>{escape(_title(status, settings))}</title>",
        f"<updated>{_utc(updated_at)}</updated>",
        f"<author><name>{escape(settings.sender_name or settings.sender)}</name></author>",
        f"<link rel={quoteattr('self')} type={quoteattr(FEED_MEDIA_TYPE)} href={quoteattr(own)}/>",
        *(line for message in listed for line in _entry(message, address)),
        "</feed>",
    ]
    return Feed("\n".join(lines) + "\n", updated_at)


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


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
