"""Which files are found, and when they are whole."""

import os
from datetime import date
from pathlib import Path

import pytest

from dothi.intake.files.watch import Found, Settling, is_station_file, scan

TODAY = date(2025, 1, 2)


def put(folder: Path, path: str, content: str = "x") -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(content)


def paths(folder: Path, day: date | None = None) -> list[str]:
    return sorted(found.path for found in scan(folder, day, 2))


def test_recent_days_are_visited_often_and_old_ones_seldom(tmp_path: Path) -> None:
    for place in ("NUO1/2025/01/02", "NUO1/2025/01/01", "NUO1/2024/12/31", "NUO1/2023/01/02"):
        put(tmp_path, f"{place}/a.txt")
    put(tmp_path, "flat.txt")
    put(tmp_path, "NUO1/loose.txt")
    recent = ["NUO1/2025/01/01/a.txt", "NUO1/2025/01/02/a.txt", "NUO1/loose.txt", "flat.txt"]
    assert paths(tmp_path, TODAY) == recent
    assert len(paths(tmp_path)) == 6


def test_what_is_no_finished_station_file_is_passed_over(tmp_path: Path) -> None:
    for name in ("a.txt.part", "a.part.txt", ".a.txt", "~a.txt", "a.csv", "rejected/a.txt"):
        put(tmp_path, name)
    put(tmp_path, ".hidden/a.txt")
    put(tmp_path, "good.TXT")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.csv")
    os.mkfifo(tmp_path / "pipe.txt")
    assert paths(tmp_path) == ["good.TXT"]


def test_a_folder_that_went_away(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(scan(tmp_path / "gone", None))


def test_names_of_unfinished_uploads() -> None:
    assert not is_station_file("BD_A_B_20250101000000.txt.filepart")
    assert is_station_file("BD_A_B_20250101000000.txt")


def test_a_growing_file_waits_until_it_rests() -> None:
    settling = Settling(stable_s=5)
    small, large = Found("a", 10, 1), Found("a", 20, 2)
    assert settling.settled([small], 0) == []
    assert settling.settled([large], 4) == []
    assert settling.settled([large], 8) == []
    assert settling.waiting == 1
    assert settling.settled([large], 9) == [large]


def test_an_empty_file_is_given_more_time() -> None:
    settling = Settling(stable_s=5)
    empty = Found("a", 0, 1)
    assert settling.settled([empty], 0) == []
    assert settling.settled([empty], 60) == []
    assert settling.settled([empty], 600) == [empty]
