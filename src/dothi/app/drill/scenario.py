"""What a drill plays and expects: a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from dothi.model.problem import Problem

Text = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(ge=0)]


class Station(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A made-up or replayed device that reports one attribute through the MQTT door."""

    source: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    name: Text
    entity: Text
    """URI."""
    type: Text
    attribute: Text
    unit: str = ""
    """UN/CEFACT Rec 20 code or UCUM."""
    location: tuple[float, float] | None = None
    """Longitude, latitude."""
    every_s: Annotated[float, Meta(gt=0)]
    points: Annotated[tuple[tuple[Seconds, float], ...], Meta(min_length=1)]
    """Seconds from the start of the scenario, value; linear between them."""


class Call(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the instructor says at a time: a phone call, a report from a ward."""

    after_s: Seconds
    text_vi: Text
    text_en: Text


class Expectation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the trainees must do, counted from what gives the occasion."""

    id: Text
    title_vi: Text
    title_en: Text
    kind: Literal["acknowledge", "incident", "step", "warning"]
    """Acknowledge the alarm; open an incident for it; do a step of a procedure; release a public
    warning."""
    rule: str = ""
    """Rule whose first alarm is the occasion (acknowledge, incident, warning)."""
    procedure: str = ""
    step: str = ""
    within_s: Annotated[float, Meta(gt=0)] | None = None
    """In time of the scenario; a step without it has the time limit of its procedure."""
    weight: Annotated[float, Meta(gt=0)] = 1.0


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole drill."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}$")]
    title_vi: Text
    title_en: Text
    about_vi: str = ""
    about_en: str = ""
    origin: Literal["simulated", "replayed"]
    origin_note_vi: Text
    origin_note_en: Text
    """Shown beside every value."""
    duration_s: Annotated[float, Meta(gt=0)]
    stations: tuple[Station, ...] = ()
    """None: only together with a recorded day."""
    calls: tuple[Call, ...] = ()
    expectations: tuple[Expectation, ...] = ()


def read_scenario(path: Path) -> Scenario:
    """Raises Problem: no such file, no TOML, or a scenario that cannot be played."""
    try:
        scenario = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Scenario, strict=False)
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise _wrong(path, str(error)) from error
    _check(scenario, path)
    return scenario


def _check(scenario: Scenario, path: Path) -> None:
    for station in scenario.stations:
        times = [after_s for after_s, _ in station.points]
        if times != sorted(set(times)):
            raise _wrong(path, f"station {station.source}: the times of `points` must rise")
    for name, ids in (
        ("stations", [station.source for station in scenario.stations]),
        ("expectations", [one.id for one in scenario.expectations]),
    ):
        doubled = {one for one in ids if ids.count(one) > 1}
        if doubled:
            raise _wrong(path, f"{name}: {sorted(doubled)} are there more than once")
    for one in scenario.expectations:
        needed = ("procedure", "step") if one.kind == "step" else ("rule", "within_s")
        missing = [name for name in needed if not getattr(one, name)]
        if missing:
            raise _wrong(path, f"expectation {one.id} ({one.kind}) lacks {missing}")


def _wrong(path: Path, detail: str) -> Problem:
    return Problem(
        "bad_scenario",
        "The scenario cannot be played",
        detail,
        where=str(path),
        remedy="docs/guide/en/drills.md shows a whole scenario",
    )
