"""How the entities of one answer are written: media type, representation, projection, links."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import NgsiError, bad_request_data, not_found
from dothi.facades.ngsi_ld.grammar.language import parse_language
from dothi.facades.ngsi_ld.grammar.projection import parse_projection
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.operations.join import JoinKind, flattened, read_join
from dothi.facades.ngsi_ld.wire.answers import answer, context_value, encoded_answer, raw_answer
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.facades.ngsi_ld.wire.negotiation import GEO_JSON, JSON, LD_JSON, link_of_context
from dothi.facades.ngsi_ld.wire.parameters import READ_PARAMETERS, Parameters
from dothi.facades.ngsi_ld.wire.projection import WHOLE, Names, Projection
from dothi.facades.ngsi_ld.wire.representation import Links, Writer, feature, geometry_of
from dothi.ports.entity_query import Form, StoredEntity

MEDIA_TYPES = (JSON, LD_JSON, GEO_JSON)
OUTPUT_PARAMETERS = READ_PARAMETERS | {
    "pick",
    "omit",
    "lang",
    "datasetId",
    "geometryProperty",
    "join",
    "joinLevel",
    "containedBy",
}
_FORM_PARAMETERS = tuple(
    ["options", "format", "sysAttrs", "lang", "pick", "omit", "datasetId", "geometryProperty"]
)
"""All of them that say how an entity is written."""
_LONG = 200
_DEFAULT_GEOMETRY = "location"


class Output:
    """Reads what the parameters say about the answer, then writes it."""

    def __init__(
        self, request: Request, parameters: Parameters, context: LdContext, media: str
    ) -> None:
        """Raises NgsiError BadRequestData or InvalidRequest."""
        self._context = context
        self._media = media
        self._texts = tuple(parameters.text(name) for name in _FORM_PARAMETERS)
        self.projection = read_projection(parameters, context)
        self.join = read_join(parameters, self.projection)
        self._writer = _writer(parameters, context)
        name = parameters.text("geometryProperty")
        if name and media != GEO_JSON:
            raise bad_request_data(
                f"parameter geometryProperty goes with Accept: {GEO_JSON} only, this is {media}"
            )
        if name:
            check_name(name, "parameter geometryProperty")
        self._geometry = context.stored(name or _DEFAULT_GEOMETRY)
        self._has_context_in_body = request.headers.get("prefer", "") != "body=json"

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that have to be loaded; empty: all."""
        found = self.projection.attributes()
        return (*found, self._geometry) if found and self._media == GEO_JSON else found

    def form(self, *, is_alone: bool) -> Form | None:
        """How one entity is written when no links are followed; None: they are.

        `is_alone`: it is the whole answer, not one of many; then writing raises NgsiError
        ResourceNotFound when no member is left to show (clause 5.7.1.4). One of many that shows
        nothing is written as nothing.
        """
        if self.join.levels:
            return None
        has_context = self._media == LD_JSON or (
            is_alone and self._media == GEO_JSON and self._has_context_in_body
        )
        context = context_value(self._context) if has_context else None

        def write(entity: StoredEntity) -> bytes:
            content = self._writer.entity(entity, self.projection)
            if not content:
                if is_alone:
                    raise _nothing_left(entity)
                return b""
            if self._media == GEO_JSON:
                content = self._feature(_Written(entity, content), context)
            elif has_context:
                content = {"@context": context, **content}
            return msgspec.json.encode(content)

        # A context of the request's own, or a long list of names, hardly comes a second time.
        is_kept = self._context.has_url and sum(map(len, self._texts)) < _LONG
        key = (self._context, self._media, has_context, self._texts) if is_kept else None
        return Form(key, write)

    def one_written(self, content: bytes) -> Response:
        """The answer to the retrieval of one entity, from its form."""
        return encoded_answer(content, self._media, self._link)

    def many_written(self, contents: Sequence[bytes]) -> Response:
        """The answer to a query, from the forms of its entities."""
        array = b"[" + b",".join(filter(None, contents)) + b"]"
        if self._media == GEO_JSON:
            context = b""
            if self._has_context_in_body:
                context = b',"@context":' + msgspec.json.encode(context_value(self._context))
            array = b'{"type":"FeatureCollection","features":' + array + context + b"}"
        return encoded_answer(array, self._media, self._link)

    @property
    def _link(self) -> str:
        """URL of the @context for the Link header; empty when the body has it."""
        in_body = self._media == LD_JSON or (self._media == GEO_JSON and self._has_context_in_body)
        return "" if in_body else self._context.url

    def one(self, entity: StoredEntity, linked: Mapping[str, StoredEntity]) -> Response:
        """The answer to the retrieval of one entity.

        Raises:
            NgsiError: ResourceNotFound, no member is left to show (clause 5.7.1.4).
        """
        # Clients expect the entity alone when a flat join finds nothing to put beside it.
        if self.join.kind is JoinKind.FLAT and linked:
            return self.many([entity], linked)
        written = self._written([entity], linked)[0]
        if not written.content:
            raise _nothing_left(entity)
        if self._media != GEO_JSON:
            return answer(written.content, self._media, self._context)
        context = context_value(self._context) if self._has_context_in_body else None
        return self._geo_answer(self._feature(written, context))

    def many(
        self, entities: Sequence[StoredEntity], linked: Mapping[str, StoredEntity]
    ) -> Response:
        """The answer to a query."""
        written = [one for one in self._written(entities, linked) if one.content]
        if self._media != GEO_JSON:
            return answer([one.content for one in written], self._media, self._context)
        features = [self._feature(one, None) for one in written]
        found: dict[str, Any] = {"type": "FeatureCollection", "features": features}
        if self._has_context_in_body:
            found["@context"] = context_value(self._context)
        return self._geo_answer(found)

    def _written(
        self, entities: Sequence[StoredEntity], linked: Mapping[str, StoredEntity]
    ) -> "list[_Written]":
        write = self._writer.entity
        if self.join.kind is JoinKind.FLAT:
            shown = flattened(entities, linked.values(), self.join)
            return [_Written(entity, write(entity, below)) for entity, below in shown]
        if not linked:
            return [_Written(entity, write(entity, self.projection)) for entity in entities]
        links = Links(linked, self.join.levels, self.join.contained_by)
        return [
            _Written(
                entity,
                write(
                    entity,
                    self.projection,
                    Links(linked, links.levels, links.passed | {entity.id}, links.budget),
                ),
            )
            for entity in entities
        ]

    def _feature(self, written: "_Written", context: Any) -> dict[str, Any]:
        geometry = geometry_of(written.entity, self._geometry, self._writer.datasets)
        return feature(written.entity.id, written.content, geometry, context)

    def _geo_answer(self, content: dict[str, Any]) -> Response:
        response = raw_answer(content, GEO_JSON)
        if not self._has_context_in_body:
            response.headers.append("link", link_of_context(self._context.url))
        return response


