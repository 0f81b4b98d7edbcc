"""The port `Evidence` on a folder: `evidence/ab/<sha256>`, written whole or not at all."""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from dothi.model.problem import StoreUnavailable
from dothi.ports.incidents import Stored

_NAME = re.compile(r"[0-9a-f]{64}")
_PRIVATE_FOLDER = 0o700


class EvidenceFolder:
    """One folder; the files are readable by the program's user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> "FileUpload":
        return FileUpload(self._folder)

    def path(self, sha256: str) -> Path | None:
        if not _NAME.fullmatch(sha256):
            return None
        path = self._folder / sha256[:2] / sha256
        return path if path.is_file() else None


class FileUpload:
    """Bytes go into a temporary file beside their place. Raises StoreUnavailable: disk full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
            descriptor, name = mkstemp(prefix="upload-", dir=folder)
        except OSError as error:
            raise StoreUnavailable(f"the file cannot be kept: {error}") from error
        self._file = os.fdopen(descriptor, "wb")
        self._path = Path(name)

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def write(self, part: bytes) -> None:
        self._digest.update(part)
        self._size_bytes += len(part)
        try:
            self._file.write(part)
        except OSError as error:
            raise StoreUnavailable(f"the file cannot be kept: {error}") from error

    def keep(self) -> Stored:
        """Name, then fsync of file and folder: a power cut afterwards takes nothing away."""
        sha256 = self._digest.hexdigest()
        place = self._folder / sha256[:2] / sha256
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            place.parent.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)
            self._path.replace(place)
            for folder in (place.parent, self._folder):
                _sync_folder(folder)
        except OSError as error:
            raise StoreUnavailable(f"the file cannot be kept: {error}") from error
        return Stored(sha256, self._size_bytes)

    def drop(self) -> None:
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
