"""A message as it would go out: composed, checked, written, and its texts for phones."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dothi.facades.cap.checks.content import check_content, check_files, check_texts
from dothi.facades.cap.checks.finding import wrong
from dothi.facades.cap.checks.message import check_alert
from dothi.facades.cap.composing import Composer, Heading
from dothi.facades.cap.places import (
    Place,
    circle_outline,
    place_of_area,
    place_of_shape,
    surface_km2,
)
from dothi.facades.cap.settings import WarningSettings
from dothi.facades.cap.texts import broadcast_text, count_broadcast, count_sms, sms_text
from dothi.facades.cap.writing import write_alert
from dothi.model.warning import Finding, FindingLevel, WarningContent
from dothi.model.warning_lists import Catalogue
from dothi.ports.areas import Areas
from dothi.ports.warnings import PlaceSummary, Preview

_OTHER_PLACES = re.compile(r"info\[\d+\]\.area")


class Made(NamedTuple):
    """Places, and the areas that are not there."""

    places: list[Place]
    unknown: list[Finding]


class Previewer:
    """Makes the same of a draft as the release does."""

    def __init__(
        self, settings: WarningSettings, catalogue: Catalogue, areas: Areas, address: str = ""
    ) -> None:
        """`address`: of the server as the public reaches it."""
        self._settings = settings
        self._address = address
        self._catalogue = catalogue
        self._areas = areas
        self._zone = ZoneInfo(settings.zone)
        self._composer = Composer(settings, catalogue, address)

    def preview(self, content: WarningContent, head: Heading, now_at: datetime) -> Preview:
        """Never raises for what people wrote: it is told in the findings."""
        made = self._places(content, now_at)
        alert = self._composer.compose(content, made.places, head)
        sms = content.sms or sms_text(content.vi.headline, content.vi.instruction)
        broadcast = content.broadcast or broadcast_text(content.vi.headline, content.vi.instruction)
        found = [
            *made.unknown,
            *check_content(content, head.msg_type, now_at, self._settings, self._catalogue),
            *check_files(content, self._address),
            *check_alert(alert, now_at),
            *check_texts(sms, broadcast, self._settings),
        ]
        try:
            document = write_alert(alert)
        except ValueError:
            document = ""  # the checks name the character
        return Preview(
            tuple(sorted(_once(found), key=lambda one: one.level is not FindingLevel.ERROR)),
            alert,
            document,
            count_sms(sms, self._settings.sms_parts),
            count_broadcast(broadcast),
            tuple(_summary(place) for place in made.places),
            surface_km2(made.places),
        )

    def _places(self, content: WarningContent, now_at: datetime) -> Made:
        places, unknown = [], []
        today = now_at.astimezone(self._zone).date()
        for number, area_id in enumerate(content.area_ids):
            area = self._areas.get(area_id)
            if area is None:
                unknown.append(
                    wrong(
                        f"info.area[{number}]",
                        "area_unknown",
                        f"there is no area {area_id!r}",
                        "choose it from the list again",
                    )
                )
                continue
            if area.valid_to is not None and area.valid_to <= today:
                unknown.append(
                    wrong(
                        f"info.area[{number}]",
                        "area_past",
                        f"{area.name} exists no longer since {area.valid_to}",
                        "choose the unit that it became",
                    )
                )
            settings = self._settings
            places.append(place_of_area(area, settings.area_geocode, settings.polygon_points))
        places += [place_of_shape(shape) for shape in content.shapes]
        return Made(places, unknown)


def _once(found: Sequence[Finding]) -> list[Finding]:
    """One finding per element and code: all languages carry the same places."""
    kept: dict[tuple[str, str], Finding] = {}
    for one in found:
        element = _OTHER_PLACES.sub("info[0].area", one.element)
        kept.setdefault((element, one.code), one)
    return list(kept.values())


def _summary(place: Place) -> PlaceSummary:
    rings = [tuple((lon, lat) for lat, lon in points) for points in place.polygons]
    for circle in place.circles:
        outline = circle_outline(circle).exterior.coords
        rings.append(tuple((float(lon), float(lat)) for lon, lat in outline))
    return PlaceSummary(
        place.name_vi,
        place.name_en,
        place.points,
        place.points_before,
        place.has_holes,
        tuple(rings),
    )
