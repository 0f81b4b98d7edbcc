"""Puts the parts of alarms together: rules, the follower of the log, the routes."""

from collections.abc import Sequence
from datetime import time
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import Struct

from dothi.alarms.limits import Limits, read_limits
from dothi.alarms.places import KnownPlaces
from dothi.alarms.settings import AlarmSettings
from dothi.api.alarm_deps import AlarmDeps
from dothi.app.stores import Stores
from dothi.model.problem import Problem
from dothi.pipeline.watch import Watch, WatchPorts
from dothi.ports.clock import Clock
from dothi.ports.evaluator import RulesInForce


class Alarms(Struct, frozen=True):
    """What runs, and what the routes need."""

    watch: Watch
    deps: AlarmDeps


def build_alarms(
    settings: AlarmSettings, stores: Stores, rules: RulesInForce, clock: Clock
) -> Alarms:
    """Nothing runs yet. Raises Problem: limits or shifts cannot be read."""
    limits = _limits(settings.limits_file)
    starts = _shift_starts(settings.shift_starts)
    ports = WatchPorts(
        log=stores.reader,
        cursors=stores.cursors,
        rules=rules,
        ledger=stores.alarm_ledger,
        places=KnownPlaces(stores.state, stores.areas, clock),
        clock=clock,
        limits=limits,
    )
    return Alarms(
        Watch(ports, settings),
        AlarmDeps(
            stores.alarm_ledger,
            stores.alarms,
            rules.facts,
            limits,
            settings.position,
            starts,
            stores.shifts,
        ),
    )


def _limits(path: str) -> Limits:
    try:
        if path:
            return read_limits(Path(path).read_text(encoding="utf-8"))
        return read_limits((files("dothi.alarms") / "limits.toml").read_text(encoding="utf-8"))
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            "alarm_limits_unusable",
            "The limits of alarms cannot be read",
            str(error),
            500,
            where=f"[alarms] limits_file = {path!r}",
            remedy="start from src/dothi/alarms/limits.toml of dothi",
        ) from error


def _shift_starts(texts: Sequence[str]) -> list[time]:
    try:
        found = [time.fromisoformat(text) for text in texts]
    except ValueError as error:
        raise _wrong_shifts(str(error)) from error
    if not found:
        raise _wrong_shifts("there is none")
    return found


def _wrong_shifts(detail: str) -> Problem:
    return Problem(
        "alarm_shifts_wrong",
        "Times of the shifts cannot be read",
        detail,
        500,
        where="[alarms] shift_starts",
        remedy='write them as ["06:00", "14:00", "22:00"]',
    )
