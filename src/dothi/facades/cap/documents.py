"""Whatever a service of public warnings answers -> messages and links to messages."""

from collections.abc import Iterator

from dothi.facades.cap.reading import alert_nodes, alert_of
from dothi.facades.cap.safe_xml import Node, parse
from dothi.facades.cap.writing import MEDIA_TYPE, write_alert
from dothi.model.cap import CapDocument, CapUnreadable, FeedLink, Received

_FEEDS = frozenset({"feed", "rss", "RDF"})
_PAGES = ("text/html", "application/xhtml+xml", "application/atom+xml", "application/rss+xml")


def read_document(document: bytes) -> CapDocument:
    """A CAP message, an envelope of messages (EDXL-DE, SOAP ...), an Atom or an RSS feed.

    Raises CapUnreadable: none of these, or a message in it is wrong.
    """
    root = parse(document)
    messages = []
    for node in alert_nodes(root):
        alert = alert_of(node)
        try:
            messages.append(Received(alert, write_alert(alert)))
        except ValueError as error:
            raise CapUnreadable(alert.identifier, str(error)) from error
    links = tuple(_links(root)) if root.name in _FEEDS else ()
    if not messages and root.name not in _FEEDS:
        raise CapUnreadable(root.name, "is neither a CAP message nor an Atom or RSS feed")
    messages.sort(key=lambda one: one.alert.sent_at)
    return CapDocument(tuple(messages), links)


def _links(root: Node) -> Iterator[FeedLink]:
    """One per entry that does not hold its message itself."""
    for entry in root.walk():
        if entry.name not in {"entry", "item"} or alert_nodes(entry):
            continue
        url = _atom_link(entry) if entry.name == "entry" else _rss_link(entry)
        updated = entry.value("updated") or entry.value("pubDate") or entry.value("date")
        if url:
            yield FeedLink(url, updated)


def _atom_link(entry: Node) -> str:
    """The link that says it is CAP; else the alternate that says nothing else (RFC 4287, 4.2.7)."""
    links = entry.all("link")
    for link in links:
        if link.attributes.get("type", "").partition(";")[0].strip() == MEDIA_TYPE:
            return link.attributes.get("href", "")
    content = entry.first("content")
    if content is not None and content.attributes.get("type", "").startswith(MEDIA_TYPE):
        return content.attributes.get("src", "")
    for link in links:
        kind, relation = link.attributes.get("type", ""), link.attributes.get("rel", "alternate")
        if relation == "alternate" and not kind.startswith(_PAGES):
            return link.attributes.get("href", "")
    return ""


def _rss_link(item: Node) -> str:
    """The enclosure that says it is CAP; else the link (RSS 2.0)."""
    for enclosure in item.all("enclosure"):
        if enclosure.attributes.get("type", "").startswith(MEDIA_TYPE):
            return enclosure.attributes.get("url", "")
    return item.value("link")
