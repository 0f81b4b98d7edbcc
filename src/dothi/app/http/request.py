"""A Starlette request whose headers are looked up, not searched for."""

from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

_NO_PARAMETERS = QueryParams()


class QuickHeaders(Headers):
    """As Starlette's. A small answer asks for a dozen headers, most of which are not there."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        """`raw`: names in small letters, as ASGI has them."""
        super().__init__(raw=raw)
        self._first = dict(reversed(raw))

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower().encode("latin-1")].decode("latin-1")

    def __contains__(self, key: Any) -> bool:
        return key.lower().encode("latin-1") in self._first

    def get(self, key: str, default: Any = None) -> Any:
        value = self._first.get(key.lower().encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    def getlist(self, key: str) -> list[str]:
        return super().getlist(key) if key in self else []


class QuickRequest(Request):
    """What every handler gets."""

    @property
    def headers(self) -> Headers:
        if not hasattr(self, "_headers"):
            self._headers: Headers = QuickHeaders(self.scope["headers"])
        return self._headers

    @property
    def query_params(self) -> QueryParams:
        return super().query_params if self.scope["query_string"] else _NO_PARAMETERS
