"""From the JSON of a registration to a Registration, every rule of clause 5.2.9 checked.

Two steps: `canonical` turns what a request says into the document that is kept (stored names);
`registration` makes the struct of a kept document. Errors are BadRequestData and name the place.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.q import pattern_problem
from dothi.facades.ngsi_ld.registrations.data import (
    EntityInfo,
    Information,
    Interval,
    Management,
    Mode,
    Registration,
)
from dothi.facades.ngsi_ld.registrations.members import (
    check_duration,
    check_geo,
    check_line,
    check_pairs,
    check_positive,
    check_text,
)
from dothi.facades.ngsi_ld.registrations.operation_names import (
    DEFAULT_GROUP,
    GROUPS,
    NAMES,
    expanded,
)
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.names import check_address, check_name, check_scope, check_uri
from dothi.facades.ngsi_ld.wire.times import parse_date_time, parse_utc

TYPE = "ContextSourceRegistration"
_API = "/ngsi-ld/v1"
_READ_ONLY = frozenset(
    {"status", "timesSent", "timesFailed", "lastSuccess", "lastFailure", "createdAt", "modifiedAt"}
)
"""Made by the broker; what a request says about them is passed over."""
_IGNORED = _READ_ONLY | {"@context"}
_TEMPORAL_READS = frozenset({"retrieveTemporal", "queryTemporal"})
_Check = Callable[[Any, str], None]


def canonical(document: Any, context: LdContext) -> dict[str, Any]:
    """The members of a registration or of a piece of one; names are stored names."""
    if not isinstance(document, dict):
        raise bad_request_data("a registration must be a JSON object")
    found: dict[str, Any] = {}
    for name, value in document.items():
        plain = context.keyword(name) if name not in _MEMBERS else name
        plain = {"@id": "id", "@type": "type"}.get(plain, plain)
        if plain in _IGNORED:
            continue
        if plain in {"id", "type"} or plain in _MEMBERS:
            found[plain] = _member(plain, value, context)
        else:
            check_name(name, name)
            found[context.stored(name)] = value
    return found


def checked(found: dict[str, Any]) -> Registration:
    """The registration of a whole document. Raises BadRequestData for what is missing or wrong."""
    if found.get("type") != TYPE:
        raise bad_request_data(f"type must be {TYPE}")
    check_uri(found.get("id"), "id")
    for name in ("endpoint", "information"):
        if name not in found:
            raise bad_request_data(f"the member {name} is missing")
    for name, value in found.items():
        check = _MEMBERS.get(name)
        if check is not None:
            check(value, name)
    made = registration(found)
    _check_mode(made)
    return made


def registration(found: dict[str, Any]) -> Registration:
    """The struct of a document that was checked before."""
    scope = found.get("scope", [])
    mode = Mode(found.get("mode", "inclusive"))
    return Registration(
        id=found["id"],
        document=found,
        endpoint=base_address(found["endpoint"]),
        information=_counting(mode, found["information"]),
        mode=mode,
        operations=expanded(found.get("operations", [DEFAULT_GROUP])),
        alias=found.get("contextSourceAlias", ""),
        tenant=found.get("tenant", ""),
        source_info=tuple((p["key"], p["value"]) for p in found.get("contextSourceInfo", [])),
        datasets=frozenset(found.get("datasetId", [])),
        scopes=(scope,) if isinstance(scope, str) else tuple(scope),
        expires_at=parse_date_time(found["expiresAt"]) if "expiresAt" in found else None,
        observed=_interval(found.get("observationInterval")),
        managed=_interval(found.get("managementInterval")),
        management=_management(found),
    )


def base_address(endpoint: str) -> str:
    """Where the API of an endpoint begins; the path of the API itself need not be in it."""
    address = endpoint.rstrip("/")
    return address if address.endswith(_API) else address + _API


def _member(name: str, value: Any, context: LdContext) -> Any:
    """A member with stored names inside."""
    if value is None or value == NGSI_NULL:
        return NGSI_NULL
    if name == "information":
        return _stored_information(value, context)
    if name == "scope" and value != []:
        scopes = [check_scope(part) for part in (value if isinstance(value, list) else [value])]
        return scopes if isinstance(value, list) else scopes[0]
    return value


def _stored_information(value: Any, context: LdContext) -> Any:
    if not isinstance(value, list) or not value:
        raise bad_request_data("information must be an array of one element or more")
    found = []
    for index, part in enumerate(value):
        where = f"information[{index}]"
        if not isinstance(part, dict):
            raise bad_request_data(f"{where} must be an object")
        one: dict[str, Any] = {}
        for name, inner in part.items():
            if name == "entities":
                one[name] = _stored_entities(inner, f"{where}.{name}", context)
            elif name in {"propertyNames", "relationshipNames"}:
                one[name] = _stored_names(inner, f"{where}.{name}", context)
            else:
                raise bad_request_data(f"{where} has no member {name!r}")
        if not one:
            raise bad_request_data(
                f"{where} needs entities, propertyNames or relationshipNames at least"
            )
        found.append(one)
    return found


def _stored_entities(value: Any, where: str, context: LdContext) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise bad_request_data(f"{where} must be an array of one element or more")
    return [_stored_entity(part, f"{where}[{i}]", context) for i, part in enumerate(value)]


def _stored_entity(value: Any, where: str, context: LdContext) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_request_data(f"{where} must be an object")
    found: dict[str, Any] = {}
    for name, inner in value.items():
        plain = {"@id": "id", "@type": "type"}.get(name, name)
        if plain == "type":
            names = _stored_names(inner if isinstance(inner, list) else [inner], where, context)
            found["type"] = names if isinstance(inner, list) else names[0]
        elif plain == "id":
            check_uri(inner, f"{where}.id")
            found["id"] = inner
        elif plain == "idPattern":
            _check_pattern(inner, f"{where}.idPattern")
            found["idPattern"] = inner
        else:
            raise bad_request_data(f"{where} has no member {name!r}")
    if "type" not in found:
        raise bad_request_data(f"{where}: the member type is missing")
    return found


def _check_pattern(value: Any, where: str) -> None:
    check_text(value, where)
    problem = pattern_problem(value)
    if problem:
        raise bad_request_data(f"{where} is no regular expression: {problem}")


def _stored_names(value: Any, where: str, context: LdContext) -> list[str]:
    if not isinstance(value, list) or not value:
        raise bad_request_data(f"{where} must be an array of one name or more")
    for name in value:
        check_name(name, where)
    return [context.stored(name) for name in value]


def _counting(mode: Mode, parts: list[dict[str, Any]]) -> tuple[Information, ...]:
    """Exclusive registrations do not support groups of entities, by pattern or by type alone
    (clause 4.3.6.3): such groups are kept in the document and never matched."""
    found = [_information(part, place) for place, part in enumerate(parts)]
    if mode is not Mode.EXCLUSIVE:
        return tuple(found)
    single = [
        Information(tuple(e for e in p.entities if e.id and not e.id_pattern), p.names, p.place)
        for p in found
    ]
    return tuple(part for part in single if part.entities)


def _information(part: dict[str, Any], place: int) -> Information:
    names = (*part.get("propertyNames", ()), *part.get("relationshipNames", ()))
    entities = tuple(entity_info(entity) for entity in part.get("entities", ()))
    return Information(entities, frozenset(names), place)


def entity_info(entity: dict[str, Any]) -> EntityInfo:
    """The struct of an element of `entities` with stored names."""
    types = entity.get("type", ())
    return EntityInfo(
        (types,) if isinstance(types, str) else tuple(types),
        entity.get("id", ""),
        entity.get("idPattern", ""),
    )


def _interval(value: dict[str, Any] | None) -> Interval | None:
    if value is None:
        return None
    end = value.get("endAt")
    return Interval(
        parse_date_time(value["startAt"]), None if end is None else parse_date_time(end)
    )


def _management(found: dict[str, Any]) -> Management:
    said = found.get("management", {})
    timeout = said.get("timeout")
    return Management(
        None if timeout is None else timeout / 1000,
        said.get("cooldown", 0) / 1000,
        said.get("localOnly", found.get("localOnly", False)) is True,
    )


def _check_mode(made: Registration) -> None:
    """What each mode demands (clauses 4.3.6.3, 5.9.2.4, 5.9.3.4)."""
    if made.mode is Mode.AUXILIARY:
        _check_read_only(made.document.get("operations", []))
    if made.mode is not Mode.EXCLUSIVE:
        return
    if not made.information:
        raise bad_request_data(
            "an exclusive registration must name an entity by id, without a pattern"
        )
    for part in made.information:
        if not part.names:
            raise bad_request_data(
                f"information[{part.place}] of an exclusive registration must name the attributes"
            )


def _check_read_only(operations: list[str]) -> None:
    """Groups that also read are taken as far as they read."""
    reads = GROUPS["federationOps"] | _TEMPORAL_READS
    written = [o for o in operations if not expanded([o]) & reads]
    if written:
        raise bad_request_data(f"an auxiliary source is only read; operations holds {written[0]!r}")


def _check_endpoint(value: Any, where: str) -> None:
    check_address(value, where)


def _check_operations(value: Any, where: str) -> None:
    if not isinstance(value, list) or not value:
        raise bad_request_data(f"{where} must be an array of one name or more")
    unknown = [n for n in value if not isinstance(n, str) or (n not in NAMES and n not in GROUPS)]
    if unknown:
        raise bad_request_data(f"{where} names {unknown[0]!r}, which is no operation (clause 4.20)")


def _check_choice(value: Any, where: str) -> None:
    if not isinstance(value, str) or value not in Mode.__members__.values():
        raise bad_request_data(f"{where} must be one of {', '.join(Mode)}, not {value!r}")


def _check_time(value: Any, where: str) -> None:
    _time(value, where)


def _time(value: Any, where: str) -> datetime:
    try:
        return parse_utc(value)
    except ValueError as error:
        raise bad_request_data(f"{where}: {error}") from error


def _check_interval(value: Any, where: str) -> None:
    if not isinstance(value, dict) or "startAt" not in value:
        raise bad_request_data(f"{where} must be an object with startAt")
    start = _time(value["startAt"], f"{where}.startAt")
    if "endAt" in value and _time(value["endAt"], f"{where}.endAt") < start:
        raise bad_request_data(f"{where}.endAt is earlier than startAt")


def _check_management(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise bad_request_data(f"{where} must be an object")
    checks: dict[str, _Check] = {
        "cacheDuration": check_duration,
        "cooldown": check_positive,
        "timeout": check_positive,
        "localOnly": _check_boolean,
    }
    for name, inner in value.items():
        if name not in checks:
            raise bad_request_data(f"{where} has no member {name!r}")
        checks[name](inner, f"{where}.{name}")


def _check_boolean(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise bad_request_data(f"{where} must be true or false, not {value!r}")


def _check_datasets(value: Any, where: str) -> None:
    if not isinstance(value, list) or not value:
        raise bad_request_data(f"{where} must be an array of one URI or more")
    for one in value:
        if one != "@none":
            check_uri(one, where)


def _nothing(_value: Any, _where: str) -> None:
    """Checked where its names are made."""


_MEMBERS: dict[str, _Check] = {
    "endpoint": _check_endpoint,
    "information": _nothing,
    "scope": _nothing,
    "mode": _check_choice,
    "operations": _check_operations,
    "contextSourceInfo": check_pairs,
    "contextSourceAlias": check_line,
    "description": check_text,
    "registrationName": check_text,
    "tenant": check_line,
    "datasetId": _check_datasets,
    "expiresAt": _check_time,
    "observationInterval": _check_interval,
    "managementInterval": _check_interval,
    "location": check_geo,
    "observationSpace": check_geo,
    "operationSpace": check_geo,
    "refreshRate": check_duration,
    "management": _check_management,
    "localOnly": _check_boolean,
}
"""Members that clause 5.2.9 defines; others are properties that describe the source."""
MEMBER_NAMES = frozenset(_MEMBERS) | {"id", "type"}
