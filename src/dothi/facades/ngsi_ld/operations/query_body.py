"""The data type Query (clause 5.2.23): a body that says what URL parameters say otherwise."""

from collections.abc import Callable
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.operations.search import check_pattern, type_condition
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.model.condition import AllOf, Condition, HasId, IdMatches, any_of

_ANY_TYPE = "*"
_TEMPORAL = frozenset({"temporalQ", "aggrParams"})
_TEXTS = frozenset(
    {"q", "scopeQ", "csf", "lang", "join", "expandValues", "jsonKeys", "entityMapLifetime"}
)
_LISTS = frozenset({"attrs", "pick", "omit", "datasetId", "containedBy"})
_FLAGS = frozenset({"entityMap", "splitEntities"})
_SELECTOR = frozenset({"type", "id", "idPattern"})


def read_query(
    document: Any, *, allowed: frozenset[str] = frozenset()
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """URL parameters that a Query stands for, and its entity selectors (see `selection`).

    Args:
        allowed: further members, which the caller reads himself (temporalQ, aggrParams).
    Raises:
        NgsiError: BadRequestData naming the member.
    """
    if not isinstance(document, dict):
        raise bad_request_data("the body must be a JSON object of type Query")
    if document.get("type") != "Query":
        raise bad_request_data(f'type must be "Query", not {document.get("type")!r}')
    found: dict[str, str] = {}
    selectors: list[dict[str, Any]] = []
    for name, value in document.items():
        if name in {"type", "@context"} or name in allowed:
            continue
        if name == "entities":
            selectors = _selectors(value)
        elif name in _READERS:
            found |= _READERS[name](value)
        elif name in _TEMPORAL:
            raise bad_request_data(f"the member {name} belongs to temporal queries only")
        else:
            found[name] = _plain(name, value)
    return found, selectors


def selection(selectors: list[dict[str, Any]], context: LdContext) -> Condition | None:
    """Entities that one of the selectors means (clause 5.2.33). Raises BadRequestData."""
    return any_of([_selected(selector, context) for selector in selectors])


def means_all(selectors: list[dict[str, Any]]) -> bool:
    """Whether a selector has the type "*", which implies the local scope."""
    return any(selector["type"] == _ANY_TYPE for selector in selectors)


def _plain(name: str, value: Any) -> str:
    if name in _TEXTS:
        return _text(name, value)
    if name in _LISTS:
        if not isinstance(value, list) or not value:
            raise bad_request_data(f"the member {name} must be an array with something in it")
        return ",".join(_text(f"{name}[]", part) for part in value)
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise bad_request_data(f"the member {name} must be true or false")
        return "true" if value else "false"
    if name == "joinLevel":
        if not isinstance(value, int) or isinstance(value, bool):
            raise bad_request_data("the member joinLevel must be a whole number above 0")
        return str(value)
    raise bad_request_data(f"a Query has no member {name!r}")


def _text(name: str, value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise bad_request_data(f"the member {name} must be a string that is not empty")


def _geo(value: Any) -> dict[str, str]:
    """GeoQuery (clause 5.2.13)."""
    if not isinstance(value, dict):
        raise bad_request_data("the member geoQ must be an object")
    coordinates = value.get("coordinates")
    if not isinstance(coordinates, list | str):
        raise bad_request_data("geoQ.coordinates must be an array, or a string of one")
    found = {"coordinates": _json(coordinates)}
    for name in ("georel", "geometry", "geoproperty"):
        if name in value or name != "geoproperty":
            found[name] = _text(f"geoQ.{name}", value.get(name))
    return found


def _ordering(value: Any) -> dict[str, str]:
    """OrderingParams (clause 5.2.43)."""
    if not isinstance(value, dict):
        raise bad_request_data("the member ordering must be an object")
    terms = value.get("orderBy")
    if not isinstance(terms, list) or not terms:
        raise bad_request_data("ordering.orderBy must be an array with something in it")
    found = {"orderBy": ",".join(_text("ordering.orderBy[]", term) for term in terms)}
    if "collation" in value:
        found["collation"] = _text("ordering.collation", value["collation"])
    if "geometry" in value:
        found["orderGeometry"] = _text("ordering.geometry", value["geometry"])
    if "coordinates" in value:
        if not isinstance(value["coordinates"], list):
            raise bad_request_data("ordering.coordinates must be an array")
        found["orderFrom"] = _json(value["coordinates"])
    return found


def _json(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


_READERS: dict[str, Callable[[Any], dict[str, str]]] = {"geoQ": _geo, "ordering": _ordering}


def _selectors(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise bad_request_data("the member entities must be an array with something in it")
    for index, selector in enumerate(value):
        where = f"entities[{index}]"
        if not isinstance(selector, dict):
            raise bad_request_data(f"{where} must be an object")
        unknown = sorted(selector.keys() - _SELECTOR)
        if unknown:
            raise bad_request_data(f"{where} has no member {unknown[0]!r}")
        _text(f"{where}.type", selector.get("type"))
        for uri in _ids(selector):
            check_uri(uri, f"{where}.id")
        if "idPattern" in selector:
            check_pattern(_text(f"{where}.idPattern", selector["idPattern"]), f"{where}.idPattern")
    return value


def _ids(selector: dict[str, Any]) -> list[Any]:
    if "id" not in selector:
        return []
    given = selector["id"]
    if given == []:
        raise bad_request_data("entities[].id is an empty array; name an id, or leave it out")
    return given if isinstance(given, list) else [given]


def _selected(selector: dict[str, Any], context: LdContext) -> Condition:
    parts: list[Condition] = []
    if selector["type"] != _ANY_TYPE:
        parts.append(type_condition(selector["type"], context))
    ids = _ids(selector)
    if ids:
        # An id takes precedence over idPattern.
        parts.append(HasId(tuple(ids)))
    elif "idPattern" in selector:
        parts.append(IdMatches(selector["idPattern"]))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))
