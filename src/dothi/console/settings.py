"""Settings of the console."""

from pathlib import Path

import msgspec


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section `[console]` of dothi.toml."""

    basemap_dir: Path | None = None
    """Folder of the offline base map: one *.pmtiles archive, `fonts/` with glyph ranges, and
    `basemap.json` with its credits. None: the schematic one that comes with dothi (south of
    Vietnam); a folder without an archive: entities stand on a plain ground."""
