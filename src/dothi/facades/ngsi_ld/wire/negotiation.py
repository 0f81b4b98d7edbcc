"""Accept, Content-Type and Link headers (clause 6.3)."""

import re
from collections.abc import Iterable

from dothi.facades.ngsi_ld.errors import (
    bad_request_data,
    invalid_request,
    not_acceptable,
    unsupported_media_type,
)

JSON = "application/json"
LD_JSON = "application/ld+json"
GEO_JSON = "application/geo+json"
MERGE_PATCH = "application/merge-patch+json"
LD_CONTEXT_REL = "http://www.w3.org/ns/json-ld#context"

_LINK = re.compile(r"\s*<([^>]*)>((?:\s*;\s*[\w*]+(?:=(?:\"[^\"]*\"|[^\s\",;]+))?)*)\s*(?:,|$)")
_PARAMETER = re.compile(r";\s*([\w*]+)=(?:\"([^\"]*)\"|([^\s\",;]+))")


def choose_media_type(accept: str, offered: tuple[str, ...]) -> str:
    """The media type of the answer: highest weight, ties in the order of `offered`.

    Raises:
        NgsiError: 406 when Accept excludes all of them.
    """
    if not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    weights = [_weight(media, ranges) for media in offered]
    best = max(weights)
    if best <= 0:
        raise not_acceptable(f"Accept is {accept!r}; there is {', '.join(offered)}")
    return offered[weights.index(best)]


def _range(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return media.lower(), min(max(float(value), 0.0), 1.0)
            except ValueError:
                break  # no weight at all (RFC 9110): it has the default one
    return media.lower(), 1.0


def _weight(media: str, ranges: Iterable[tuple[str, float]]) -> float:
    """Weight of the most specific range that covers the media type; 0 when none does."""
    best = (-1, 0.0)
    for pattern, weight in ranges:
        specificity = {media: 2, f"{media.partition('/')[0]}/*": 1, "*/*": 0}.get(pattern, -1)
        if specificity > best[0]:
            best = (specificity, weight)
    return best[1]


def content_media_type(header: str, allowed: tuple[str, ...]) -> str:
    """Media type of a request body. Raises NgsiError: InvalidRequest without one, else 415."""
    media = header.partition(";")[0].strip().lower()
    if not media:
        raise invalid_request(f"Content-Type is missing; send {' or '.join(allowed)}")
    if media not in allowed:
        raise unsupported_media_type(f"Content-Type is {header!r}; send {' or '.join(allowed)}")
    return media


def context_link(headers: Iterable[str]) -> str | None:
    """URL of the JSON-LD @context in Link headers. Raises BadRequestData for several of them.

    The same one a second time is no other one: who passes requests on may repeat a header.
    """
    found: dict[str, None] = {}
    for header in headers:
        at = 0
        while at < len(header):
            link = _LINK.match(header, at)
            if link is None:
                raise bad_request_data(f"the Link header {header!r} cannot be read")
            at = link.end()
            parameters = {m[1].lower(): m[2] or m[3] for m in _PARAMETER.finditer(link[2])}
            if parameters.get("rel") == LD_CONTEXT_REL:
                found[link[1].strip()] = None
    if len(found) > 1:
        raise bad_request_data("there is more than one Link header with a JSON-LD @context")
    return next(iter(found), None)


def link_of_context(url: str) -> str:
    """Value of the Link header that tells the @context of an answer."""
    return f'<{url}>; rel="{LD_CONTEXT_REL}"; type="{LD_JSON}"'
