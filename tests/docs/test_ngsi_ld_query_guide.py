"""The commands of the guide "Ask for entities" run as they stand against the program."""

from pathlib import Path

import pytest

from support.guide import answers, as_app, blocks, needs_curl
from support.program import Program

PAGE = "ngsi-ld/query.md"


@pytest.mark.thorough
@needs_curl
def test_the_commands_answer_what_the_guide_says(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as dothi:
        told = answers(as_app(dothi), blocks(PAGE, "en"))
    create, filters, order, by_map, shown, body, there = told
    one, other = '{"id":"urn:ngsi-ld:Gauge:1"}', '{"id":"urn:ngsi-ld:Gauge:2"}'
    assert create == "201\n"
    assert filters == f"[{one},{other}][{one}][{one}][{one}]"
    assert "ngsild-results-count: 2" in order.lower()
    assert "&offset=1&" in order
    assert ';rel="next"' in order
    assert order.endswith('[{"id":"urn:ngsi-ld:Gauge:2","level":3.4}]')
    assert by_map == f"[{other}]"
    assert shown == '{"inDistrict":{"name":"Thủ Dầu Một"},"label":"Gauge 1"}'
    assert body == '[{"id":"urn:ngsi-ld:Gauge:1","level":1.2}]'
    assert '"entityCount":2' in there
    assert '"attributeCount":2' in there


def test_both_languages_show_the_same_commands() -> None:
    assert blocks(PAGE, "vi") == blocks(PAGE, "en")
