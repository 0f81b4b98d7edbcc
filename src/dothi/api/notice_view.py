"""Notices, deliveries and receipts as the API shows them: addresses are masked."""

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from dothi.ports.notices import DeliveryRecord, PushSubscription, Receipt, StoredNotice


class DeliveryView(Struct):
    """One way on which one person is told."""

    number: int
    person: str
    name: str
    """Of the person."""
    channel: str
    address: str
    """Masked."""
    state: str
    """reserve, waiting, accepted, delivered, failed, spared or captured."""
    attempts: int
    due_at: datetime
    """Of one that waits: when it is tried (again)."""
    changed_at: datetime
    detail: str
    """What the receiver or the network said last."""


class NoticeView(Struct):
    """One notice."""

    number: int
    id: str
    kind: str
    title: str
    at: datetime
    priority: int
    subject: str
    state: str
    """new, told, nobody, answered or unanswered."""
    told: list[str]
    """Positions."""
    next_at: datetime | None
    """When it goes on to the next position, or is tried again."""
    answered_at: datetime | None
    answered_by: str
    answer: str
    deliveries: list[DeliveryView]


class NoticePage(Struct):
    """Newest first."""

    items: list[NoticeView]
    next: int | None
    """`before` of the next page; null: there is none."""
    is_capturing: bool
    """Nothing is sent: what would have been is kept."""


class ReceiptView(Struct):
    """One line of the record."""

    at: datetime
    state: str
    detail: str
    delivery: int | None


class SentView(Struct):
    """What was written to a person."""

    delivery: int
    title: str
    text: str


class NoticeDetail(NoticeView):
    """One notice with its record."""

    receipts: list[ReceiptView]
    sent: list[SentView]


def notice_view(
    stored: StoredNotice, title: str, records: Sequence[DeliveryRecord], names: dict[str, str]
) -> NoticeView:
    """`names`: of people, by id."""
    notice = stored.notice
    return NoticeView(
        stored.number,
        notice.id,
        notice.kind,
        title,
        notice.at,
        int(notice.priority),
        notice.subject,
        str(stored.state),
        list(stored.told),
        stored.next_at,
        stored.answered_at,
        stored.answered_by,
        stored.answer,
        [_delivery_view(record, names) for record in records],
    )


def notice_detail(
    view: NoticeView, records: Sequence[DeliveryRecord], receipts: Sequence[Receipt]
) -> NoticeDetail:
    fields = {name: getattr(view, name) for name in NoticeView.__struct_fields__}
    return NoticeDetail(
        **fields,
        receipts=[ReceiptView(r.at, r.state, r.detail, r.delivery) for r in receipts],
        sent=[SentView(r.delivery.number, r.title, r.text) for r in records if r.title],
    )


def masked(channel: str, address: str) -> str:
    """Enough to tell addresses apart, too little to use them."""
    if channel == "web_push" or address.startswith("{"):
        try:
            browser = msgspec.json.decode(address, type=PushSubscription)
        except msgspec.DecodeError:
            return ""
        return browser.name or urlsplit(browser.endpoint).hostname or ""
    if "://" in address:
        return urlsplit(address).hostname or ""
    user, at, domain = address.partition("@")
    if at:
        return f"{user[:1]}…@{domain}"
    if re.fullmatch(r"\+?[\d\s.()-]+", address):
        digits = re.sub(r"\D", "", address)
        return f"{'+' if address.startswith('+') else ''}{digits[:2]}…{digits[-3:]}"
    return address


def _delivery_view(record: DeliveryRecord, names: dict[str, str]) -> DeliveryView:
    delivery = record.delivery
    return DeliveryView(
        delivery.number,
        delivery.person,
        names.get(delivery.person, delivery.person),
        delivery.channel,
        masked(delivery.channel, delivery.address),
        str(delivery.state),
        delivery.attempts,
        delivery.due_at,
        record.changed_at,
        record.detail,
    )
