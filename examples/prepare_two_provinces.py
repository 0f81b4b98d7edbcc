"""Builds areas/ and series/ of examples/two_provinces from the collected source data.

    uv run python examples/prepare_two_provinces.py <folder with geo/, geo-facts/ and series/>

Everything that is cut, joined or left out is written down in ATTRIBUTION.md.
"""

import csv
import io
import json
import math
import sys
import unicodedata
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import shapely

HERE = Path(__file__).parent / "two_provinces"
REFORM = "2025-07-01"
DISTRICTS_SINCE = "2024-05-01"
PROVINCES_SINCE = "1997-01-01"
VIETNAM = timezone(timedelta(hours=7))
BOUNDARY_SOURCE = "thanglequoc/vietnamese-provinces-database cd58063 (MIT)"
COARSE = "boundary simplified to 150 m"
DISSOLVED = (
    "shape = the wards of 2025 whose largest part lay in this unit, not the legal boundary: "
    "13 of 77 wards straddled two districts and are counted whole with one; valid_from is a day "
    "since which the unit existed in this form, to be checked against the decree"
)
TIDES = [
    "E1442",
    "E1460",
    "E10101",
    "E2080",
    "E24861",
    "E26233",
    "E41694",
    "E42196",
    "E47907",
    "E5755",
    "E41137",
    "E23327",
]
TIMESTAMP = pa.timestamp("us", tz="UTC")


def load(path: Path) -> list[dict]:
    return json.loads(path.read_text())["features"]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def feature(properties: dict, shape: shapely.Geometry) -> dict:
    kept = {k: v for k, v in properties.items() if v not in (None, "")}
    geometry = json.loads(shapely.to_geojson(shape))
    geometry["coordinates"] = rounded(geometry["coordinates"])
    return {"type": "Feature", "properties": kept, "geometry": geometry}


def rounded(node: list) -> list:
    return [round(n, 6) if isinstance(n, float) else rounded(n) for n in node]


def write(name: str, features: list[dict]) -> None:
    path = HERE / "areas" / name
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n')


def shape_of(item: dict) -> shapely.Geometry:
    return shapely.make_valid(shapely.from_geojson(json.dumps(item["geometry"])))


