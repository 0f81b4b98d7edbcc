"""Settings of incidents and procedures."""

import msgspec


class IncidentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Incidents, procedures and their time limits."""

    calendar_file: str = ""
    """TOML file with working days, holidays and office hours; empty: the calendar of Vietnamese
    state agencies that comes with dothi, whose office hours are only an example."""
    procedures_folder: str = ""
    """Folder with procedures (`*.toml`) that are stored at the start; empty: those that came
    through the API (with the example also example procedures)."""
    max_file_mb: int = 25
    """Evidence files larger than this are refused (status 413)."""
