"""Feeds of public warnings: each message is kept once, and makes or changes an entity `Alert`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import urljoin

import pyarrow as pa
from msgspec import Struct, field

from dothi.intake.pull.cap_rows import alert_rows, cancel_rows, entity_of, info_of
from dothi.intake.pull.connector import Malformed, Page, Request, Span
from dothi.intake.pull.settings import CapFeed
from dothi.model.batch import Rejection
from dothi.model.cap import CapStatus, CapUnreadable, FeedLink, MsgType, Received, Severity
from dothi.model.row import EMPTY_ROWS
from dothi.model.source import Source
from dothi.model.uri import without_login
from dothi.model.warning import ForeignWarning
from dothi.ports.clock import Clock
from dothi.ports.warnings import CapReader, ForeignWarnings, Link

_MESSAGE = "message"
_ANSWERS = frozenset({MsgType.ACK, MsgType.ERROR})


class CapPorts(Struct, frozen=True):
    """What a feed of warnings needs."""

    read: CapReader
    kept: ForeignWarnings
    clock: Clock


class _Taken(Struct):
    """What one document came to."""

    tables: list[pa.Table] = field(default_factory=list)
    keep: list[ForeignWarning] = field(default_factory=list)


class CapFeedConnector:
    """See the module."""

    key_file = ""

    def __init__(self, name: str, settings: CapFeed, ports: CapPorts) -> None:
        self.settings = settings
        self._name = name
        self._ports = ports
        self._statuses = {CapStatus(status) for status in settings.statuses}
        self.source = Source(
            settings.source or name,
            name,
            "pull",
            owner=without_login(settings.base_url),
            origin_note="warning of another authority",
            origin_note_vi="cảnh báo của cơ quan khác",
            cadence_s=settings.every_s,
        )

    def headers(self, key: str) -> dict[str, str]:
        return {"Accept": "application/cap+xml, application/atom+xml, application/xml;q=0.9"}

    def plan(self, span: Span) -> Sequence[Request]:
        return [Request(self.settings.base_url, is_conditional=True)]

    def decode(self, request: Request, payload: bytes, span: Span) -> Page:
        is_message = request.about[:1] == (_MESSAGE,)
        try:
            found = self._ports.read(payload)
        except CapUnreadable as error:
            if not is_message:
                raise Malformed(str(error)) from error
            return self._refused(request.url, str(error), payload)
        link = FeedLink(request.url, request.about[1]) if is_message else FeedLink("")
        taken = self._take(found.messages, link)
        following, elsewhere = ((), ()) if is_message else self._follow(found.links)
        rows = pa.concat_tables(taken.tables) if taken.tables else EMPTY_ROWS
        keep = taken.keep
        return Page(
            rows=rows,
            rejected=tuple(elsewhere),
            following=tuple(following),
            after_stored=(lambda: self._ports.kept.put(keep)) if keep else None,
        )

    def _take(self, messages: Sequence[Received], link: FeedLink) -> _Taken:
        """Older messages first; what a known later one replaced changes no entity."""
        taken, now_at = _Taken(), self._ports.clock.now()
        replaced = {
            one
            for received in messages
            if received.alert.msg_type not in _ANSWERS
            for one in received.alert.references
        }
        for received in messages:
            alert = received.alert
            entity = self._ports.kept.entity_of(alert) or entity_of(alert)
            is_current = (
                alert.status in self._statuses
                and not self._ports.kept.has(alert)
                and alert.msg_type not in _ANSWERS
                and alert.reference not in replaced
                and self._ports.kept.replaced_by(alert) is None
            )
            if is_current:
                table = self._rows(received, entity, now_at)
                if table is not None and table.num_rows:
                    taken.tables.append(table)
            taken.keep.append(self._kept(received, entity, link, now_at))
        return taken

    def _rows(self, received: Received, entity: str, now_at: datetime) -> pa.Table | None:
        alert, source = received.alert, self.source.id
        if alert.msg_type is MsgType.CANCEL:
            is_known = self._ports.kept.entity_of(alert) is not None
            return cancel_rows(alert, entity, source, self.settings) if is_known else None
        if alert.expires_at is not None and alert.expires_at <= now_at:
            return None
        return alert_rows(alert, entity, source, self.settings)

    def _kept(
        self, received: Received, entity: str, link: FeedLink, now_at: datetime
    ) -> ForeignWarning:
        alert = received.alert
        info = info_of(alert, self.settings.languages)
        return ForeignWarning(
            connector=self._name,
            sender=alert.sender,
            identifier=alert.identifier,
            sent_at=alert.sent_at,
            status=alert.status,
            msg_type=alert.msg_type,
            event=info.event if info else "",
            headline=(info.headline or info.event) if info else alert.note,
            severity=info.severity if info else Severity.UNKNOWN,
            area=", ".join(area.description for area in info.areas) if info else "",
            entity=entity,
            document=received.document,
            received_at=now_at,
            expires_at=alert.expires_at,
            url=link.url,
            url_updated=link.updated,
            references=tuple((r.sender, r.identifier, r.sent_at) for r in alert.references),
        )

    def _follow(self, links: Sequence[FeedLink]) -> tuple[Sequence[Request], Sequence[Rejection]]:
        """Requests for messages that are not known yet, the oldest first; links that lead to
        another host are refused."""
        known = self._ports.kept.known(self._name)
        wanted = list(dict.fromkeys(self._absolute(links)))
        ours = [link for link in wanted if _host(link.url) == _host(self.settings.base_url)]
        fresh = [link for link in ours if Link(link.url, link.updated) not in known]
        fresh.sort(key=lambda link: link.updated)
        elsewhere = sorted({link.url for link in wanted} - {link.url for link in ours})
        refused = [
            Rejection(
                self.source.id,
                "link_elsewhere",
                f"{without_login(url)} is not at the host of base_url: not asked; "
                "make a connector for it",
            )
            for url in elsewhere
        ]
        requests = [
            Request(link.url, about=(_MESSAGE, link.updated), is_optional=True)
            for link in fresh[: self.settings.messages_per_run]
        ]
        return requests, refused

    def _absolute(self, links: Sequence[FeedLink]) -> Iterator[FeedLink]:
        for link in links:
            yield FeedLink(urljoin(self.settings.base_url, link.url), link.updated)

    def _refused(self, url: str, reason: str, payload: bytes) -> Page:
        """One bad message is no reason to stop at the others."""
        sample = payload[:300].decode("utf-8", "replace")
        detail = f"{without_login(url)}: {reason}"
        return Page(
            rejected=(Rejection(self.source.id, "payload_malformed", detail, sample=sample),)
        )


def _host(url: str) -> str:
    scheme, _, rest = without_login(url).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
