"""The commands of the guide "Write entities over NGSI-LD" run as they stand."""

from pathlib import Path

import pytest

from support.guide import answers, as_app, blocks, needs_curl
from support.program import Program

PAGE = "ngsi-ld/write.md"


@pytest.mark.thorough
@needs_curl
def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as dothi:
        told = answers(as_app(dothi), blocks(PAGE, "en")[1:])
    create, replace, merge, simple, expire, batch, purge = told
    assert "HTTP/1.1 201" in create
    assert replace == expire == ""
    assert '"value":22,"unitCode":"CEL","observedAt":"2026-11-01T02:00:00Z"' in merge
    assert '"value":{"street":"Nguyễn Huệ","ward":"Sài Gòn"}' in merge
    assert '"languageMap":{"vi":"Phòng 1","en":"First room"}' in merge
    assert "partOf" not in merge
    assert '"temperature":23' in simple
    assert '"address":{"street":"Nguyễn Huệ","ward":"Sài Gòn","floor":2}' in simple
    assert "label" not in simple
    assert '"success":["urn:ngsi-ld:Room:2"]' in batch
    assert batch.count("entityId") == 1
    assert "alarm" not in purge
    assert '"temperature":23' in purge
    assert purge.endswith("404")


def test_both_languages_show_the_same_commands() -> None:
    assert blocks(PAGE, "vi") == blocks(PAGE, "en")
