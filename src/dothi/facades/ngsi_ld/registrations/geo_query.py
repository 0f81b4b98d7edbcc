"""A geo-query from the parts of a request or of a geoQ member (clause 4.10)."""

from collections.abc import Mapping

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.geo import parse_geo
from dothi.facades.ngsi_ld.wire.names import check_name
from dothi.model.condition import Geo

_NEEDED = ("georel", "geometry", "coordinates")


def read_geo_query(parts: Mapping[str, str], context: LdContext) -> Geo | None:
    """`coordinates` is JSON text. Without georel, geometry and coordinates there is no query.

    Raises:
        NgsiError: BadRequestData, also when only some of the parts are there.
    """
    given = [name for name in _NEEDED if name in parts]
    if not given:
        return None
    missing = [name for name in _NEEDED if name not in parts]
    if missing:
        raise bad_request_data(f"{given[0]} needs also {', '.join(missing)}")
    attribute = parts.get("geoproperty") or "location"
    check_name(attribute, "geoproperty")
    try:
        return parse_geo(
            parts["georel"], parts["geometry"], parts["coordinates"], context.stored(attribute)
        )
    except ValueError as error:
        raise bad_request_data(f"geo-query: {error}") from error
