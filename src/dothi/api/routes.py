"""Every route of the console's API."""

from dothi.access.endpoint import Endpoint
from dothi.api import (
    alarms,
    areas,
    entities,
    live,
    person,
    pulls,
    rules,
    series,
    sources,
    subscriptions,
    warnings,
)
from dothi.api.deps import ApiDeps


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """The table of contents."""
    parts = (
        *(person, entities, series, sources, pulls, areas, live, subscriptions),
        *(rules, alarms, warnings),
    )
    return [endpoint for part in parts for endpoint in part.endpoints(deps)]
