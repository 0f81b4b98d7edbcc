"""The examples of the guide "Send observations" run as they stand, in both languages."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from dothi.intake.http.door import HttpIntakeDeps, endpoints
from province import province
from serving import serve

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def _blocks(language: str, kind: str) -> list[str]:
    text = (GUIDE / language / "send-observations.md").read_text()
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_examples_store_what_they_say(language: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    _, one, file = _blocks(language, "sh")
    (arrow,) = _blocks(language, "python")
    (tmp_path / "day.ndjson").write_text('{"entity":"urn:x:1","attribute":"a","value":1}\n')
    async with (
        province(tmp_path) as parts,
        serve(endpoints(HttpIntakeDeps(parts.intake, parts.clock))) as address,
    ):
        environment = {**os.environ, "DOTHI": address, "TOKEN": "gateway-1"}
        for command, stored in (
            (["bash", "-c", one], 3),
            (["bash", "-c", file], 1),
            ([sys.executable, "-c", arrow], 10_000),
        ):
            process = await asyncio.create_subprocess_exec(
                *command, cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
            )
            output, _ = await process.communicate()
            assert f'"stored":{stored},' in output.decode(), command[-1]


def test_both_languages_show_the_same_examples() -> None:
    for kind in ("python", "json"):
        assert _blocks("vi", kind) == _blocks("en", kind)
