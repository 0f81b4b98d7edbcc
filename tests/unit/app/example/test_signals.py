"""Signals are pure functions of the time, recorded values stay what they were."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pytest

from dothi.app.example.files import find_data_folder
from dothi.app.example.noise import smooth_noise
from dothi.app.example.registry import Station, read_registry
from dothi.app.example.signals import make_signal
from dothi.app.example.ticks import next_tick, ticks_between
from dothi.model.quality import Quality

FOLDER = find_data_folder()
REGISTRY = read_registry(FOLDER)
STATIONS = {s.source: s for s in REGISTRY.stations}
HOUR_US = 3_600_000_000
NOW_US = int(datetime(2026, 11, 22, 3, tzinfo=UTC).timestamp()) * 1_000_000
WEEK = np.arange(NOW_US - 168 * HOUR_US, NOW_US, HOUR_US // 12, dtype=np.int64)


@pytest.mark.parametrize("station", REGISTRY.stations, ids=lambda s: s.source)
def test_one_by_one_gives_the_same_as_all_at_once(station: Station) -> None:
    at_us = WEEK[::97]
    whole = make_signal(FOLDER, REGISTRY, station, 1).sample(at_us)
    again = make_signal(FOLDER, REGISTRY, station, 1)
    assert whole.keys() == REGISTRY.feed_of(station).units.keys()
    for row in range(len(at_us)):
        single = again.sample(at_us[row : row + 1])
        for name, values in whole.items():
            np.testing.assert_array_equal(single[name].number[0], values.number[row])
            assert single[name].quality[0] == values.quality[row]


def test_a_replayed_hour_is_the_recorded_value_at_its_hour_of_day() -> None:
    record = pa_csv.read_csv(FOLDER / "series" / "hanoi_pm25.csv")
    station = STATIONS["air-binh-duong-593"]
    at_us = np.arange(NOW_US - 168 * HOUR_US, NOW_US, HOUR_US, dtype=np.int64)
    values = make_signal(FOLDER, REGISTRY, station, 1).sample(at_us)["pm25"]
    weeks = (at_us - int(datetime(2016, 1, 4, tzinfo=UTC).timestamp()) * 1_000_000) // (
        156 * 168 * HOUR_US
    )
    then = at_us - weeks * 156 * 168 * HOUR_US
    known = dict(
        zip(
            record["at"].cast(pa.timestamp("us", tz="UTC")).cast("int64").to_pylist(),
            zip(record["pm25"].to_pylist(), record["quality"].to_pylist(), strict=True),
            strict=True,
        )
    )
    compared = 0
    for row, moment in enumerate(then.tolist()):
        if moment in known:
            number, flag = known[moment]
            assert values.number[row] == pytest.approx(number, abs=1e-3)
            assert values.quality[row] == (Quality.BAD if flag == 4 else 0)
            compared += 1
    assert compared > 100


def test_between_recorded_hours_the_value_is_flagged_estimated() -> None:
    station = STATIONS["air-binh-duong-593"]
    values = make_signal(FOLDER, REGISTRY, station, 1).sample(WEEK + HOUR_US // 24)["pm25"]
    said = np.isfinite(values.number)
    assert said.sum() > 1500
    assert set(values.quality[said].tolist()) <= {int(Quality.ESTIMATED), int(Quality.BAD)}


def test_gaps_of_the_record_stay_gaps() -> None:
    station = STATIONS["wl-tra-vinh"]
    level = make_signal(FOLDER, REGISTRY, station, 1).sample(WEEK)["level"].number
    silent = np.isnan(level).mean()
    assert 0.02 < silent < 0.07, "the record covers 23:45 of each 24:50 hours"
    recorded = pa_csv.read_csv(FOLDER / "series" / "ea_tides.csv")
    own = recorded.filter(pc.equal(recorded["station"].cast("string"), station.key))["level"]
    assert np.nanmax(level) <= pc.max(own).as_py() + 1e-3
    assert np.nanmin(level) >= pc.min(own).as_py() - 1e-3


def test_the_simulated_tide_is_a_mixed_tide_of_plausible_range() -> None:
    level = make_signal(FOLDER, REGISTRY, STATIONS["wl-thu-dau-mot"], 1).sample(WEEK)["level"]
    assert 1.0 < np.ptp(level.number) < 4.0
    turns = np.sum(np.diff(np.sign(np.diff(level.number[::6]))) != 0)
    assert 20 <= turns <= 40, "about four turns of the tide a day"


def test_rain_falls_in_the_wet_season_and_depends_on_the_seed() -> None:
    wet = np.arange(NOW_US - 5 * 720 * HOUR_US, NOW_US - 4 * 720 * HOUR_US, 300_000_000)
    station = STATIONS["met-thu-dau-mot"]
    rain = make_signal(FOLDER, REGISTRY, station, 1).sample(wet)["precipitation"].number
    assert 30 < rain.sum() < 900, "millimetres in a wet month"
    assert (rain == 0).mean() > 0.8
    assert rain.max() < 15
    other = make_signal(FOLDER, REGISTRY, station, 2).sample(wet)["precipitation"].number
    assert not np.array_equal(rain, other)


def test_noise_is_smooth_and_bounded() -> None:
    at_us = np.arange(0, 3600 * 1_000_000, 1_000_000, dtype=np.int64)
    noise = smooth_noise(at_us, 60, 7)
    assert np.abs(noise).max() <= 1
    assert np.abs(np.diff(noise)).max() < 0.06
    assert 0.2 < noise.std() < 0.8


def test_ticks_keep_their_beat() -> None:
    beats = ticks_between("wl-phu-an", 30, NOW_US, NOW_US + HOUR_US)
    assert len(beats) == 120 and set(np.diff(beats)) == {30_000_000}
    assert next_tick("wl-phu-an", 30, int(beats[0])) == beats[1]
    assert next_tick("wl-phu-an", 30, int(beats[0]) - 1) == beats[0]
    later = ticks_between("wl-phu-an", 30, NOW_US + HOUR_US // 2, NOW_US + HOUR_US)
    np.testing.assert_array_equal(later, beats[60:])
