"""How the columns of a table become observations: what `dothi import --map` reads."""

import hashlib
from typing import Literal

import msgspec

from dothi.model.problem import Problem
from dothi.model.source import Origin

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "-")
"""Cells that mean "no value" unless the mapping says otherwise."""


class Value(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[columns."PM2.5"]`: one attribute."""

    attribute: str
    unit: str = ""
    """UN/CEFACT code or UCUM symbol of every value; empty: of `unit_column`, or none."""
    kind: Literal["number", "text"] = "number"
    dataset: str = ""


class Mapping(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The whole mapping; as TOML in a file, or made from the options of the command."""

    source: str
    """Source id that bears the rows; made when it does not exist."""
    source_name: str = ""
    origin: Origin = Origin.MEASURED
    origin_note: str = ""
    licence: str = ""
    layout: Literal["wide", "long"] = "wide"
    """wide: one column per attribute; long: a column that names the attribute."""
    time_column: str = ""
    time_format: str = "iso"
    """`iso`, `epoch_s`, `epoch_ms`, or strptime directives such as `%d/%m/%Y %H:%M`."""
    zone: str = ""
    """IANA zone of times that carry none, e.g. `Asia/Ho_Chi_Minh` or `UTC`; never guessed."""
    entity: str = ""
    """URI of the one entity that the whole file is about; or:"""
    entity_column: str = ""
    entity_template: str = "urn:ngsi-ld:{type}:{value}"
    """URI of a cell that is no URI itself; {value} is the percent-encoded cell."""
    entity_type: str = ""
    columns: dict[str, Value] = msgspec.field(default_factory=dict)
    """wide: column -> attribute. long: name in `attribute_column` -> attribute; names that are
    not listed are taken as they are."""
    attribute_column: str = ""
    value_column: str = ""
    unit_column: str = ""
    quality_column: str = ""
    quality: dict[str, int] = msgspec.field(default_factory=dict)
    """Cell of `quality_column` -> quality number (1, 3, 4, 5, 6, 9)."""
    missing: tuple[str, ...] = MISSING
    """Cells that mean "no value"; they are passed over."""
    decimal: Literal[".", ","] = "."
    delimiter: str = ","
    encoding: str = "utf-8"
    newlines_in_values: bool = False
    """Quoted cells may hold line breaks (slower)."""

    def needed_columns(self) -> list[str]:
        """Columns that the file must have."""
        values = self.columns if self.layout == "wide" else (self.attribute_column,)
        named = (
            self.time_column,
            self.entity_column,
            *values,
            self.value_column if self.layout == "long" else "",
            self.unit_column,
            self.quality_column,
        )
        return list(dict.fromkeys(name for name in named if name))

    def fingerprint(self) -> str:
        """Changes when the same file would give other rows."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:8]


def check(mapping: Mapping) -> None:
    """Raise Problem when the mapping contradicts itself."""
    for is_wrong, detail in (
        (not mapping.source, "say which source bears the rows (`source`)"),
        (not mapping.time_column, "say which column holds the time (`time_column`)"),
        (
            bool(mapping.entity) == bool(mapping.entity_column),
            "say which entity the rows are about: either `entity` or `entity_column`",
        ),
        (
            bool(mapping.entity_column) and not mapping.entity_type,
            "`entity_column` needs `entity_type`",
        ),
        (
            mapping.layout == "wide" and not mapping.columns,
            "a wide table needs `columns`: which column is which attribute",
        ),
        (
            mapping.layout == "long" and not (mapping.attribute_column and mapping.value_column),
            "a long table needs `attribute_column` and `value_column`",
        ),
        (len(mapping.delimiter) != 1, "`delimiter` is one character"),
        (
            mapping.delimiter == mapping.decimal,
            "`delimiter` and `decimal` are the same character",
        ),
    ):
        if is_wrong:
            raise Problem("mapping_invalid", "The mapping does not fit", detail)
