"""Files of warnings and answers to others, over the whole program."""

import hashlib
from typing import Any

import msgspec
from msgspec.structs import replace

from cap_samples import CONTENT, DATA, NOW
from dothi.facades.cap.documents import read_document
from dothi.model.warning import ForeignWarning, Severity

ROOT = "/api/v1/warnings"
PNG = b"\x89PNG\r\n\x1a\n" + b"map"
CONTENT_BODY = msgspec.to_builtins(replace(CONTENT, area_ids=()))


async def test_what_a_file_is_says_the_server(at: Any) -> None:
    async with at.as_("an") as an, at.as_("chi") as chi:
        refused = await chi.post(f"{ROOT}/files?name=map.png", content=PNG)
        assert refused.status_code == 403
        page = await an.post(f"{ROOT}/files?name=x.png", content=b"<script>alert(1)</script>")
        assert (page.status_code, page.json()["code"]) == (422, "file_kind")
        assert (await an.post(f"{ROOT}/files?name=x.png", content=b"")).status_code == 400
        large = await an.post(f"{ROOT}/files?name=x.png", content=PNG + bytes(5 * 2**20))
        assert large.status_code == 413
        file = (await an.post(f"{ROOT}/files?name=a/b.png", content=PNG)).json()
        assert (file["name"], file["mime_type"]) == ("a_b.png", "image/png")
        assert file["sha1"] == hashlib.sha1(PNG, usedforsecurity=False).hexdigest()
        lie = file | {"mime_type": "text/html", "sha1": "0" * 40, "description_vi": "Bản đồ"}
        begun = await an.post(ROOT, json={"content": CONTENT_BODY | {"attachments": [lie]}})
        (message,) = begun.json()["messages"]
        assert message["content"]["attachments"] == [file | {"description_vi": "Bản đồ"}]
        gone = CONTENT_BODY | {"attachments": [file | {"sha256": "f" * 64}]}
        unknown = await an.put(f"{ROOT}/1/draft", json={"version": 1, "content": gone})
        assert (unknown.status_code, unknown.json()["code"]) == (422, "file_not_found")
        seen = await chi.get(f"{ROOT}/files/{file['sha256']}")
        assert (seen.content, seen.headers["content-type"]) == (PNG, "image/png")
        assert (await chi.get(f"/cap/files/{file['sha256']}")).status_code == 404
    assert [e.action for e in at.told() if e.subject.startswith("warning")] == [
        "warning_file_put",
        "warning_begun",
    ]


async def test_a_message_of_others_is_acknowledged_once(at: Any) -> None:
    (received,) = read_document((DATA / "australia.cap").read_bytes()).messages
    alert = received.alert
    at.program.stores.foreign_warnings.put(
        [
            ForeignWarning(
                "kttv",
                alert.sender,
                alert.identifier,
                alert.sent_at,
                alert.status,
                alert.msg_type,
                "Fire",
                "Fire",
                Severity.SEVERE,
                "",
                "urn:x:1",
                received.document,
                NOW,
            )
        ]
    )
    async with at.as_("an") as an, at.as_("chi") as chi:
        url = f"{ROOT}/foreign/1"
        assert (await chi.post(f"{url}/answer", json={"msg_type": "Ack"})).status_code == 403
        nobody = await an.post(f"{url}/answer", json={"msg_type": "Ack"})
        assert (nobody.status_code, nobody.json()["code"]) == (409, "sender_unconfigured")
        assert (await an.get(url)).json()["answers"] == []
        assert len((await an.get(f"{ROOT}/foreign")).json()) == 1
