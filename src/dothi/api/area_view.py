"""How an area looks to a screen."""

from datetime import date
from zoneinfo import ZoneInfo

from msgspec import Struct

from dothi.api.deps import ApiDeps
from dothi.model.area import Area


class AreaView(Struct):
    """A unit without its geometry; `valid_to` null: still valid."""

    id: str
    level: str
    code: str
    name: str
    name_en: str
    valid_from: date
    valid_to: date | None


def area_view(area: Area) -> AreaView:
    """Leave the geometry out."""
    return AreaView(
        area.id, area.level, area.code, area.name, area.name_en, area.valid_from, area.valid_to
    )


def today(deps: ApiDeps) -> date:
    """The day in the province."""
    return deps.clock.now().astimezone(ZoneInfo(deps.settings.zone)).date()
