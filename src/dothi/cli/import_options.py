"""The mapping of an import from a TOML file and from options."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from dothi.model.problem import Problem

if TYPE_CHECKING:
    from dothi.intake.tabular.mapping import Mapping


class Answers(Struct, frozen=True):
    """The options of `dothi import` that belong to the mapping."""

    source: str | None = None
    entity_type: str | None = None
    entity: str | None = None
    entity_column: str | None = None
    time_column: str | None = None
    time_format: str | None = None
    zone: str | None = None
    columns: tuple[str, ...] = ()
    attribute_column: str | None = None
    value_column: str | None = None
    unit_column: str | None = None
    decimal: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    origin: str | None = None
    origin_note: str | None = None
    licence: str | None = None


def mapping_of(file: Path | None, answers: Answers) -> "Mapping":
    """Raises Problem: the file is missing, or a key or value does not fit."""
    from dothi.intake.tabular.mapping import Mapping

    data = _read(file) if file else {}
    given = {name: value for name, value in asdict(answers).items() if value}
    columns = [_column(text) for text in given.pop("columns", ())]
    if columns:
        data.setdefault("columns", {}).update(columns)
    if given.get("delimiter") == "\\t":
        given["delimiter"] = "\t"
    if given.get("attribute_column"):
        given["layout"] = "long"
    try:
        return msgspec.convert({"source": "", **data, **given}, Mapping)
    except msgspec.ValidationError as error:
        raise Problem(
            "mapping_invalid",
            "The mapping does not fit",
            str(error),
            where=str(file or "options"),
            remedy="docs/reference/import.md lists every key",
        ) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            "mapping_invalid",
            "The mapping cannot be read",
            str(error),
            where=str(file),
            remedy="it is a TOML file, see docs/reference/import.md",
        ) from error


def _column(text: str) -> tuple[str, dict[str, str]]:
    """`PM2.5=pm25:GQ`; the last `=` separates, so that column names may hold one."""
    name, is_given, meaning = text.rpartition("=")
    attribute, _, unit = meaning.partition(":")
    if not is_given or not name or not attribute:
        raise Problem(
            "mapping_invalid",
            "The mapping does not fit",
            f"--column {text}",
            remedy="write NAME=ATTRIBUTE or NAME=ATTRIBUTE:UNIT, e.g. PM2.5=pm25:GQ",
        )
    return name, {"attribute": attribute, "unit": unit}
