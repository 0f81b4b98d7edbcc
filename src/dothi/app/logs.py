"""Structured logs on standard error: one JSON object per line, or text on a terminal."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from dothi.app.config.sections import LogSettings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_SECRET = re.compile(r"(?i)((?:token|password|secret|authorization|api_key)[\"']?\s*[=:]\s*)\S+")
_CHATTY = ("uvicorn.error", "asyncio", "amqtt", "transitions", "alembic", "httpx", "websockets")


def set_up(settings: LogSettings) -> None:
    """Send everything that is logged to standard error, once."""
    is_text = settings.format == "text" or (settings.format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextFormatter() if is_text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


class JsonFormatter(logging.Formatter):
    """`{"at": .., "level": .., "from": .., "message": .., ...}`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": _time(record),
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

    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f" {key}={value}" for key, value in _extra(record).items())
        message = hide_secrets(record.getMessage())
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {message}{extra}"
        if record.exc_info:
            line += "\n" + hide_secrets(self.formatException(record.exc_info))
        return line


def hide_secrets(text: str) -> str:
    """Values that follow `token=`, `password:` and the like are not for the log."""
    return _SECRET.sub(r"\1***", text)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
