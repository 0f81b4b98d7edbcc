"""Structured logs on standard error: one JSON object per line, or text on a terminal."""

import asyncio
import contextlib
import json
import logging
import re
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, TextIO

from dothi.app.config.sections import LogSettings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_SECRET = re.compile(r"(?i)((?:token|password|secret|authorization|api_key)[\"']?\s*[=:]\s*)\S+")
_SECRET_WORDS = ("token", "password", "secret", "authorization", "api_key")
_WRITE_AFTER_S = 0.1
_MOST_WAITING = 4096
_CHATTY = ("uvicorn.error", "asyncio", "amqtt", "transitions", "alembic", "httpx", "websockets")


def set_up(settings: LogSettings) -> None:
    """Send everything that is logged to standard error, once."""
    is_text = settings.format == "text" or (settings.format == "auto" and sys.stderr.isatty())
    root = logging.getLogger()
    for old in root.handlers:
        old.flush()
    root.handlers[:] = [LogHandler(sys.stderr, TextFormatter() if is_text else JsonFormatter())]
    root.setLevel(settings.level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


class Answered:
    """Says what was answered, one line each, in the place of `logger.info`.

    There are thousands in a second: what `logging` does for one line took a quarter of the time of
    a small answer. The lines wait a moment and are written together (see `LogHandler.take`).
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def say(self, message: str, fields: Mapping[str, str | float]) -> None:
        """A line of level info, with `fields` behind the message."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        handlers = logging.root.handlers
        if len(handlers) == 1 and isinstance(handlers[0], LogHandler):
            handlers[0].take(self._logger.name, message, fields)
        else:  # others listen too
            self._logger.info("%s", message, extra=fields)


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes records at once; lines that may wait a moment, before the next record at the latest.

    Lines wait no longer than 0.1 s while the event loop runs; `flush`, which also the end of the
    interpreter calls, writes them.
    """

    def __init__(self, stream: TextIO, formatter: "JsonFormatter | TextFormatter") -> None:
        super().__init__(stream)
        self.formatter: JsonFormatter | TextFormatter = formatter
        self._waiting: list[str] = []
        self._is_due = False

    def take(self, name: str, message: str, fields: Mapping[str, str | float]) -> None:
        """A line of the logger `name` with level info."""
        at = _time(time.time())
        self._waiting.append(self.formatter.info(at, name, hide_secrets(message), fields))
        if len(self._waiting) >= _MOST_WAITING:
            self.flush()
        elif not self._is_due:
            self._flush_later()

    def emit(self, record: logging.LogRecord) -> None:
        self._write_waiting()
        super().emit(record)

    def flush(self) -> None:
        self.acquire()
        try:
            self._write_waiting()
            super().flush()
        finally:
            self.release()

    def _flush_later(self) -> None:
        try:
            asyncio.get_running_loop().call_later(_WRITE_AFTER_S, self.flush)
            self._is_due = True
        except RuntimeError:  # no loop runs here
            self.flush()

    def _write_waiting(self) -> None:
        """With the lock held. Another thread may add a line meanwhile: it waits for the next."""
        self._is_due = False
        count = len(self._waiting)
        if count:
            text = "".join(self._waiting[:count])
            del self._waiting[:count]
            with contextlib.suppress(OSError, ValueError):  # nobody reads, or it is closed
                self.stream.write(text)


class JsonFormatter(logging.Formatter):
    """`{"at": .., "level": .., "from": .., "message": .., ...}`."""

    def info(self, at: str, name: str, message: str, fields: Mapping[str, str | float]) -> str:
        """The line of a record of level info, with its end."""
        quoted, more = encode_basestring, ""
        for key, value in fields.items():
            more += f', "{key}": {quoted(value) if isinstance(value, str) else value}'
        start = f'{{"at": "{at}", "level": "info", "from": "{name}", "message": '
        return f"{start}{quoted(message)}{more}}}\n"

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": _time(record.created),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": hide_secrets(record.getMessage()),
            **_extra(record),
        }
        if record.exc_info:
            entry["error"] = hide_secrets(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """`time level from: message key=value`."""

    def info(self, at: str, name: str, message: str, fields: Mapping[str, str | float]) -> str:
        """The line of a record of level info, with its end."""
        extra = "".join(f" {key}={value}" for key, value in fields.items())
        return f"{at} {'INFO':<7} {name}: {message}{extra}\n"

    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f" {key}={value}" for key, value in _extra(record).items())
        message = hide_secrets(record.getMessage())
        line = f"{_time(record.created)} {record.levelname:<7} {record.name}: {message}{extra}"
        if record.exc_info:
            line += "\n" + hide_secrets(self.formatException(record.exc_info))
        return line


def hide_secrets(text: str) -> str:
    """Values that follow `token=`, `password:` and the like are not for the log."""
    folded = text.casefold()
    for word in _SECRET_WORDS:
        if word in folded:
            return _SECRET.sub(r"\1***", text)
    return text


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def _time(posix_s: float) -> str:
    """UTC, cut to milliseconds."""
    second = int(posix_s)
    return f"{_second(second)}.{int((posix_s - second) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
