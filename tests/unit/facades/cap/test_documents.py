"""Feeds of all kinds: where their messages are, or the messages themselves."""

import pytest

from cap_samples import DATA
from dothi.facades.cap.documents import read_document
from dothi.model.cap import CapUnreadable, FeedLink, MsgType

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>
<link rel="self" href="https://example.org/feed"/>
{}</feed>"""


def entry(inside: str) -> bytes:
    return ATOM.format(f"<entry><updated>2026-01-01T00:00:00Z</updated>{inside}</entry>").encode()


@pytest.mark.parametrize(
    "inside",
    [
        '<link href="a.html" type="text/html"/><link href="a.cap" type="application/cap+xml"/>',
        '<link href="a.cap"/>',
        '<content type="application/cap+xml" src="a.cap"/>',
        '<link rel="related" href="b"/><link rel="alternate" href="a.cap" type="application/xml"/>',
    ],
)
def test_the_link_to_the_message_is_found_in_atom(inside: str) -> None:
    found = read_document(entry(inside))
    assert found.links == (FeedLink("a.cap", "2026-01-01T00:00:00Z"),)


@pytest.mark.parametrize("inside", ["", '<link href="a.html" type="text/html"/>'])
def test_an_entry_without_a_message_is_passed_over(inside: str) -> None:
    assert read_document(entry(inside)).links == ()


def test_links_of_rss_are_found() -> None:
    found = read_document(
        b'<rss version="2.0"><channel><link>https://example.org</link>'
        b"<item><link>https://example.org/1</link><pubDate>Mon</pubDate></item>"
        b'<item><link>page</link><enclosure type="application/cap+xml" url="2.cap"/></item>'
        b"</channel></rss>"
    )
    assert found.links == (FeedLink("https://example.org/1", "Mon"), FeedLink("2.cap", ""))


def test_messages_inside_a_feed_need_no_link() -> None:
    alert = (DATA / "wcatwc-warning.cap").read_text().partition("?>")[2]
    feed = ATOM.format(f'<entry><link href="a.cap"/><content>{alert}</content></entry>')
    found = read_document(feed.encode())
    assert [one.alert.identifier for one in found.messages] == ["PAAQ-2-lqw6d6"]
    assert found.links == ()


def test_messages_of_an_envelope_come_the_oldest_first() -> None:
    found = read_document((DATA / "bushfire_valid.edxlde").read_bytes())
    times = [one.alert.sent_at for one in found.messages]
    assert len(times) == 7
    assert times == sorted(times)


def test_a_message_alone_is_a_document_too() -> None:
    found = read_document((DATA / "canada.cap").read_bytes())
    assert [one.alert.msg_type for one in found.messages] == [MsgType.UPDATE]


@pytest.mark.parametrize("document", [b"<html/>", b"{}", b'<alert xmlns="urn:other"/>'])
def test_anything_else_is_refused(document: bytes) -> None:
    with pytest.raises(CapUnreadable):
        read_document(document)
