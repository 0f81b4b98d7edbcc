"""Writes histories to files from the command line, also beside a running server."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dothi.api.series_query import ExportQuery, export_query
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.past import opened_past
from dothi.model.problem import Problem
from dothi.model.series import AggregateQuery, SeriesKey
from dothi.pipeline.export import export
from dothi.storage.relational.state import SqliteState

_NO_LIMIT = 1 << 31


def export_file(
    settings: Settings, folder: DataFolder, asked: dict[str, Any], entities: Sequence[str], to: Path
) -> int:
    """Write what was asked to the file `to`, which appears when it is complete; its bytes.

    Args:
        asked: fields of `api.series_query.ExportQuery` as texts.
        entities: every attribute of these is exported beside the keys that are named.
    Raises:
        Problem: dothi never ran here, a wrong question, or nothing that it could be about.
    """
    folder.require()
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    size = 0
    try:
        with part.open("wb") as file:
            for piece in _pieces(settings, folder, asked, entities):
                size += file.write(piece)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return size


def _pieces(
    settings: Settings, folder: DataFolder, asked: dict[str, Any], entities: Sequence[str]
) -> Iterator[bytes]:
    with opened_past(folder, settings.lake) as past:
        keys = [*asked["key"], *_keys_of(past.state, entities)]
        query = _query(settings, {**asked, "key": keys})
        units: dict[SeriesKey, str] = {}
        if isinstance(query, AggregateQuery):
            units = _units(past.state, sorted({key.entity for key in query.series}))
        yield from export(past.history, query, asked["format"], units)


def _query(settings: Settings, asked: dict[str, Any]) -> Any:
    if not asked["key"]:
        raise Problem(
            "nothing_to_export",
            "Nothing to export",
            "no series was named, or the entities have no attributes",
            remedy="name series: --key 'entity|attribute', or entities: --entity ID",
        )
    limits = msgspec.structs.replace(
        settings.api, max_series=_NO_LIMIT, max_export_rows=_NO_LIMIT, max_points=_NO_LIMIT
    )
    try:
        return export_query(msgspec.convert(asked, ExportQuery, strict=False), limits)
    except msgspec.ValidationError as error:
        raise Problem(
            "bad_export",
            "Wrong option",
            str(error),
            remedy="times look like 2026-11-22T00:00:00+07:00; functions like avg, max, p95",
        ) from error


def _keys_of(state: SqliteState, entities: Sequence[str]) -> list[str]:
    if not entities:
        return []
    found = state.attributes(entities).select(["entity", "attribute", "dataset"]).to_pylist()
    return [f"{row['entity']}|{row['attribute']}|{row['dataset']}" for row in found]


def _units(state: SqliteState, entities: Sequence[str]) -> dict[SeriesKey, str]:
    columns = ["entity", "attribute", "dataset", "unit"]
    return {
        SeriesKey(row["entity"], row["attribute"], row["dataset"]): row["unit"]
        for row in state.attributes(entities).select(columns).to_pylist()
        if row["unit"]
    }
