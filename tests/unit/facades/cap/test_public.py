"""The feed and the messages over HTTP, as readers and caches ask."""

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import httpx
from msgspec.structs import replace

from cap_samples import CONTENT, expect_valid
from dothi.facades.cap.public import PublicStores, PublicWarnings, endpoints
from dothi.facades.cap.reading import read_alert
from dothi.model.cap import CapStatus, MsgType, Scope
from dothi.model.warning import Attachment
from dothi.ports.warnings import Act
from dothi.storage.blobs.evidence import EvidenceFolder
from dothi.storage.relational.foreign_warnings import RelationalForeignWarnings
from serving import client_of, serve
from unit.facades.cap.conftest import SETTINGS
from unit.facades.cap.test_desk import follow, released

ATOM = "{http://www.w3.org/2005/Atom}"
ACTUAL = replace(CONTENT, status=CapStatus.ACTUAL)


@asynccontextmanager
async def public(office: Any) -> AsyncIterator[httpx.AsyncClient]:
    stores = PublicStores(
        office.warnings, RelationalForeignWarnings(office.engine), EvidenceFolder(office.files)
    )
    answers = PublicWarnings(stores, SETTINGS, office.clock, "https://canhbao.example.vn/")
    async with serve(endpoints(answers)) as address, client_of(address) as client:
        yield client


async def entries(client: httpx.AsyncClient, query: str = "") -> list[ET.Element]:
    answer = await client.get(f"/cap/feed.atom{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/atom+xml")
    return ET.fromstring(answer.text).findall(f"{ATOM}entry")


def said(entry: ET.Element, name: str) -> str:
    return entry.findtext(f"{ATOM}{name}") or ""


def href(entry: ET.Element) -> str:
    links = entry.findall(f"{ATOM}link")
    assert [link.get("type") for link in links] == ["application/cap+xml"]
    return (links[0].get("href") or "").removeprefix("https://canhbao.example.vn")


async def test_the_feed_leads_to_valid_messages_the_newest_first(office: Any) -> None:
    desk = office.desk()
    async with public(office) as client:
        assert await entries(client) == []
        released(desk, ACTUAL)
        office.clock.pass_(60)
        released(desk, replace(ACTUAL, vi=replace(CONTENT.vi, headline="Mưa & <lớn>"[:5])))
        found = await entries(client)
        assert [said(e, "title")[:3] for e in found] == ["Mưa", "Tri"]
        for entry in found:
            answer = await client.get(href(entry))
            assert answer.headers["content-type"] == "application/cap+xml; charset=utf-8"
            expect_valid(answer.text)
            assert read_alert(answer.content).identifier == said(entry, "id")
            assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_feed_without_entries_is_of_this_day(office: Any) -> None:
    today = f"{office.clock.now().astimezone(UTC):%Y-%m-%d}T00:00:00Z"
    async with public(office) as client:
        for feed in ("/cap/feed.atom", "/cap/answers.atom"):
            answer = await client.get(feed)
            assert ET.fromstring(answer.text).findtext(f"{ATOM}updated") == today
            office.clock.pass_(1)
            known = {"if-none-match": answer.headers["etag"]}
            assert (await client.get(feed, headers=known)).status_code == 304


async def test_updates_and_cancels_take_the_place_of_what_they_replace(office: Any) -> None:
    desk = office.desk()
    number = released(desk, ACTUAL)
    async with public(office) as client:
        (first,) = await entries(client)
        follow(desk, number, MsgType.UPDATE, "Cao hơn")
        (update,) = await entries(client)
        assert said(update, "title").startswith("Cập nhật: ")
        follow(desk, number, MsgType.CANCEL, "Đã rút")
        (cancel,) = await entries(client)
        assert said(cancel, "title").startswith("Hủy: ")
        for entry in (first, update, cancel):
            assert (await client.get(href(entry))).status_code == 200


async def test_what_is_over_stays_for_a_day_and_then_falls_out(office: Any) -> None:
    released(office.desk(), ACTUAL)
    async with public(office) as client:
        office.clock.pass_(12 * 3600 + 23 * 3600)
        before = await client.get("/cap/feed.atom")
        assert len(await entries(client)) == 1
        office.clock.pass_(2 * 3600)
        assert await entries(client) == []
        since = {"if-modified-since": before.headers["last-modified"]}
        assert (await client.get("/cap/feed.atom", headers=since)).status_code == 200


