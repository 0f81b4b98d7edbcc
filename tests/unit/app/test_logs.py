"""The log: lines of requests are written together, in order, as `logging` would write them."""

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.app.config.sections import LogSettings
from dothi.app.logs import Answered, JsonFormatter, LogHandler, hide_secrets, set_up

FIELDS: dict[str, str | float] = {"ms": 0.4, "who": 'adm"in', "client": "::1"}
_SECRET = re.compile(r"(?i)((?:token|password|secret|authorization|api_key)[\"']?\s*[=:]\s*)\S+")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], root.level = before, level
    logging.captureWarnings(False)


def _set_up(
    stream: io.StringIO,
    format_: Literal["json", "text"] = "json",
    level: Literal["info", "warning"] = "info",
) -> logging.Logger:
    set_up(LogSettings(format=format_, level=level))
    [handler] = logging.getLogger().handlers
    assert isinstance(handler, LogHandler)
    handler.setStream(stream)
    return logging.getLogger("dothi.http")


@pytest.mark.parametrize("format_", ["json", "text"])
async def test_lines_are_as_logging_writes_them(
    written: io.StringIO, format_: Literal["json", "text"]
) -> None:
    logger = _set_up(written, format_)
    message = 'GET /a "ü"/token=abc 200'
    Answered(logger).say(message, FIELDS)
    logger.info("%s", message, extra=FIELDS)
    mine, other = written.getvalue().splitlines()
    without_time = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert without_time.sub("", mine, count=1) == without_time.sub("", other, count=1)
    assert without_time.search(mine)
    assert "abc" not in mine


async def test_lines_come_soon_together_and_in_order(written: io.StringIO) -> None:
    logger = _set_up(written)
    answered = Answered(logger)
    for number in range(3):
        answered.say(f"GET /{number} 200", FIELDS)
    assert written.getvalue() == ""
    logger.warning("between")
    answered.say("GET /3 200", FIELDS)
    messages = [json.loads(line)["message"] for line in written.getvalue().splitlines()]
    assert messages == ["GET /0 200", "GET /1 200", "GET /2 200", "between"]
    await asyncio.sleep(0.3)
    assert json.loads(written.getvalue().splitlines()[-1])["message"] == "GET /3 200"


async def test_the_end_of_the_program_loses_no_line(written: io.StringIO) -> None:
    Answered(_set_up(written)).say("GET / 200", FIELDS)
    for handler in logging.getLogger().handlers:  # as logging.shutdown does
        handler.flush()
    assert "GET / 200" in written.getvalue()


async def test_a_busy_loop_does_not_let_lines_pile_up(written: io.StringIO) -> None:
    answered = Answered(_set_up(written))
    for _ in range(5000):
        answered.say("GET / 200", FIELDS)
    assert 4000 < written.getvalue().count("\n") < 5000


def test_without_a_loop_a_line_is_written_at_once(written: io.StringIO) -> None:
    Answered(_set_up(written)).say("GET / 200", FIELDS)
    assert "GET / 200" in written.getvalue()


async def test_the_level_holds(written: io.StringIO) -> None:
    Answered(_set_up(written, level="warning")).say("GET / 200", FIELDS)
    logging.getLogger().handlers[0].flush()
    assert written.getvalue() == ""


async def test_a_closed_stream_stops_nothing(written: io.StringIO) -> None:
    answered = Answered(_set_up(written))
    answered.say("GET / 200", FIELDS)
    written.close()
    await asyncio.sleep(0.2)
    answered.say("GET / 200", FIELDS)


@given(st.text(), st.text())
def test_a_line_is_json(message: str, who: str) -> None:
    line = JsonFormatter().info("now", "dothi.http", message, {"ms": 1.5, "who": who})
    assert json.loads(line) == {
        "at": "now",
        "level": "info",
        "from": "dothi.http",
        "message": message,
        "ms": 1.5,
        "who": who,
    }
    assert line.count("\n") == 1


@given(
    st.text(st.sampled_from("tokenTOKEN\u212apas\u017fswordecrauthizn_api:= '\"x"), max_size=30),
    st.sampled_from(["token", "Password", "pa\u017fsword", "to\u212aen", "API_KEY", ""]),
    st.sampled_from(["=", ": ", "\" : '"]),
)
def test_secrets_are_hidden_as_by_the_pattern_alone(text: str, word: str, sign: str) -> None:
    whole = f"{text}{word}{sign}{text}"
    assert hide_secrets(whole) == _SECRET.sub(r"\1***", whole)
