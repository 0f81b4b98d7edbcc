"""What is known of an attribute before it arrives: its unit and the limits of belief."""

from msgspec import Struct


class AttributeSpec(Struct, frozen=True):
    """Limits for quality flags, not legal limits; outside `fail` is bad, outside `suspect` is
    uncertain (QARTOD gross range test). None: no limit on that side."""

    name: str
    unit: str | None = None
    """UN/CEFACT code; values in a convertible unit are converted, others are rejected."""
    fail_low: float | None = None
    fail_high: float | None = None
    suspect_low: float | None = None
    suspect_high: float | None = None
    cadence_s: float | None = None
