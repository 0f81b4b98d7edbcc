"""A route as data: each names its permission and its documentation; app mounts and checks it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct, field

from dothi.access.permission import Permission


class Endpoint(Struct, frozen=True):
    """One HTTP or WebSocket route.

    The handler takes a Starlette Request (or WebSocket) whose `state.principal` is set and has
    the permission. It may raise Problem, Overloaded or StoreUnavailable; app renders them.
    """

    method: str
    """GET, POST, PUT, PATCH, DELETE, or WS."""
    path: str
    permission: Permission
    handler: Callable[[Any], Awaitable[Any]]
    summary: str
    query: type[Any] | None = None
    """msgspec Struct of query parameters (all strings or optional), for OpenAPI."""
    body: type[Any] | None = None
    answer: type[Any] | None = None
    tags: tuple[str, ...] = ()
    operation: Mapping[str, Any] = field(default_factory=dict)
    """Parts of the OpenAPI operation that the types above cannot say."""
    is_long_lived: bool = False
    """Its answer goes on until the caller leaves; it ends when the caller may no longer have it.
    That is so for every WebSocket."""
    has_secret_answer: bool = False
    """It answers with a token that is shown once: the answer is kept nowhere, also not for a
    repeat."""
