"""What a rule watches for: conditions as data, told apart by `kind`.

A condition is true, false or undecidable (no value, or one of bad quality). Undecidable never
satisfies anything: it neither raises an alarm nor ends one.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Comparison = Literal[">", ">=", "<", "<="]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1, max_length=400)]


class _Node(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    pass


class DatedLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit that dated data gives: of the entity, at the date of the observation."""

    table: Name
    """Name of the limit table."""
    level: Name
    """Which of its levels, e.g. `II`."""


class Threshold(_Node, tag="threshold", frozen=True, kw_only=True):
    """The value stands in the relation to the limit."""

    attribute: Name
    comparison: Comparison
    limit: float | DatedLimit
    deadband: NotNegative = 0.0
    """The condition ends only when the value is so far back from the limit (ISA-18.2, 3.1.36)."""
    dataset: str = ""


class Range(_Node, tag="range", frozen=True, kw_only=True):
    """The value lies outside low..high; with `is_inside` inside it, both ends included."""

    attribute: Name
    low: float | DatedLimit
    high: float | DatedLimit
    is_inside: bool = False
    deadband: NotNegative = 0.0
    dataset: str = ""


class Rate(_Node, tag="rate", frozen=True, kw_only=True):
    """The change from the oldest usable value within `over_s` to the newest, per `per_s`."""

    attribute: Name
    over_s: Positive
    comparison: Comparison
    limit: float | DatedLimit
    per_s: Positive = 3600.0
    deadband: NotNegative = 0.0
    dataset: str = ""


class NoData(_Node, tag="no_data", frozen=True, kw_only=True):
    """Nothing has arrived for `for_s`, whatever the time of its observation."""

    attribute: Name
    for_s: Positive
    dataset: str = ""


class Stuck(_Node, tag="stuck", frozen=True, kw_only=True):
    """All usable values of the last `for_s` lie within `tolerance` of each other.

    Undecidable until values reach back so far and there are `min_count` of them.
    """

    attribute: Name
    for_s: Positive
    tolerance: NotNegative = 0.0
    min_count: Annotated[int, Meta(ge=2)] = 3
    dataset: str = ""


class Where(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which values are counted."""

    comparison: Comparison
    limit: float


class Window(_Node, tag="window", frozen=True, kw_only=True):
    """A figure over the usable values of the last `over_s` stands in the relation to the limit.

    Decided at each observation, and once more when the window has run empty: count and sum are
    then 0, the others undecidable.
    """

    attribute: Name
    function: Literal["count", "sum", "mean", "min", "max"]
    over_s: Positive
    comparison: Comparison
    limit: float | DatedLimit
    where: Where | None = None
    """count only: how many of the values are so."""
    min_count: Annotated[int, Meta(ge=0)] = 1
    """With fewer values the figure is undecidable (not count and sum)."""
    deadband: NotNegative = 0.0
    dataset: str = ""


class Geofence(_Node, tag="geofence", frozen=True, kw_only=True):
    """The entity is inside (or outside) a polygon, or an area by its id."""

    relation: Literal["inside", "outside"] = "inside"
    polygon: tuple[tuple[float, float], ...] = ()
    """Longitude, latitude (WGS 84) of its corners."""
    area: str = ""
    attribute: Name = "location"


class Compare(_Node, tag="compare", frozen=True, kw_only=True):
    """The value stands in the relation to `factor` × another attribute + `offset`.

    With `is_forecast` the other one is what was forecast for the time of the value: its last value
    at or before that time. Undecidable when the two times differ by more than `within_s`.
    """

    attribute: Name
    comparison: Comparison
    other: Name
    factor: float = 1.0
    offset: float = 0.0
    within_s: Positive | None = None
    is_forecast: bool = False
    deadband: NotNegative = 0.0
    dataset: str = ""
    other_dataset: str = ""


class Flagged(_Node, tag="quality", frozen=True, kw_only=True):
    """The newest observation bears one of these quality flags (model/quality.py)."""

    attribute: Name
    flags: tuple[Literal["good", "uncertain", "bad", "estimated", "hand_entered", "missing"], ...]
    dataset: str = ""


class AllOf(_Node, tag="all_of", frozen=True, kw_only=True):
    """Every part is true."""

    of: "tuple[Condition, ...]"


class AnyOf(_Node, tag="any_of", frozen=True, kw_only=True):
    """At least one part is true."""

    of: "tuple[Condition, ...]"


class AtLeast(_Node, tag="at_least", frozen=True, kw_only=True):
    """At least `count` of the parts are true."""

    count: Annotated[int, Meta(ge=1)]
    of: "tuple[Condition, ...]"


class Not(_Node, tag="not", frozen=True, kw_only=True):
    """The part is false; undecidable when it is."""

    of: "Condition"


Leaf = Threshold | Range | Rate | NoData | Stuck | Window | Geofence | Compare | Flagged
Condition = (
    Threshold
    | Range
    | Rate
    | NoData
    | Stuck
    | Window
    | Geofence
    | Compare
    | Flagged
    | AllOf
    | AnyOf
    | AtLeast
    | Not
)
