"""Settings of the console's API (section `api` of dothi.toml)."""

import msgspec


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of single answers."""

    zone: str = "Asia/Ho_Chi_Minh"
    """Time zone of calendar days where a request names none (IANA name)."""
    max_series: int = 100
    """Series of one question."""
    max_points: int = 1_000_000
    """Observations of one answer."""
    max_export_rows: int = 2_000_000
    """Rows of one export; larger ones are for `dothi export`."""
    worker_threads: int = 8
    """Questions to the store that may run at once."""