def polygons(shape: shapely.Geometry) -> shapely.Geometry:
    """Only the surfaces of what make_valid or a union gave, without slivers and pinholes."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 1e-7]
    solid = [
        shapely.Polygon(p.exterior, [h for h in p.interiors if shapely.Polygon(h).area > 1e-5])
        for p in shapely.get_parts(shapely.union_all(parts))
    ]
    return shapely.union_all(solid)


def plain(name: str) -> str:
    """The name without its class and without diacritics."""
    for kind in ("Thành phố ", "Thị xã ", "Tỉnh ", "Huyện "):
        name = name.removeprefix(kind)
    letters = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def surface_km2(shape: shapely.Geometry) -> float:
    """Good to a few tenths of a percent at this latitude; published ward figures differ by 10 %."""
    return shape.area * 110.6 * 111.32 * math.cos(math.radians(shape.centroid.y))


def ward(item: dict, parent: str, note: str) -> dict:
    p = item["properties"]
    return feature(
        {
            "level": "ward",
            "code": p["code"],
            "name": p["fullName"],
            "name_en": p.get("nameEn") or plain(p["name"]),
            "valid_from": REFORM,
            "parent": parent,
            "population": int(p["population"]) if p.get("population") else None,
            "area_km2": p["areaKm2"],
            "source": BOUNDARY_SOURCE,
            "note": note,
        },
        polygons(shape_of(item)),
    )


def make_wards(admin: Path) -> tuple[list[dict], dict[str, list[dict]]]:
    """Wards of the two new provinces: fine in the two former ones, coarse elsewhere."""
    features, fine = [], {}
    for key, coarse_name, code in (
        ("bd", "hcmc_wards_2025_coarse", "79"),
        ("tv", "vinhlong_wards_2025_coarse", "86"),
    ):
        parent = f"province:{code}:{REFORM}"
        items = load(admin / f"{key}_wards_2025.geojson")
        fine[key] = items
        known = {i["properties"]["code"] for i in items}
        for item in items:
            p = item["properties"]
            share = p["district_2024_share"]
            note = f"{share:.0%} of the surface lay in {p['district_2024_main']}"
            if share < 0.97:
                note += "; the rest in another former district that the source does not name"
            features.append(ward(item, parent, note))
        for item in load(admin / f"{coarse_name}.geojson"):
            if item["properties"]["code"] not in known:
                features.append(ward(item, parent, COARSE))
    return features, fine


def make_provinces(admin: Path, wards: list[dict]) -> list[dict]:
    features = []
    for item in load(admin / "vn_provinces_2025_coarse.geojson"):
        p = item["properties"]
        parent = f"province:{p['code']}:{REFORM}"
        own = [shape_of(w) for w in wards if w["properties"]["parent"] == parent]
        shape = polygons(shapely.union_all(own) if own else shape_of(item))
        note = "union of its wards" if own else "boundary simplified to 0.01 degree"
        features.append(
            feature(
                {
                    "level": "province",
                    "code": p["code"],
                    "name": p["fullName"],
                    "name_en": plain(p["name"]),
                    "valid_from": REFORM,
                    "area_km2": p["areaKm2"],
                    "source": BOUNDARY_SOURCE,
                    "note": note,
                },
                shape,
            )
        )
    for key in ("bd", "tv"):
        (item,) = load(admin / f"{key}_province.geojson")
        p = item["properties"]
        features.append(
            feature(
                {
                    "level": "province",
                    "code": p["code_2024"],
                    "name": f"Tỉnh {p['name']}",
                    "name_en": plain(p["name"]),
                    "valid_from": PROVINCES_SINCE,
                    "valid_to": REFORM,
                    "area_km2": p["area_geom_km2"],
                    "source": BOUNDARY_SOURCE,
                    "note": DISSOLVED,
                },
                polygons(shape_of(item)),
            )
        )
    return features


def make_districts(admin: Path, tables: Path) -> list[dict]:
    table = {r["name"] + r["province_2024"]: r for r in read_csv(tables / "districts_2024.csv")}
    features = []
    for key, province, code in (("bd", "Bình Dương", "74"), ("tv", "Trà Vinh", "84")):
        for item in load(admin / f"{key}_areas_from_wards.geojson"):
            row = table[item["properties"]["name"] + province]
            features.append(
                feature(
                    {
                        "level": "district",
                        "code": row["code"],
                        "name": row["name"],
                        "name_en": plain(row["name"]),
                        "valid_from": DISTRICTS_SINCE,
                        "valid_to": REFORM,
                        "parent": f"province:{code}:{PROVINCES_SINCE}",
                        "population": int(float(row["population"])) if row["population"] else None,
                        "area_km2": float(row["area_geom_km2"]),
                        "source": BOUNDARY_SOURCE,
                        "note": DISSOLVED,
                    },
                    polygons(shape_of(item)),
                )
            )
    return features


def make_shares(fine: dict[str, list[dict]], districts: list[dict]) -> None:
    """Shares from the source's own overlay; ours cannot see what the dissolved shapes hide."""
    by_name = {
        (d["properties"]["name"], d["properties"]["parent"]): d["properties"] for d in districts
    }
    rows = [
        (f"province:74:{PROVINCES_SINCE}", f"province:79:{REFORM}", 1.0, "decree"),
        (f"province:84:{PROVINCES_SINCE}", f"province:86:{REFORM}", 1.0, "decree"),
    ]
    for key, code in (("bd", "74"), ("tv", "84")):
        old_province = f"province:{code}:{PROVINCES_SINCE}"
        for item in fine[key]:
            p = item["properties"]
            district = by_name[(p["district_2024_main"], old_province)]
            old = f"district:{district['code']}:{DISTRICTS_SINCE}"
            new = f"ward:{p['code']}:{REFORM}"
            rows.append((new, old, p["district_2024_share"], "surface"))
            part = p["district_2024_share"] * surface_km2(shape_of(item)) / district["area_km2"]
            rows.append((old, new, min(round(part, 4), 1.0), "surface"))
    with (HERE / "areas" / "shares.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["area", "in_area", "share", "basis"])
        writer.writerows(rows)


def save(name: str, columns: dict[str, pa.Array]) -> None:
    (HERE / "series").mkdir(exist_ok=True)
    table = pa.table(columns)
    with (HERE / "series" / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows(zip(*(texts(table[c]) for c in table.column_names), strict=True))
    print(f"{name}: {table.num_rows} rows")


def texts(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_timestamp(column.type):
        return [at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in column.to_pylist()]
    if pa.types.is_floating(column.type):
        return ["" if v is None else f"{v:.7g}" for v in column.to_pylist()]
    return [str(v) for v in column.to_pylist()]


def local_time(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern).replace(tzinfo=VIETNAM).astimezone(UTC)


def make_hanoi(folder: Path) -> None:
    """Hourly means; the source stamps the end of the hour."""
    values: dict[datetime, tuple[float, int]] = {}
    counts = {"missing": 0, "twice": 0}
    for year in (2016, 2017, 2018):
        for row in read_csv(folder / f"Hanoi_PM2.5_{year}_YTD.csv"):
            at, value = local_time(row["Date (LT)"], "%Y-%m-%d %I:%M %p"), float(row["Raw Conc."])
            if value <= -900:
                counts["missing"] += 1
            elif at in values:
                counts["twice"] += 1
            else:
                values[at] = (value, 1 if row["QC Name"] == "Valid" else 4)
    rows = sorted(values.items())
    print("hanoi", counts, "invalid", sum(q == 4 for _, (_, q) in rows))
    save(
        "hanoi_pm25.csv",
        {
            "at": pa.array([at for at, _ in rows], TIMESTAMP),
            "pm25": pa.array([v for _, (v, _) in rows], pa.float32()),
            "quality": pa.array([q for _, (_, q) in rows], pa.uint8()),
        },
    )


def make_nhabe(path: Path) -> None:
    """Means over 10 minutes of a sensor that reported about every 150 s."""
    rows = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".csv") and not Path(name).name.startswith("."):
                text = io.StringIO(archive.read(name).decode())
                rows += list(csv.DictReader(text, delimiter=";"))
    names = {"SDS_P2": "pm25", "SDS_P1": "pm10", "Temp": "temperature", "Humidity": "humidity"}
    columns = {
        ours: pa.array([float(r[theirs]) if r[theirs] else None for r in rows], pa.float64())
        for theirs, ours in names.items()
    }
    times = pa.array([local_time(r["Time"], "%Y/%m/%d %H:%M:%S") for r in rows], TIMESTAMP)
    slot = pc.floor_temporal(times, 10, "minute")
    means = (
        pa.table({"at": slot, **columns})
        .group_by("at")
        .aggregate([(c, "mean") for c in columns])
        .sort_by("at")
    )
    save(
        "nhabe_sensor.csv",
        {
            "at": means["at"],
            **{c: pc.round(means[f"{c}_mean"], 2).cast(pa.float32()) for c in columns},
        },
    )


def make_tides(folder: Path) -> None:
    rows, malformed = [], []
    for row in read_csv(folder / "wet_day.csv"):
        try:
            value = float(row["value"])
        except ValueError:
            malformed.append((row["stationReference"], row["value"]))
            continue
        if row["stationReference"] in TIDES and row["qualifier"] == "Tidal Level":
            at = datetime.fromisoformat(row["dateTime"])
            rows.append((row["stationReference"], at.replace(second=0), value))
    print(f"wet day: {len(malformed)} malformed values skipped: {malformed}")
    rows.sort()
    save(
        "ea_tides.csv",
        {
            "station": pa.array([r[0] for r in rows]).dictionary_encode(),
            "at": pa.array([r[1] for r in rows], TIMESTAMP),
            "level": pa.array([r[2] for r in rows], pa.float32()),
        },
    )


def make_sea_level(path: Path) -> None:
    rows = read_csv(path)
    save(
        "sea_level.csv",
        {
            "at": pa.array([datetime.fromisoformat(r["time"]) for r in rows], TIMESTAMP),
            "level": pa.array(
                [float(r["sea_surface_height_above_sea_level"]) for r in rows], pa.float32()
            ),
        },
    )


def main(root: Path) -> None:
    admin = root / "geo" / "admin"
    wards, fine = make_wards(admin)
    districts = make_districts(admin, root / "geo-facts" / "tables")
    write("wards.geojson", wards)
    write("districts.geojson", districts)
    write("provinces.geojson", make_provinces(admin, wards))
    make_shares(fine, districts)
    make_hanoi(root / "series" / "hanoi_pm25")
    make_nhabe(next((root / "geo" / "series" / "nhabe_pm25_sensor").glob("*.zip")))
    make_tides(root / "series" / "ea_rivers_2021-05-07")
    make_sea_level(root / "series" / "qartod_examples" / "water_level_example.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