async def test_a_reader_that_has_it_gets_304(office: Any) -> None:
    desk = office.desk()
    released(desk, ACTUAL)
    async with public(office) as client:
        answer = await client.get("/cap/feed.atom")
        tag = {"if-none-match": answer.headers["etag"]}
        since = {"if-modified-since": answer.headers["last-modified"]}
        office.clock.pass_(5)
        for known in (tag, since, {"if-none-match": f'"x", {answer.headers["etag"]}'}):
            again = await client.get("/cap/feed.atom", headers=known)
            assert (again.status_code, again.content) == (304, b"")
        released(desk, ACTUAL)
        for known in (tag, since):
            assert (await client.get("/cap/feed.atom", headers=known)).status_code == 200


async def test_exercises_have_a_feed_of_their_own_that_says_so(office: Any) -> None:
    released(office.desk())
    async with public(office) as client:
        assert await entries(client) == []
        (entry,) = await entries(client, "?status=Exercise")
        assert said(entry, "title").startswith("[DIỄN TẬP] ")
        assert (await client.get("/cap/feed.atom?status=Draft")).status_code == 400
        assert (await client.get("/cap/feed.atom?page=2")).status_code == 400


async def test_what_is_not_public_is_not_told(office: Any) -> None:
    desk = office.desk()
    number = released(desk, replace(ACTUAL, scope=Scope.RESTRICTED, restriction="nội bộ"))
    identifier = desk.get(number).released[0].identifier
    draft = desk.create("", ACTUAL, "lan")
    async with public(office) as client:
        assert await entries(client) == []
        assert (await client.get(f"/cap/{identifier}.xml")).status_code == 404
        assert (await client.get("/cap/urn:uuid:none.xml")).status_code == 404
    assert desk.get(draft).latest.identifier == ""


async def test_a_file_is_public_with_its_warning_and_not_before(office: Any) -> None:
    folder = EvidenceFolder(office.files)
    upload = folder.begin()
    upload.write(b"%PDF-1.7 map")
    kept = upload.keep()
    sha1 = hashlib.sha1(b"%PDF-1.7 map", usedforsecurity=False).hexdigest()
    file = Attachment(
        "map.pdf", "application/pdf", kept.size_bytes, sha1, kept.sha256, "Bản đồ ngập", "Flood map"
    )
    path = f"/cap/files/{kept.sha256}"
    content = replace(ACTUAL, attachments=(file,))
    desk = office.desk(address="https://canhbao.example.vn/")
    async with public(office) as client:
        number = desk.create("", content, "lan")
        assert (await client.get(path)).status_code == 404, "a draft is nobody's business"
        desk.submit(Act(number, "lan", 1))
        desk.release(Act(number, "minh", 2))
        got = await client.get(path)
        assert (got.content, got.headers["content-type"]) == (b"%PDF-1.7 map", "application/pdf")
        assert "sandbox" in got.headers["content-security-policy"]
        assert (await client.get("/cap/files/" + "0" * 64)).status_code == 404
        (entry,) = await entries(client)
        document = (await client.get(href(entry))).text
    expect_valid(document)
    vi, en = read_alert(document.encode()).infos
    (resource,) = vi.resources
    assert (resource.description, resource.mime_type) == ("Bản đồ ngập", "application/pdf")
    assert (resource.size_bytes, resource.digest) == (12, sha1)
    assert resource.uri == f"https://canhbao.example.vn{path}"
    assert en.resources[0].description == "Flood map"


def test_files_need_an_address_and_words(office: Any) -> None:
    file = Attachment("x.png", "image/png", 3, "0" * 40, "0" * 64)
    wrong = replace(file, mime_type="text/html")
    content = replace(ACTUAL, attachments=(file, wrong))
    found = office.desk().preview(content, MsgType.ALERT).findings
    assert {"public_url_missing", "file_kind", "missing"} <= {one.code for one in found}
