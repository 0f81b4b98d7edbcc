"""The port `FilesSeen`, over every store."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from databases import lay_database
from dothi.model.problem import StoreUnavailable
from dothi.ports.files import FilesSeen, SeenFile
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.files_seen import RelationalFilesSeen

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, UTC)


@pytest.fixture(params=["sqlite"])
def seen(tmp_path: Path) -> Iterator[FilesSeen]:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    yield RelationalFilesSeen(engine)
    engine.dispose()


def _file(path: str, size: int = 10) -> SeenFile:
    return SeenFile(path, "ab" * 32, size, 1_700_000_000_123_456_789, AT, 4, 1)


def test_recorded_files_are_known_and_others_are_not(seen: FilesSeen) -> None:
    seen.record([_file("a/x.txt"), _file("a/y.txt")])
    assert seen.known(["a/x.txt", "a/z.txt"]) == {"a/x.txt": _file("a/x.txt")}


def test_a_file_written_again_replaces_its_record(seen: FilesSeen) -> None:
    seen.record([_file("x.txt")])
    again = replace(_file("x.txt"), size=11, digest="cd" * 32)
    seen.record([_file("x.txt", 9), again])
    assert seen.known(["x.txt"]) == {"x.txt": again}


def test_thousands_of_paths_at_once(seen: FilesSeen) -> None:
    files = [_file(f"{n}.txt") for n in range(3_000)]
    seen.record(files)
    seen.record([])
    assert len(seen.known([f.path for f in files])) == 3_000


def test_a_store_that_cannot_write_says_so(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "dothi.db")
    with pytest.raises(StoreUnavailable, match="no such table"):
        RelationalFilesSeen(engine).record([_file("x.txt")])
    engine.dispose()
