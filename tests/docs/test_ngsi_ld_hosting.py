"""The commands of the guide "@contexts, tenants and snapshots" run as they stand."""

from pathlib import Path

import pytest

from support.guide import answers, as_app, blocks, needs_curl
from support.program import Program

PAGE = "ngsi-ld/hosting.md"


@pytest.mark.thorough
@needs_curl
def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as dothi:
        told = answers(as_app(dothi), blocks(PAGE, "en"))
        host, use, tenant, take, inside, purge = told
        assert "HTTP/1.1 201" in host
        assert "location: /ngsi-ld/v1/jsonldContexts/" in host
        assert use.startswith("201\n")
        assert '"type":"Pump","flow":12' in use
        assert '"kind":"Hosted"' in use
        assert '"numberOfHits":2' in use
        assert tenant == '201\n[{"id":"urn:ngsi-ld:Room:1","type":"Room","temperature":21}][]'
        assert "HTTP/1.1 201" in take
        assert '"snapshotStatus":"success"' in take
        assert '"temperature":30' in inside
        assert '"temperature":21' in inside
        assert "HTTP/1.1 204" in purge


def test_both_languages_show_the_same_commands() -> None:
    assert blocks(PAGE, "vi") == blocks(PAGE, "en")
