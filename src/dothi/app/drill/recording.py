"""A recorded day for a drill: out of a table, or out of the history of a province.

What is to be played lies in the folder of the drill as one Parquet file in the order of its times,
so that the drill needs nothing from outside once it runs, and shows later what was played.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct

from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.drill.history_rows import history_rows
from dothi.intake.tabular.importer import chunk_rows
from dothi.intake.tabular.mapping import Mapping, check
from dothi.intake.tabular.read import open_chunks
from dothi.intake.tabular.rows import RowMaker
from dothi.model.problem import Problem
from dothi.model.quality import UNSET, Quality
from dothi.model.row import ROW_SCHEMA
from dothi.model.source import Origin, Source
from dothi.model.zone import ZONE

FILE_NAME = "recorded.parquet"
_ROWS_PER_GROUP = 100_000
_BETWEEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):00)")
_DAY = timedelta(days=1)


class Wanted(Struct, frozen=True):
    """What is asked for: a file with its mapping, or the history in a folder."""

    day: date | None = None
    """By the clock of Vietnam; None: the one day that the file holds."""
    between: str = ""
    """`17:00-21:30`; empty: the whole day."""
    file: Path | None = None
    mapping: Mapping | None = None
    history: DataFolder | None = None


class Recording(Struct, frozen=True):
    """What is played; times are those of the record, UTC."""

    path: Path
    """ROW_SCHEMA, `observed_at` never falling."""
    begin_at: datetime
    end_at: datetime
    rows: int
    sources: tuple[Source, ...]
    """That bear the values in the drill; each says that it replays."""
    title_vi: str
    title_en: str

    @property
    def duration_s(self) -> float:
        return (self.end_at - self.begin_at).total_seconds()


def record(wanted: Wanted, settings: Settings, folder: Path) -> Recording:
    """Put the day into the folder. Blocking.

    Raises Problem: the file or the mapping does not fit, no such day, nothing recorded in it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / FILE_NAME
    if wanted.file is not None and wanted.mapping is not None:
        table = _table_of(wanted.file, wanted.mapping)
        begin_at, end_at = _span(_day_of(table, wanted), wanted.between)
        known: Sequence[Source] = [Source(wanted.mapping.source, wanted.mapping.source_name, "")]
        pieces: Iterator[pa.Table] = iter([_within(table, begin_at, end_at)])
        name = wanted.file.name
    elif wanted.history is not None and wanted.day is not None:
        begin_at, end_at = _span(wanted.day, wanted.between)
        known, pieces = history_rows(settings, wanted.history, begin_at, end_at)
        name = ""
    else:
        raise ValueError("a file with its mapping, or a folder and a day")
    rows, ids = _write(pieces, path)
    if not rows:
        raise _nothing(begin_at, end_at, name or str(wanted.history and wanted.history.path))
    shown = f"{begin_at.astimezone(ZONE):%d/%m/%Y}"
    of = f", {name}" if name else ""
    note = (f"diễn tập, phát lại ngày {shown}{of}", f"drill, replay of {shown}{of}")
    named = {source.id: source.name for source in known}
    sources = tuple(_source(one, named.get(one) or one, note) for one in ids)
    return Recording(
        path,
        begin_at,
        end_at,
        rows,
        sources,
        f"Phát lại ngày {shown}{of}",
        f"Replay of {shown}{of}",
    )


def replayed_id(source: str) -> str:
    """Id of the source that bears the values of another one in a drill."""
    return f"replay-{source}"[:64]


def _source(source: str, name: str, note: tuple[str, str]) -> Source:
    return Source(
        replayed_id(source),
        f"{name} (phát lại)",
        "import",
        origin=Origin.REPLAYED,
        origin_note=note[1],
        origin_note_vi=note[0],
        may_write_others=True,
    )


