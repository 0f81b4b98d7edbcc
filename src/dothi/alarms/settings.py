"""Settings of alarms (section `alarms` of dothi.toml)."""

import msgspec


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How alarms are made and for whom."""

    position: str = "operator"
    """Operator position that answers for alarms whose rule names none."""
    escalate_to: tuple[str, ...] = ("duty_officer",)
    """Positions that are told, besides, of alarms that nobody acknowledged in time."""
    shift_starts: tuple[str, ...] = ("06:00", "14:00", "22:00")
    """Local times at which shifts change where the roster has no shift of the position; nothing is
    shelved beyond the end of a shift."""
    limits_file: str = ""
    """TOML file with the limits of alarm management; empty: those that dothi brings."""
    gather_s: float = 0.01
    """Least seconds between two looks at the log."""
    run_rows: int = 20_000
    """Rows of the log that are judged together at most."""
