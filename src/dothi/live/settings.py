"""Settings of the live view (section `live` of dothi.toml)."""

import msgspec


class LiveSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the live view follows the log."""

    interval_s: float = 0.2
    """Least seconds between two deltas."""
    beat_s: float = 2.0
    """A viewer that got nothing else for this long gets a beat."""
    sources_s: float = 2.0
    """Seconds between two looks at the figures of the sources."""
    cut_off_s: float = 60.0
    """A viewer that does not read for this long is cut off."""
    idle_s: float = 30.0
    """Without viewers for this long, the live view lets go of its memory."""
    max_entities: int = 50_000
    """With more entities than this, only those with a place are shown live."""
    max_alarms: int = 2_000
    """With more open alarms than this, only the most urgent are shown live."""
    max_lag_rows: int = 100_000
    """Further behind the log than this, the state is read again instead of the log."""
