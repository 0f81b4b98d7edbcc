"""Requests of the program to its own handlers, without a socket.

A snapshot is filled by the operations that clients use, so it holds exactly what they would get.
"""

from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from dothi.access.principal import ADMINISTRATOR
from dothi.facades.ngsi_ld.tables import HandlerTable
from dothi.facades.ngsi_ld.wire.negotiation import LD_JSON


class Answer(NamedTuple):
    status: int
    document: Any
    """The decoded body; None when there is none."""


async def call(table: HandlerTable, path: str, body: Any, query: str = "") -> Answer:
    """POST a JSON-LD document to a path of the table. Raises NgsiError OperationNotSupported."""
    endpoint = table.find("POST", path)
    response: Response = await endpoint.handler(_request(path, query, body))
    found = bytes(response.body)
    return Answer(response.status_code, msgspec.json.decode(found) if found else None)


def _request(path: str, query: str, body: Any) -> Request:
    content = msgspec.json.encode(body)
    headers = {
        "content-type": LD_JSON,
        "accept": LD_JSON,
        "content-length": str(len(content)),
        "host": "localhost",
    }
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "path_params": {},
        "server": ("localhost", 80),
        "client": None,
        "state": {"principal": ADMINISTRATOR},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return Request(scope, receive)
