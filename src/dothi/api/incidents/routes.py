"""Every route of incidents and procedures."""

from dothi.access.endpoint import Endpoint
from dothi.api.incidents import (
    duty_steps,
    files,
    procedure_editor,
    procedures,
    proposals,
    reports,
    rooms,
)
from dothi.api.incidents.deps import IncidentDeps


def endpoints(deps: IncidentDeps) -> list[Endpoint]:
    """The table of contents."""
    parts = (rooms, procedures, procedure_editor, proposals, files, reports, duty_steps)
    return [endpoint for part in parts for endpoint in part.endpoints(deps)]
