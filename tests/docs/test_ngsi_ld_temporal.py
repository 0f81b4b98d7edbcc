"""The commands of the guide "Temporal evolutions over NGSI-LD" run as they stand."""

from pathlib import Path

import pytest

from support.guide import answers, as_app, blocks, needs_curl
from support.program import Program

PAGE = "ngsi-ld/temporal.md"


@pytest.mark.thorough
@needs_curl
def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as dothi:
        told = answers(as_app(dothi), blocks(PAGE, "en")[1:])
    record, read, find, aggregate, correct, delete = told
    assert "HTTP/1.1 201" in record
    assert '"values":[[1.9,"1999-11-02T00:00:00Z"],[3.1,"1999-11-03T00:00:00Z"]]' in read
    assert find.startswith('[{"id":"urn:ngsi-ld:Gauge:old-1"}]')
    assert '"values":[[2.4,"1999-11-04T00:00:00Z"]]' in find
    assert '"max":[[3.1,"1999-11-01T00:00:00Z","1999-12-01T00:00:00Z"]]' in aggregate
    assert '"totalCount":[[4,' in aggregate
    assert '"value":2.5' in correct and '"observedAt":"1999-11-04T00:00:00Z"' in correct
    assert delete == "404"


def test_both_languages_show_the_same_commands() -> None:
    assert blocks(PAGE, "vi") == blocks(PAGE, "en")
