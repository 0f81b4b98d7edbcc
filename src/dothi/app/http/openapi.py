"""OpenAPI 3.1 of every mounted route, made from the Endpoints themselves."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from dothi import __version__
from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.app.http.mount import WEBSOCKET
from dothi.app.http.problems import ProblemDocument

_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_NUMBERS = {"int": "integer", "float": "number"}
_REFERENCE = "#/components/schemas/{name}"


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document as plain data."""
    types = _types(endpoints)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    known = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in sorted(endpoints, key=lambda e: (e.path, e.method)):
        if len(endpoint.path) > 1 and endpoint.path.endswith("/"):
            continue  # the same without the slash is described
        path = _PARAMETER.sub(r"{\1}", endpoint.path)
        method = "get" if endpoint.method == WEBSOCKET else endpoint.method.lower()
        paths.setdefault(path, {})[method] = _operation(endpoint, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dothi",
            "version": __version__,
            "summary": "The operations centre of a smart province",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "dothi_session"},
                "device": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _types(endpoints: Iterable[Endpoint]) -> list[Any]:
    types: list[Any] = [ProblemDocument]
    for endpoint in endpoints:
        for used in (endpoint.body, endpoint.answer):
            if used is not None and used not in types:
                types.append(used)
    return types


def _operation(endpoint: Endpoint, known: dict[Any, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": known[ProblemDocument]}}
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": _operation_id(endpoint),
        "x-permission": str(endpoint.permission),
        "responses": {
            **_success(endpoint, known),
            "default": {"description": "What, where and how to mend it", "content": problem},
        },
    }
    if endpoint.tags:
        operation["tags"] = list(endpoint.tags)
    said = endpoint.operation
    operation["responses"].update(said.get("responses", {}))
    if "requestBody" in said:
        operation["requestBody"] = said["requestBody"]
    parameters = [
        *_path_parameters(endpoint.path),
        *_query_parameters(endpoint.query),
        *said.get("parameters", []),
    ]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        content = {"application/json": {"schema": known[endpoint.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.permission is not Permission.PUBLIC:
        operation["security"] = [{"session": []}, {"device": []}]
    if endpoint.method == WEBSOCKET:
        operation["x-websocket"] = True
    return operation


def _success(endpoint: Endpoint, known: dict[Any, Any]) -> dict[str, Any]:
    if endpoint.method == WEBSOCKET:
        return {"101": {"description": "The connection becomes a WebSocket"}}
    if endpoint.answer is None:
        return {"2XX": {"description": endpoint.summary}}
    content = {"application/json": {"schema": known[endpoint.answer]}}
    return {"200": {"description": endpoint.summary, "content": content}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": _NUMBERS.get(kind, "string")},
        }
        for name, kind in _PARAMETER.findall(path)
    ]


def _query_parameters(query: type[Any] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    (top,), components = msgspec.json.schema_components([query], ref_template=_REFERENCE)
    schema = components[top["$ref"].rpartition("/")[2]] if "$ref" in top else top
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": shape}
        for name, shape in schema.get("properties", {}).items()
    ]


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"\w+", endpoint.path)
    return "_".join([endpoint.method.lower(), *words])
