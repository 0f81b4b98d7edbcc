"""Finds files that were put into a folder and are no longer being written."""

import os
import stat
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct, field

REJECTED = "rejected"
"""Folder below the watched one for files that cannot be read."""

EMPTY_GRACE_S = 600.0
"""An empty file is most likely an upload that has not begun to flow."""

_UNFINISHED = (".part", ".filepart", ".tmp", ".partial", ".crdownload")


class Found(Struct, frozen=True):
    """A file with the signature of its content."""

    path: str
    """Below the watched folder, with `/`."""
    size: int
    modified_ns: int

    @property
    def signature(self) -> tuple[int, int]:
        return self.size, self.modified_ns


class _Waiting(Struct):
    signature: tuple[int, int]
    since_s: float


class Settling(Struct):
    """Lets a file through when it has looked the same for `stable_s` (monotonic seconds)."""

    stable_s: float
    _waiting: dict[str, _Waiting] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def settled(self, files: list[Found], now_s: float) -> list[Found]:
        """Those of the files that are complete; the others are watched on."""
        done: list[Found] = []
        still: dict[str, _Waiting] = {}
        for file in files:
            seen = self._waiting.get(file.path)
            if seen is None or seen.signature != file.signature:
                seen = _Waiting(file.signature, now_s)
            patience_s = self.stable_s if file.size else max(self.stable_s, EMPTY_GRACE_S)
            if now_s - seen.since_s >= patience_s:
                done.append(file)
            else:
                still[file.path] = seen
        self._waiting = still
        return done


def scan(folder: Path, newest_day: date | None, recent_days: int = 1) -> Iterator[Found]:
    """Station files below `folder`, in no order.

    Args:
        newest_day: leave out folders `…/yyyy/MM/dd` but those of `recent_days` days, this local
            one being the last; None: visit everything.
    Raises:
        OSError: the folder itself cannot be listed (unmounted share, no right).
    """
    oldest = None if newest_day is None else newest_day - timedelta(days=recent_days - 1)
    # Folders that vanish or may not be read below the root are passed over; the root may not.
    with os.scandir(folder):
        pass
    for here, folders, names in os.walk(folder):
        relative = Path(here).relative_to(folder)
        if relative.parts == ():
            folders[:] = [name for name in folders if name != REJECTED]
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not _is_older(relative / name, oldest)
        ]
        for name in names:
            if is_station_file(name) and (found := _look(folder, relative / name)):
                yield found


def is_station_file(name: str) -> bool:
    """Finished uploads are `.txt`; hidden files and the usual names of unfinished ones are not."""
    folded = name.casefold()
    return (
        folded.endswith(".txt")
        and not folded.startswith((".", "~"))
        and not any(f"{mark}." in folded for mark in _UNFINISHED)
    )


def _look(folder: Path, relative: Path) -> Found | None:
    try:
        facts = (folder / relative).stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # renamed or taken away since it was listed
    if not stat.S_ISREG(facts.st_mode):
        return None
    return Found(relative.as_posix(), facts.st_size, facts.st_mtime_ns)


def _is_older(folder: Path, oldest: date | None) -> bool:
    """Whether all of a folder `…/yyyy`, `…/yyyy/MM` or `…/yyyy/MM/dd` lies before the day."""
    if oldest is None:
        return False
    tail = [part for part in folder.parts[1:] if part.isascii() and part.isdigit()]
    limit = (f"{oldest.year:04}", f"{oldest.month:02}", f"{oldest.day:02}")
    if not tail or len(tail[0]) != 4 or any(len(part) != 2 for part in tail[1:]):
        return False
    return tuple(tail[:3]) < limit[: len(tail)]
