"""What OpenAPI says about the routes: parameters, headers, bodies, errors (tables of clause 6)."""

from functools import cache
from typing import Any

from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, MERGE_PATCH

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_YES_NO: Schema = {"type": "boolean"}
_DATE_TIME: Schema = {"type": "string", "format": "date-time"}
_NAMES = "options format local lang"
_SELECT = "id idPattern type attrs q expandValues jsonKeys georel geometry coordinates geoproperty"
_QUERY = f"{_SELECT} scopeQ csf pick omit datasetId containedBy join joinLevel geometryProperty"
_ORDER = "orderBy collation orderFrom orderGeometry"
_PAGE = "limit offset count"
_TIME = "timerel timeAt endTimeAt timeproperty lastN aggrMethods aggrPeriodDuration"
_PARAMETERS: dict[tuple[str, str], str] = {
    ("GET", "/entities"): f"{_QUERY} {_NAMES} {_ORDER} {_PAGE} entityMap splitEntities",
    ("DELETE", "/entities"): f"{_SELECT} scopeQ datasetId keep drop local",
    ("POST", "/entities"): "local",
    ("GET", "/entities/{entity_id}"): (
        f"type attrs pick omit datasetId containedBy join joinLevel geometryProperty {_NAMES}"
    ),
    ("DELETE", "/entities/{entity_id}"): "type local",
    ("PUT", "/entities/{entity_id}"): "type local",
    ("PATCH", "/entities/{entity_id}"): "type options format observedAt lang local",
    ("POST", "/entities/{entity_id}/attrs"): "type options local",
    ("PATCH", "/entities/{entity_id}/attrs"): "type local",
    ("PATCH", "/entities/{entity_id}/attrs/{attribute}"): "type local",
    ("PUT", "/entities/{entity_id}/attrs/{attribute}"): "type local",
    ("DELETE", "/entities/{entity_id}/attrs/{attribute}"): "type datasetId deleteAll local",
    ("POST", "/entityOperations/create"): "local",
    ("POST", "/entityOperations/upsert"): "options local",
    ("POST", "/entityOperations/update"): "options local",
    ("POST", "/entityOperations/merge"): "local",
    ("POST", "/entityOperations/delete"): "local",
    ("POST", "/entityOperations/query"): f"{_NAMES} {_PAGE}",
    ("GET", "/temporal/entities"): f"{_SELECT} scopeQ pick omit {_TIME} {_NAMES} {_PAGE}",
    ("GET", "/temporal/entities/{entity_id}"): f"attrs pick omit datasetId {_TIME} {_NAMES}",
    ("POST", "/temporal/entityOperations/query"): f"{_NAMES} {_PAGE}",
    ("DELETE", "/temporal/entities/{entity_id}/attrs/{attribute}"): "datasetId deleteAll",
    ("GET", "/types"): "details local",
    ("GET", "/attributes"): "details local",
    ("GET", "/entityMaps"): f"{_QUERY} {_NAMES}",
    ("GET", "/subscriptions"): f"options {_PAGE}",
    ("GET", "/subscriptions/{subscription_id}"): "options",
    ("GET", "/csourceRegistrations"): f"{_QUERY} options {_PAGE}",
    ("GET", "/csourceSubscriptions"): f"options {_PAGE}",
    ("GET", "/jsonldContexts"): "details kind",
    ("GET", "/jsonldContexts/{name}"): "details",
    ("DELETE", "/jsonldContexts/{name}"): "reload",
    ("DELETE", "/snapshots"): "q",
}
_TYPES: dict[str, Schema] = {
    **dict.fromkeys(("local", "count", "details", "reload", "deleteAll"), _YES_NO),
    **dict.fromkeys(("timeAt", "endTimeAt", "observedAt"), _DATE_TIME),
    "limit": {"type": "integer", "minimum": 0, "maximum": 1000},
    "offset": {"type": "integer", "minimum": 0},
    "lastN": {"type": "integer", "minimum": 1},
    "kind": {"enum": ["Cached", "Hosted", "ImplicitlyCreated"]},
    "timerel": {"enum": ["before", "after", "between"]},
}
_URI: Schema = {"type": "string", "format": "uri", "examples": ["urn:ngsi-ld:Room:1"]}
_ENTITY: Schema = {
    "type": "object",
    "required": ["id", "type"],
    "properties": {"id": _URI, "type": {"type": ["string", "array"], "items": _TEXT}},
}
_FRAGMENT: Schema = {"type": "object"}
_QUERY_BODY: Schema = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"const": "Query"},
        "entities": {
            "type": "array",
            "items": {"type": "object", "properties": {"type": _TEXT, "id": _URI}},
        },
        "attrs": {"type": "array", "items": _TEXT},
        "q": _TEXT,
        "geoQ": _FRAGMENT,
        "temporalQ": _FRAGMENT,
        "scopeQ": _TEXT,
    },
}
_BODIES: dict[tuple[str, str], Schema] = {
    ("POST", "/entities"): _ENTITY,
    ("POST", "/temporal/entities"): _ENTITY,
    ("POST", "/entityOperations/delete"): {"type": "array", "items": _URI},
    ("POST", "/entityOperations/query"): _QUERY_BODY,
    ("POST", "/entityMaps"): _QUERY_BODY,
    ("POST", "/temporal/entityOperations/query"): _QUERY_BODY,
    ("POST", "/jsonldContexts"): {
        "type": "object",
        "required": ["@context"],
        "properties": {"@context": {"type": ["object", "array", "string"]}},
    },
    ("POST", "/snapshots"): {
        "type": "object",
        "required": ["type"],
        "properties": {
            "id": _URI,
            "type": {"const": "Snapshot"},
            "snapshotQueries": {"type": "array", "items": _QUERY_BODY},
            "snapshotPriority": {"type": "integer"},
            "snapshotLifetime": _TEXT,
        },
    },
}
_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "detail": _TEXT,
        "status": {"type": "integer"},
    },
}
_LINK = "JSON-LD @context of the request, with application/json and without a body"


@cache
def describe(method: str, path: str) -> Schema:
    """The parts of an OpenAPI operation. `path` is below the root, as OpenAPI writes it."""
    parameters = [_query(name) for name in _PARAMETERS.get((method, path), "").split()]
    parameters += [_header("NGSILD-Tenant", "Tenant (4.14)"), _header("Link", _LINK)]
    if not path.startswith(("/jsonldContexts", "/snapshots")):
        parameters.append(_header("NGSILD-Snapshot", "Id of the snapshot to work in (5.5.15)"))
    found: Schema = {
        "parameters": parameters,
        "responses": {
            "default": {
                "description": "ProblemDetails of NGSI-LD",
                "content": {JSON: {"schema": _PROBLEM}},
            }
        },
    }
    if method in {"POST", "PUT", "PATCH"}:
        found["requestBody"] = {"required": True, "content": _content(method, path)}
    return found


def _content(method: str, path: str) -> Schema:
    schema = _BODIES.get((method, path))
    if schema is None:
        is_batch = path.startswith("/entityOperations/")
        schema = {"type": "array", "items": _ENTITY} if is_batch else _FRAGMENT
    media = (JSON, LD_JSON, MERGE_PATCH) if method == "PATCH" else (JSON, LD_JSON)
    return {name: {"schema": schema} for name in media}


def _query(name: str) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": _TYPES.get(name, _TEXT)}


def _header(name: str, text: str) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": text,
        "schema": _TEXT,
    }
