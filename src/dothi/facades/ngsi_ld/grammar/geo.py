"""Geo-queries (ETSI GS CIM 009, clause 4.10): georel, geometry, coordinates, geoproperty."""

import math
import re
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.grammar.scanner import Scanner
from dothi.facades.ngsi_ld.wire.geometry import check_geometry
from dothi.model.condition import Geo, GeoRelation

_DISTANCE = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"\w+")


def parse_georel(text: str) -> tuple[GeoRelation, float | None, float | None]:
    """Relation, minimum and maximum distance in metres. Raises GrammarError."""
    scanner = Scanner(text)
    word = scanner.match(_WORD)
    if word not in GeoRelation.__members__.values():
        scanner.position = 0
        raise scanner.error(f"georel must be one of {', '.join(GeoRelation)}")
    relation = GeoRelation(word)
    low = high = None
    if relation is GeoRelation.NEAR:
        scanner.expect(";")
        is_minimum = scanner.take("minDistance")
        if not is_minimum:
            scanner.expect("maxDistance")
        scanner.expect("==")
        distance = _distance(scanner)
        low, high = (distance, None) if is_minimum else (None, distance)
    if not scanner.is_at_end:
        raise scanner.error("georel ends here, but the text goes on")
    return relation, low, high


def parse_geo(georel: str, geometry: str, coordinates: str, attribute: str) -> Geo:
    """Condition of a geo-query; `attribute` is a stored name. Raises ValueError."""
    relation, low, high = parse_georel(georel)
    try:
        numbers: Any = msgspec.json.decode(coordinates)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ValueError(f"coordinates are no JSON array: {error}") from error
    return Geo(relation, reference_geometry(geometry, numbers), attribute, low, high)


def reference_geometry(kind: str, coordinates: Any) -> str:
    """GeoJSON of a geometry that others are compared with. Raises ValueError."""
    shape = {"type": kind, "coordinates": coordinates}
    check_geometry(shape, "geometry and coordinates")
    return msgspec.json.encode(shape).decode()


def _distance(scanner: Scanner) -> float:
    at = scanner.position
    found = float(scanner.match(_DISTANCE) or 0)
    if not 0 < found < math.inf:
        scanner.position = at
        raise scanner.error("a distance in metres (a number above 0) is missing")
    return found