def _table_of(file: Path, mapping: Mapping) -> pa.Table:
    """Every row of the file that has a time."""
    check(mapping)
    maker = RowMaker(mapping)
    found = [ROW_SCHEMA.empty_table()]
    with open_chunks(file, mapping, chunk_rows(mapping)) as (chunks, _):
        found += [maker.rows(chunk)[0] for chunk in chunks]
    table = pa.concat_tables(found)
    return table.filter(pc.is_valid(table["observed_at"])).sort_by("observed_at")


def _day_of(table: pa.Table, wanted: Wanted) -> date:
    if wanted.day is not None:
        return wanted.day
    if not table.num_rows:
        raise Problem(
            "nothing_recorded",
            "There is nothing to play",
            "no row of the file has a time and a value",
            where=str(wanted.file),
            remedy="look at it with: dothi import FILE --map MAPPING --dry-run",
        )
    ends: dict[str, datetime] = pc.min_max(table["observed_at"]).as_py()
    first, last = (moment.astimezone(ZONE).date() for moment in ends.values())
    if first != last:
        raise Problem(
            "which_day",
            "The file holds more than one day",
            f"from {first} to {last} by the clock of Vietnam",
            where=str(wanted.file),
            remedy=f"say which one, e.g. --day {last}",
        )
    return first


def _span(day: date, between: str) -> tuple[datetime, datetime]:
    midnight = datetime.combine(day, time(), ZONE)
    if not between:
        return midnight, midnight + _DAY
    found = _BETWEEN.fullmatch(between.strip())
    hours = [int(part) for part in found.groups() if part] if found else []
    begin = timedelta(hours=hours[0], minutes=hours[1]) if found else _DAY
    end = timedelta(hours=hours[2], minutes=hours[3] if hours[3:] else 0) if found else _DAY
    if begin >= end:
        raise Problem(
            "bad_between",
            "These are no hours of a day",
            f"--between {between!r}",
            where="--between",
            remedy="write the begin and a later end, e.g. 17:00-21:30 or 18:00-24:00",
        )
    return midnight + begin, midnight + end


def _within(table: pa.Table, begin_at: datetime, end_at: datetime) -> pa.Table:
    at = table["observed_at"]
    begin, end = (pa.scalar(moment, at.type) for moment in (begin_at, end_at))
    return table.filter(pc.and_(pc.greater_equal(at, begin), pc.less(at, end)))


def _write(pieces: Iterator[pa.Table], path: Path) -> tuple[int, list[str]]:
    """As they come; how many rows, and the sources that sent them."""
    rows, sources = 0, set()
    with pq.ParquetWriter(path, ROW_SCHEMA, compression="zstd") as writer:
        for piece in pieces:
            rows += piece.num_rows
            sources.update(pc.unique(piece["source"]).to_pylist())
            writer.write_table(_made_new(piece), row_group_size=_ROWS_PER_GROUP)
    path.chmod(0o600)
    return rows, sorted(sources)


def _made_new(table: pa.Table) -> pa.Table:
    """By the sources of the drill; what was good is judged anew, by the limits of today."""
    column = table["source"].combine_chunks().dictionary_encode()
    names = pa.array([replayed_id(one) for one in column.dictionary.to_pylist()], pa.string())
    sources = names.take(column.indices)
    is_good = pc.equal(table["quality"], pa.scalar(int(Quality.GOOD), pa.uint8()))
    quality = pc.if_else(is_good, pa.scalar(UNSET, pa.uint8()), table["quality"])
    places = {field.name: n for n, field in enumerate(ROW_SCHEMA)}
    table = table.set_column(places["source"], ROW_SCHEMA.field("source"), sources)
    return table.set_column(places["quality"], ROW_SCHEMA.field("quality"), quality)


def _nothing(begin_at: datetime, end_at: datetime, where: str) -> Problem:
    shown = [f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}" for moment in (begin_at, end_at)]
    return Problem(
        "nothing_recorded",
        "There is nothing to play",
        f"no value between {shown[0]} and {shown[1]} by the clock of Vietnam",
        where=where,
        remedy="choose another day or other hours; the screen Trends shows when there are values",
    )
