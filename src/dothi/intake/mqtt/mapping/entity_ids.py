"""Entity ids of devices, to the URIs that NGSI-LD wants."""

import re
from functools import lru_cache
from urllib.parse import quote

from dothi.intake.mqtt.mapping.bad_payload import BadPayload

_URI = re.compile(r"(urn:[A-Za-z0-9][A-Za-z0-9-]{0,31}:|[A-Za-z][A-Za-z0-9+.-]*://)[!-~]+")
_NGSI = re.compile(r"urn:ngsi-ld:([^:]+):.+")


@lru_cache(maxsize=131_072)
def entity_uri(given: str, entity_type: str) -> tuple[str, str]:
    """(URI, type) of an entity.

    `urn:…` and `scheme://…` stay as they are; the type inside `urn:ngsi-ld:<Type>:` goes before
    the one given. Anything else becomes `urn:ngsi-ld:<type>:<id>`, with characters that a URI
    may not hold percent-encoded.

    Raises:
        BadPayload: entity_invalid.
    """
    if not given or len(given) > 512:
        raise BadPayload(
            "entity_invalid", f"an entity id has 1 to 512 characters, not {len(given)}"
        )
    if given.startswith("urn:") or "://" in given:
        if not _URI.fullmatch(given):
            raise BadPayload("entity_invalid", f"{given!r:.120} is not a URI")
        within = _NGSI.fullmatch(given)
        return given, within[1] if within else entity_type
    if not entity_type:
        raise BadPayload("entity_invalid", f"no type for the entity {given!r:.120}")
    return f"urn:ngsi-ld:{quote(entity_type)}:{quote(given, safe=':@!$&,;=()*~')}", entity_type
