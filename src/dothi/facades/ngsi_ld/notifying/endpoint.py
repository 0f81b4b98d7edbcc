"""Where notifications go: the endpoint of a subscription (clause 5.2.15), over HTTP or MQTT."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.notifying import checks
from dothi.facades.ngsi_ld.notifying.checks import Check, array_of, one_of
from dothi.facades.ngsi_ld.wire.negotiation import GEO_JSON, JSON, LD_JSON

Document = dict[str, Any]
_MQTT_VALUES = {"MQTT-QoS": ("0", "1", "2"), "MQTT-Version": ("mqtt3.1.1", "mqtt5.0")}


def endpoint(raw: Any, where: str) -> Document:
    """The Endpoint (clause 5.2.15) of a subscription, to entities or to registrations."""
    given = as_object(raw, where)
    if "uri" not in given:
        raise bad_request_data(f"{where}.uri is missing")
    found = checked(given, _ENDPOINT, f"{where}.")
    if not found["uri"].startswith("mqtt"):
        return found
    if found.get("accept") == GEO_JSON:
        raise bad_request_data(f"{where}.accept: over MQTT there is {JSON} and {LD_JSON} only")
    for one in found.get("notifierInfo", ()):
        allowed = _MQTT_VALUES.get(one["key"])
        if allowed and one["value"] not in allowed:
            raise bad_request_data(f"{where}.notifierInfo: {one['key']} is one of {allowed}")
    return found


def _endpoint_uri(raw: Any, where: str) -> str:
    checks.uri(raw, where)
    try:
        parts = urlsplit(raw)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise bad_request_data(f"{where}: {raw!r} cannot be read: {error}") from error
    if parts.scheme not in {"http", "https", "mqtt", "mqtts"} or not host:
        raise bad_request_data(f"{where}: {raw!r} must begin with http, https, mqtt or mqtts")
    if parts.scheme.startswith("mqtt") and not parts.path.strip("/"):
        raise bad_request_data(f"{where}: {raw!r} names no topic after the host")
    return str(raw)


def as_object(raw: Any, what: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise bad_request_data(f"{what} must be a JSON object")
    return {key: value for key, value in raw.items() if key != "@context"}


def checked(given: Mapping[str, Any], members: Mapping[str, Check], where: str) -> Document:
    """The known members, each checked; what nobody knows is passed over (clause 5.5.4)."""
    found: Document = {}
    for name, check in members.items():
        if name in given:
            found[name] = check(given[name], f"{where}{name}")
    return found


_ENDPOINT: dict[str, Check] = {
    "uri": _endpoint_uri,
    "accept": one_of(JSON, LD_JSON, GEO_JSON),
    "cooldown": checks.positive,
    "timeout": checks.positive,
    "receiverInfo": array_of(checks.pair),
    "notifierInfo": array_of(checks.pair),
}
