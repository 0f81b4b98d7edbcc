"""The offline base map: one PMTiles archive read by ranges, its glyphs and its credits."""

from pathlib import Path

import msgspec


class BasemapCredits(msgspec.Struct, frozen=True, kw_only=True):
    """`basemap.json` beside the archive: what must be said about the map."""

    attribution: str = ""
    """Shown on the map at all times."""
    is_schematic: bool = False
    """Roads are a sketch; the map says so."""


class BasemapManifest(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of GET /basemap/manifest.json."""

    tiles: str | None
    """File name of the archive below /basemap/; None: no base map."""
    has_glyphs: bool
    """/basemap/fonts/{fontstack}/{range}.pbf answers."""
    attribution: str
    is_schematic: bool


def read_manifest(folder: Path | None) -> BasemapManifest:
    """What the folder holds; the first archive by name counts.

    Raises:
        msgspec.DecodeError: basemap.json is not what BasemapCredits says.
    """
    archives = sorted(folder.glob("*.pmtiles")) if folder else []
    if not folder or not archives:
        return BasemapManifest(tiles=None, has_glyphs=False, attribution="", is_schematic=False)
    notes = folder / "basemap.json"
    credits = (
        msgspec.json.decode(notes.read_bytes(), type=BasemapCredits)
        if notes.is_file()
        else BasemapCredits()
    )
    return BasemapManifest(
        tiles=archives[0].name,
        has_glyphs=(folder / "fonts").is_dir(),
        attribution=credits.attribution,
        is_schematic=credits.is_schematic,
    )
