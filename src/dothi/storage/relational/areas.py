"""The Areas port on the relational store: dated territories, found by an index over shapes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Engine, RowMapping, Table, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from dothi.model.area import Area, AreaShare
from dothi.storage.relational import audit_chain
from dothi.storage.relational.schema import area as area_table
from dothi.storage.relational.schema import area_share as share_table
from dothi.storage.relational.schema import watermark

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

CHANGES = "areas"
"""Row of `watermark` that counts the changes, so that other processes drop their indexes too."""


class _Index(Struct, frozen=True):
    """The areas valid on one stretch of days, smallest first, with a tree over their shapes."""

    areas: tuple[Area, ...]
    tree: shapely.STRtree

    def hits(self, lon: Numbers, lat: Numbers) -> tuple[Positions, Positions]:
        """Pairs of (point, area that holds it), as positions."""
        usable = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
        point, area = self.tree.query(shapely.points(lon[usable], lat[usable]))
        point = usable[point]
        inside = shapely.intersects_xy(self.tree.geometries[area], lon[point], lat[point])
        return point[inside], area[inside]

    def smallest(self, lon: Numbers, lat: Numbers) -> Positions:
        """Position in `areas` of the smallest area that holds each point; -1: none."""
        found = np.full(len(lon), len(self.areas), dtype=np.int64)
        np.minimum.at(found, *self.hits(lon, lat))
        found[found == len(self.areas)] = -1
        return found


PROGRAM = "program"
"""Areas come from files that the program reads; nobody writes them through a door."""


class RelationalAreas:
    """`ports.areas.Areas` on SQLite or PostgreSQL; the indexes live in memory."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._changes = -1
        self._bounds: tuple[date, ...] = ()
        self._indexes: dict[tuple[int, str | None], _Index] = {}

    def put(self, areas: Sequence[Area], shares: Sequence[AreaShare]) -> None:
        """Create or replace, all or nothing, with a line in the audit record.

        Raises:
            ValueError: a geometry that is not GeoJSON; names the area.
            sqlalchemy.exc.IntegrityError: a share names an area that is not there.
        """
        rows = [_to_row(a) for a in areas]
        with self._engine.begin() as connection:
            _upsert(connection, area_table, ["id"], rows)
            _upsert(connection, share_table, ["area", "in_area"], [asdict(s) for s in shares])
            count = _read_changes(connection) + 1
            _upsert(connection, watermark, ["name"], [{"name": CHANGES, "value": count}])
            levels = " ".join(sorted({area.level for area in areas}))
            detail = {"count": str(len(areas)), "level": levels, "shares": str(len(shares))}
            audit_chain.put(connection, datetime.now(UTC), PROGRAM, "areas_put", "area", detail)

    def valid_on(self, day: date, level: str | None = None) -> Sequence[Area]:
        """Every area of that day, smallest first."""
        return self._index(day, level).areas

    def get(self, area_id: str) -> Area | None:
        with self._engine.connect() as connection:
            row = connection.execute(
                select(area_table).where(area_table.c.id == area_id)
            ).one_or_none()
        return None if row is None else _to_area(row._mapping)

    def locate(self, lon: float, lat: float, day: date) -> Sequence[Area]:
        index = self._index(day, None)
        _, hits = index.hits(np.array([lon]), np.array([lat]))
        return tuple(index.areas[i] for i in np.sort(hits))

    def locate_many(self, points: pa.Table, day: date, level: str) -> pa.Array:
        index = self._index(day, level)
        lon, lat = (
            points[name].combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False)
            for name in ("lon", "lat")
        )
        ids = pa.array([a.id for a in index.areas], pa.string())
        found = index.smallest(lon, lat)
        return ids.take(pa.array(found, pa.int64(), mask=found < 0))

    def shares(self, area_id: str) -> Sequence[AreaShare]:
        wanted = or_(share_table.c.area == area_id, share_table.c.in_area == area_id)
        order = (share_table.c.share.desc(), share_table.c.area, share_table.c.in_area)
        with self._engine.connect() as connection:
            rows = connection.execute(select(share_table).where(wanted).order_by(*order))
            return tuple(AreaShare(**row._mapping) for row in rows)

    def _index(self, day: date, level: str | None) -> _Index:
        """The index of the day; days between two changes of the map share one."""
        with self._engine.connect() as connection, self._lock:
            changes = _read_changes(connection)
            if changes != self._changes:
                self._bounds = _read_bounds(connection)
                self._indexes.clear()
                self._changes = changes
            key = (int(np.searchsorted(_ordinals(self._bounds), day.toordinal(), "right")), level)
            if key not in self._indexes:
                self._indexes[key] = _build_index(connection, day, level)
            return self._indexes[key]


def _build_index(connection: Connection, day: date, level: str | None) -> _Index:
    columns = area_table.c
    query = select(area_table).where(
        columns.valid_from <= day, or_(columns.valid_to.is_(None), columns.valid_to > day)
    )
    if level is not None:
        query = query.where(columns.level == level)
    rows = connection.execute(query.order_by(columns.id)).mappings().all()
    shapes = shapely.from_wkb([row["geometry"] for row in rows])
    # Degrees are no measure of surface, but they order units that lie inside each other.
    order = np.argsort(shapely.area(shapes), kind="stable")
    texts = shapely.to_geojson(shapes)
    areas = tuple(_to_area(rows[i], texts[i]) for i in order)
    shapely.prepare(shapes)
    return _Index(areas, shapely.STRtree(shapes[order]))


def _read_changes(connection: Connection) -> int:
    value = connection.scalar(select(watermark.c.value).where(watermark.c.name == CHANGES))
    return int(value or 0)


def _read_bounds(connection: Connection) -> tuple[date, ...]:
    starts = set(connection.scalars(select(area_table.c.valid_from).distinct()))
    ends = set(connection.scalars(select(area_table.c.valid_to).distinct())) - {None}
    return tuple(sorted(starts | ends))


def _ordinals(days: tuple[date, ...]) -> list[int]:
    return [day.toordinal() for day in days]


def _to_row(area: Area) -> dict[str, object]:
    try:
        shape = shapely.from_geojson(area.geometry)
    except shapely.errors.GEOSException as error:
        raise ValueError(f"area {area.id}: geometry is not GeoJSON: {error}") from error
    return {**asdict(area), "geometry": shapely.to_wkb(shape)}


def _to_area(row: RowMapping | Mapping[str, Any], geometry: str | None = None) -> Area:
    text = shapely.to_geojson(shapely.from_wkb(row["geometry"])) if geometry is None else geometry
    return Area(**{**row, "geometry": text})


def _upsert(
    connection: Connection, table: Table, key: list[str], rows: list[dict[str, Any]]
) -> None:
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    changed = {c.name: statement.excluded[c.name] for c in table.c if c.name not in key}
    connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_=changed),
        rows,
    )