class _Written(Struct, frozen=True):
    entity: StoredEntity
    content: dict[str, Any]


def read_projection(parameters: Parameters, context: LdContext) -> Projection:
    """pick and omit; attrs is an older pick. Raises NgsiError BadRequestData."""
    picked = _names(parameters, "pick", context)
    omitted = _names(parameters, "omit", context)
    if "attrs" in parameters and (picked or omitted):
        raise bad_request_data("attrs stands for pick; give attrs, or pick and omit, not both")
    if not picked and not omitted:
        return WHOLE
    both = [n for n in picked or () if n in (omitted or ()) and (omitted or {})[n] is None]
    if both:
        raise bad_request_data(f"{', '.join(both)} cannot be in both pick and omit")
    return Projection(picked, omitted or {})


def _names(parameters: Parameters, name: str, context: LdContext) -> Names | None:
    text = parameters.text(name)
    if not text:
        return None
    try:
        return parse_projection(text, context.stored)
    except GrammarError as error:
        raise bad_request_data(f"parameter {name}: {error}") from error


def _writer(parameters: Parameters, context: LdContext) -> Writer:
    text = parameters.text("lang")
    try:
        language = parse_language(text) if text else None
    except GrammarError as error:
        raise bad_request_data(f"parameter lang: {error}") from error
    datasets = parameters.names("datasetId")
    for uri in datasets:
        if uri != "@none":
            check_uri(uri, "parameter datasetId")
    return Writer(
        context,
        parameters.format(),
        parameters.wants_system_attributes(),
        language,
        frozenset("" if uri == "@none" else uri for uri in datasets),
    )


def _nothing_left(entity: StoredEntity) -> NgsiError:
    return not_found(f"pick and omit leave nothing of the entity {entity.id}")
