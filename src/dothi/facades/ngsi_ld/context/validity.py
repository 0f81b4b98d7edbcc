"""Whether a value can be an @context at all, without fetching what it refers to."""

from typing import Any

from dothi.facades.ngsi_ld.context.resolve import absolute_url
from dothi.facades.ngsi_ld.context.terms import ContextError, Terms
from dothi.facades.ngsi_ld.errors import bad_request_data


def check_local(value: Any) -> None:
    """Raises BadRequestData for what is no JSON-LD local context."""
    try:
        _check(value, Terms())
    except ContextError as error:
        raise bad_request_data(f"@context: {error}") from error


def _check(value: Any, terms: Terms) -> None:
    if isinstance(value, list):
        for part in value:
            if isinstance(part, list):
                raise ContextError("an array stands inside an array")
            _check(part, terms)
    elif isinstance(value, dict):
        if "@import" in value:
            raise ContextError("@import is not supported; name the document in an array instead")
        terms.apply(value)
    elif isinstance(value, str):
        absolute_url(value)
    elif value is not None:
        raise ContextError(f"{value!r} is neither a URL nor an object nor an array of them")
