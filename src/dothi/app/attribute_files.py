"""Attribute specs (unit, limits of belief) from a TOML file."""

from pathlib import Path

import msgspec

from dothi.model.attribute_spec import AttributeSpec


class _Limits(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    unit: str | None = None
    fail_low: float | None = None
    fail_high: float | None = None
    suspect_low: float | None = None
    suspect_high: float | None = None
    cadence_s: float | None = None


def read_attribute_specs(path: Path) -> dict[str, AttributeSpec]:
    """One table per attribute -> specs by attribute name.

    Raises:
        msgspec.DecodeError: not TOML, or a field that is unknown or of the wrong type.
    """
    tables = msgspec.toml.decode(path.read_bytes(), type=dict[str, _Limits])
    return {
        name: AttributeSpec(name, **msgspec.structs.asdict(limits))
        for name, limits in tables.items()
    }
