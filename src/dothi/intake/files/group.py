"""A group of waiting files as one Batch."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dothi.intake.files.content import digest_of, printable, read, text_of
from dothi.intake.files.parse import Delivery, Limits, parse
from dothi.intake.files.settings import FilesSettings
from dothi.intake.files.station import Station, Unreadable, split_name, station_of
from dothi.intake.files.symbols import Symbol
from dothi.intake.files.watch import Found
from dothi.model.batch import Batch, Rejection
from dothi.ports.files import SeenFile


class Group(Struct, frozen=True):
    """What a group of files came to."""

    batch: Batch
    stations: tuple[Station, ...]
    """Of the files that could be read."""
    seen: tuple[SeenFile, ...]
    """What to remember of the readable files once the batch is stored."""
    unreadable: tuple[tuple[SeenFile, Unreadable], ...]
    """Files to put aside once the batch is stored."""
    failed: tuple[str, ...]
    """Files that could not be opened now; they stay and are tried again."""


class Reader(Struct):
    """Reads and parses groups of files; blocking."""

    folder: Path
    settings: FilesSettings
    symbols: Mapping[str, Symbol]

    def fingerprint(self) -> str:
        """Changes when the same file would give other rows."""
        meaning = (self.settings.stations, self.settings.symbols, self.settings.entity_template)
        return hashlib.sha256(msgspec.json.encode(meaning, order="sorted")).hexdigest()[:8]

    def group(self, files: Sequence[Found], now_at: datetime) -> Group:
        """Read the files in the order of the times in their names and make one Batch of them."""
        deliveries: list[Delivery] = []
        seen: list[SeenFile] = []
        unreadable: list[tuple[SeenFile, Unreadable]] = []
        rejected: list[Rejection] = []
        failed: list[str] = []
        for file in sorted(files, key=_order):
            data = b""
            try:
                data = read(self.folder / file.path, self.settings.max_file_bytes)
                delivery = self._decode(file, data)
            except Unreadable as why:
                unreadable.append((_seen(file, data, now_at, 0, 1), why))
                rejected.append(self._rejection(file, data, why))
            except FileNotFoundError:
                continue
            except OSError as error:
                failed.append(f"{printable(file.path)}: {error.strerror or error}")
            else:
                deliveries.append(delivery)
                seen.append(_seen(file, data, now_at, 0, 0))
        latest_at = now_at + timedelta(seconds=self.settings.future_tolerance_s)
        parsed = parse(deliveries, Limits(self.symbols, latest_at, self.settings.utc_offset_h))
        counted = zip(seen, parsed.accepted, parsed.refused, strict=True)
        done = tuple(replace(s, lines=a, rejected=r) for s, a, r in counted)
        return Group(
            Batch(
                self._batch_id(done, unreadable),
                parsed.rows,
                now_at,
                (*rejected, *parsed.rejected),
            ),
            tuple({d.station.key: d.station for d in deliveries}.values()),
            done,
            tuple(unreadable),
            tuple(failed),
        )

    def _decode(self, file: Found, data: bytes) -> Delivery:
        key, _ = split_name(Path(file.path).name, self.settings.utc_offset_h)
        return Delivery(printable(file.path), station_of(key, self.settings), text_of(data))

    def _rejection(self, file: Found, data: bytes, why: Unreadable) -> Rejection:
        try:
            key, _ = split_name(Path(file.path).name, self.settings.utc_offset_h)
            source = station_of(key, self.settings).source
        except Unreadable:
            source = self.settings.source
        sample = data[:300].decode("utf-8", "replace")
        return Rejection(source, why.reason, f"{printable(file.path)}: {why.detail}", sample=sample)

    def _batch_id(
        self, done: Sequence[SeenFile], bad: Sequence[tuple[SeenFile, Unreadable]]
    ) -> str:
        parts = sorted(f"{s.path}\0{s.digest}" for s in (*done, *(s for s, _ in bad)))
        digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        return f"files:{digest[:40]}:{self.fingerprint()}"


def _order(file: Found) -> tuple[str, str]:
    """By the time in the name, so that of two values for a key the one sent later wins."""
    stamp = re.search(r"_([0-9]{14})\.[^.]*$", file.path)
    return (stamp.group(1) if stamp else "", file.path)


def _seen(file: Found, data: bytes, at: datetime, lines: int, rejected: int) -> SeenFile:
    return SeenFile(file.path, digest_of(data), file.size, file.modified_ns, at, lines, rejected)
