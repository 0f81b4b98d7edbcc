"""A query by GET or POST, as far as it matters to whom it is sent on and in which words.

The local handler has found nothing wrong with the request before it is read here, so what is
strange is passed over and not reported.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.distributed.local_request import Incoming
from dothi.facades.ngsi_ld.distributed.selection import Share
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.facades.ngsi_ld.operations.entity_maps import MAP_HEADER
from dothi.facades.ngsi_ld.registrations.data import Registration
from dothi.facades.ngsi_ld.registrations.filters import meets_geo, meets_scope, satisfies
from dothi.facades.ngsi_ld.registrations.geo_query import read_geo_query
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.condition import Condition, Geo

_GEO = ("georel", "geometry", "coordinates", "geoproperty")
_NOT_ATTRIBUTES = frozenset({"id", "type", "scope"})


class QueryRequest(Struct, frozen=True):
    """Names are stored names; texts are as the request says them."""

    wanted: tuple[Wanted, ...]
    attrs: frozenset[str]
    """Attributes of which an entity must have one, and which alone are given."""
    picked: frozenset[str]
    """Attributes that alone are given."""
    datasets: frozenset[str]
    csf: Condition | None
    geo: Geo | None
    scope_q: str
    type_text: str
    filter_texts: Mapping[str, str]
    """q, scopeQ and the parts of a geo-query; empty when filters are applied here."""
    needed: int
    """How many entities the page can need of one source; 0: all."""
    is_post: bool
    is_ordered: bool
    is_local: bool
    """Whether it asks for all types, which means those that are here (clause 5.7.2.4)."""
    is_split: bool
    """Whether entities may lie in pieces, so that only the whole can be filtered."""

    def concerns(self, registration: Registration) -> bool:
        """Whether the source may have anything of it, by what the registration says of the source
        itself: its properties (csf), its place, its scopes (clauses 4.3.6.1 and 5.12)."""
        document = registration.document
        if self.csf is not None and not satisfies(document, self.csf):
            return False
        if self.geo is not None and self.geo.attribute in document:
            return meets_geo(document, self.geo)
        return not (self.scope_q and registration.scopes) or meets_scope(
            registration.scopes, self.scope_q
        )

    @property
    def names(self) -> frozenset[str]:
        """Attributes that a registration must provide one of."""
        return self.attrs | self.picked

    def asked_names(self, registered: frozenset[str]) -> frozenset[str]:
        """Attributes to ask a source for that is registered for these; empty: all."""
        if registered:
            return registered & self.names if self.names else registered
        return frozenset() if self.is_split else self.attrs

    def body(self, share: Share, context: LdContext) -> dict[str, Any]:
        """The Query of a POST to the source (clause 5.2.23)."""
        entity: dict[str, Any] = {}
        types = ",".join(context.wire(name) for name in share.types) or self.type_text
        if types:
            entity["type"] = types
        if share.ids:
            entity["id"] = share.ids[0] if len(share.ids) == 1 else list(share.ids)
        elif share.id_pattern:
            entity["idPattern"] = share.id_pattern
        found: dict[str, Any] = {"type": "Query"}
        if entity:
            found["entities"] = [entity]
        if share.names:
            found["attrs"] = [context.wire(name) for name in sorted(share.names)]
        found |= {
            name: self.filter_texts[name] for name in ("q", "scopeQ") if name in self.filter_texts
        }
        geo = {name: self.filter_texts[name] for name in _GEO if name in self.filter_texts}
        if geo:
            found["geoQ"] = geo | {"coordinates": msgspec.json.decode(geo["coordinates"])}
        return found


def read_query(incoming: Incoming, context: LdContext, settings: NgsiLdSettings) -> QueryRequest:
    """What the request asks for."""
    parameters = dict(incoming.request.query_params)
    is_post = incoming.request.method == "POST"
    said: dict[str, Any] = dict(parameters)
    if is_post:
        said |= _flat(msgspec.json.decode(incoming.body))
    is_split = said.get("splitEntities") in {True, "true"}
    filters = {n: str(said[n]) for n in ("q", "scopeQ", *_GEO) if n in said}
    needs_all = "entityMap" in said or MAP_HEADER in incoming.request.headers
    needs_all |= incoming.raw_path.rstrip("/").endswith("/entityMaps")
    return QueryRequest(
        wanted=_wanted(said, context),
        attrs=_names(said.get("attrs"), context),
        picked=_names(said.get("pick"), context) - _NOT_ATTRIBUTES,
        datasets=frozenset(_listed(said.get("datasetId"))),
        csf=_condition(said.get("csf"), context),
        geo=_geo(filters, context),
        scope_q=filters.get("scopeQ", ""),
        type_text=_type_text(said),
        filter_texts={} if is_split else filters,
        needed=0 if is_split or needs_all else _needed(parameters, settings),
        is_post=is_post,
        is_ordered="orderBy" in said,
        is_local=_is_local(said),
        is_split=is_split,
    )


def _flat(body: Any) -> dict[str, Any]:
    """Members of a Query, those of geoQ beside the others."""
    if not isinstance(body, dict):
        return {}
    found = dict(body)
    geo = found.pop("geoQ", None)
    if isinstance(geo, dict):
        coordinates = geo.get("coordinates")
        is_text = isinstance(coordinates, str)
        text = coordinates if is_text else msgspec.json.encode(coordinates).decode()
        found |= geo | {"coordinates": text}
    return found


def _wanted(said: Mapping[str, Any], context: LdContext) -> tuple[Wanted, ...]:
    entities = said.get("entities")
    selectors = entities if isinstance(entities, list) and entities else [said]
    return tuple(
        Wanted(
            tuple(_listed(selector.get("id"))),
            str(selector.get("idPattern") or ""),
            _types(selector.get("type"), context),
        )
        for selector in selectors
        if isinstance(selector, Mapping)
    )


def _types(text: Any, context: LdContext) -> Condition | None:
    if not isinstance(text, str) or not text or text == "Query":
        return None
    try:
        return parse_type_selection(text, context.stored)
    except GrammarError:
        return None


def _is_local(said: Mapping[str, Any]) -> bool:
    entities = said.get("entities")
    selectors = entities if isinstance(entities, list) and entities else [said]
    any_type = any(isinstance(s, Mapping) and s.get("type") == "*" for s in selectors)
    return any_type or said.get("local") in {True, "true"}


def _type_text(said: Mapping[str, Any]) -> str:
    entities = said.get("entities")
    selector = entities[0] if isinstance(entities, list) and len(entities) == 1 else said
    text = selector.get("type")
    return text if isinstance(text, str) and text != "Query" else ""


def _names(value: Any, context: LdContext) -> frozenset[str]:
    return frozenset(context.stored(name.partition("{")[0]) for name in _listed(value))


def _listed(value: Any) -> list[str]:
    """A comma-separated text, or an array, as a list of texts."""
    if isinstance(value, str):
        value = value.split(",")
    return (
        [part.strip() for part in value if isinstance(part, str) and part.strip()] if value else []
    )


def _condition(text: Any, context: LdContext) -> Condition | None:
    if not isinstance(text, str) or not text:
        return None
    try:
        return parse_q(text, context.stored)
    except GrammarError:
        return None


def _geo(texts: Mapping[str, str], context: LdContext) -> Geo | None:
    try:
        return read_geo_query({name: texts[name] for name in _GEO if name in texts}, context)
    except NgsiError:
        return None


def _needed(parameters: Mapping[str, str], settings: NgsiLdSettings) -> int:
    if parameters.get("count") == "true":
        return 0
    try:
        limit = int(parameters.get("limit", settings.default_limit))
        return int(parameters.get("offset", "0")) + limit + 1
    except ValueError:
        return settings.default_limit + 1
