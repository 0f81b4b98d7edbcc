"""RDB, the tab-delimited format of the USGS: comments, names, column definitions, rows.

https://help.waterdata.usgs.gov/faq/about-tab-delimited-output
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.intake.pull.connector import Malformed
from dothi.intake.text_columns import iso_times
from dothi.model.row import TIMESTAMP

_VALUE = re.compile(r"^([0-9]+)_([0-9]{5})$")
_OFFSET_H = {
    "UTC": 0,
    "GMT": 0,
    "AST": -4,
    "ADT": -3,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "AKST": -9,
    "AKDT": -8,
    "HST": -10,
    "SST": -11,
    "CHST": 10,
    "GST": 10,
}
"""Time zones that the USGS writes, hours ahead of UTC."""


class RdbColumn(Struct, frozen=True):
    """The values of one time series of one site."""

    site: str
    series: str
    code: str
    is_one_of_several: bool
    """The site has several time series of this parameter."""
    times: pa.Array
    values: Sequence[str]
    qualifiers: Sequence[Sequence[str]]


def read_rdb(payload: bytes) -> Iterator[RdbColumn]:
    """Columns of all tables in the text (one table per site).

    Raises:
        Malformed: no UTF-8, no header, or rows of another length than their header.
    """
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(str(error)) from error
    for names, rows in _tables(text):
        yield from _columns(names, rows)


def _tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    names: list[str] | None = None
    rows: list[list[str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if cells[0] == "agency_cd":
            if names:
                yield names, rows[1:]
            names, rows = cells, []
        elif names is None:
            raise Malformed(f"line {number}: no header before it: {line[:80]}")
        elif len(cells) != len(names):
            raise Malformed(f"line {number}: {len(cells)} cells, the header has {len(names)}")
        else:
            rows.append(cells)
    if names:
        yield names, rows[1:]  # the first row defines the widths of the columns
    elif not text.lstrip().startswith("#"):
        raise Malformed("no header; an answer without data still has comments")


def _columns(names: list[str], rows: list[list[str]]) -> Iterator[RdbColumn]:
    for needed in ("site_no", "datetime", "tz_cd"):
        if needed not in names:
            raise Malformed(f"no column {needed}")
    by_site: dict[str, list[list[str]]] = defaultdict(list)
    for row in rows:
        by_site[row[names.index("site_no")]].append(row)
    found = [(at, match) for at, name in enumerate(names) if (match := _VALUE.match(name))]
    codes = [match.group(2) for _, match in found]
    for site, of_site in by_site.items():
        times = _times(of_site, names)
        for at, match in found:
            marks = names.index(f"{names[at]}_cd") if f"{names[at]}_cd" in names else None
            yield RdbColumn(
                site,
                match.group(1),
                match.group(2),
                codes.count(match.group(2)) > 1,
                times,
                [row[at] for row in of_site],
                [row[marks].split(":") if marks is not None else [] for row in of_site],
            )


def _times(rows: list[list[str]], names: list[str]) -> pa.Array:
    at, zone = names.index("datetime"), names.index("tz_cd")
    _, local = iso_times(pa.array([row[at].strip() for row in rows], pa.string()))
    hours = pa.array([_OFFSET_H.get(row[zone].strip().upper()) for row in rows], pa.int64())
    offset = pc.multiply(hours, 3_600_000_000).cast(pa.duration("us"))
    return pc.subtract(local, offset).cast(TIMESTAMP)
