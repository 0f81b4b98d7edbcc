"""One info block: CAP 1.2, 3.2.2 and 3.2.3, and the rules that no schema can say."""

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from dothi.facades.cap.checks.area import check_area
from dothi.facades.cap.checks.finding import Findings, note, wrong
from dothi.facades.cap.writing import has_unwritable
from dothi.model.cap import Info, Named, Resource

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
"""RFC 3066, clause 2.1."""
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|&(#\d+|#x[0-9A-Fa-f]+|[A-Za-z]+);")
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_LONG_HEADLINE = 160
"""CAP 1.2, headline: note that some displays show 160 characters only."""
_TEXTS = ("event", "audience", "sender_name", "headline", "description", "instruction", "contact")
_ELEMENT = {"sender_name": "senderName"}


def check_info(info: Info, sent_at: datetime, where: str) -> Findings:
    """Everything about one block, alone."""
    if not info.event:
        yield wrong(f"{where}.event", "missing", "no event is named", "choose what it is about")
    if not info.categories:
        yield wrong(f"{where}.category", "missing", "no category", "choose at least one")
    if info.language and not _LANGUAGE.fullmatch(info.language):
        yield wrong(
            f"{where}.language",
            "language",
            f"{info.language!r} is no language tag of RFC 3066",
            "write e.g. vi-VN or en-US",
        )
    yield from _texts(info, where)
    yield from _times(info, sent_at, where)
    yield from _twice(info.categories, f"{where}.category")
    yield from _twice(info.response_types, f"{where}.responseType")
    if info.web and not _is_web(info.web):
        yield wrong(
            f"{where}.web",
            "web",
            f"{info.web!r} is no absolute web address",
            "start with https:// and give the whole address",
        )
    for name, pairs in (("eventCode", info.event_codes), ("parameter", info.parameters)):
        yield from _named(pairs, f"{where}.{name}")
    for number, resource in enumerate(info.resources):
        yield from _resource(resource, f"{where}.resource[{number}]")
    for number, area in enumerate(info.areas):
        yield from check_area(area, f"{where}.area[{number}]")


def _texts(info: Info, where: str) -> Findings:
    for name in _TEXTS:
        text: str = getattr(info, name)
        element = f"{where}.{_ELEMENT.get(name, name)}"
        if has_unwritable(text):
            yield wrong(
                element,
                "unwritable",
                "the text holds a control character",
                "type the text anew instead of pasting it",
            )
        if (found := _MARKUP.search(text)) is not None:
            yield wrong(
                element,
                "markup",
                f"{found.group()!r} is HTML: receivers show it as it stands",
                "write plain text",
            )
    if len(info.headline) > _LONG_HEADLINE:
        yield note(
            f"{where}.headline",
            "headline_long",
            f"{len(info.headline)} characters; some displays show {_LONG_HEADLINE}",
            "shorten it",
        )


def _times(info: Info, sent_at: datetime, where: str) -> Findings:
    start_at = info.effective_at or sent_at
    if info.expires_at is None:
        yield note(
            f"{where}.expires",
            "no_expiry",
            "it never ends by itself",
            "say until when it holds",
        )
        return
    if info.expires_at <= start_at:
        yield wrong(
            f"{where}.expires",
            "expires_early",
            "it expires before it begins",
            "choose a time after the sending and after `effective`",
        )
    if info.onset_at is not None and info.onset_at > info.expires_at:
        yield wrong(
            f"{where}.onset",
            "onset_late",
            "the event begins after the warning has expired",
            "let it expire later, or the event begin earlier",
        )


def _twice(words: Sequence[str], where: str) -> Findings:
    if len(set(words)) < len(words):
        yield wrong(where, "twice", "a value is given twice", "give each once")


def _named(pairs: Sequence[Named], where: str) -> Findings:
    for number, pair in enumerate(pairs):
        if not (pair.name and pair.value) or has_unwritable(pair.name + pair.value):
            yield wrong(
                f"{where}[{number}]",
                "missing",
                "a name and a value are needed",
                "give both, in plain text",
            )


def _resource(resource: Resource, where: str) -> Findings:
    if not resource.description:
        yield wrong(f"{where}.resourceDesc", "missing", "no description", "say what it shows")
    if not _MIME.fullmatch(resource.mime_type):
        yield wrong(
            f"{where}.mimeType",
            "mime_type",
            f"{resource.mime_type!r} is no media type",
            "write e.g. image/png",
        )
    if resource.uri and not urlsplit(resource.uri).scheme:
        yield wrong(f"{where}.uri", "web", "the address is not absolute", "start with https://")
    if resource.digest and not _SHA1.fullmatch(resource.digest):
        yield wrong(
            f"{where}.digest", "digest", "it is no SHA-1 in hex", "give 40 hexadecimal digits"
        )


def _is_web(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and " " not in text
