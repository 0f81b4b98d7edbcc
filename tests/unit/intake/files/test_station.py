"""File names and the mapping of stations."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.intake.files.settings import FilesSettings, StationSettings
from dothi.intake.files.station import Unreadable, split_name, station_of


def test_names_are_split_from_the_right() -> None:
    key, at = split_name("BD_KCNA_NUO001_20250101103000.txt", 7)
    assert key == "BD_KCNA_NUO001"
    assert at == datetime(2025, 1, 1, 3, 30, tzinfo=UTC)


def test_a_province_code_may_hold_an_underscore() -> None:
    key, _ = split_name("HCM_BD_KCN-VSIP_NUO.2_20250101103000.TXT", 7)
    assert key == "HCM_BD_KCN-VSIP_NUO.2"
    settings = FilesSettings(entity_template="urn:x:{province}:{facility}:{site}")
    assert station_of(key, settings).entity == "urn:x:HCM_BD:KCN-VSIP:NUO.2"


@pytest.mark.parametrize(
    "name",
    [
        "readme.txt",
        "BD_KCNA_20250101103000.txt",
        "BD_KCNA_NUO001_2025010110.txt",
        "BD_KCNA_NUO001_20250231103000.txt",
        "BD_KCNA_NUO001_00000101103000.txt",
        "BD_KCNA_NUO001_00010101000000.txt",
        "BD_KCN A_NUO001_20250101103000.txt",
        "BD__NUO001_20250101103000.txt",
        "BD_KCNA_../../x_20250101103000.txt",
        "BD_KCNA_NUO001_٢٠٢٥٠١٠١١٠٣٠٠٠.txt",
    ],
)
def test_names_of_another_form(name: str) -> None:
    with pytest.raises(Unreadable) as caught:
        split_name(name, 7)
    assert caught.value.reason == "file_name_invalid"


@given(st.text(max_size=60))
def test_no_name_breaks_the_door(name: str) -> None:
    try:
        split_name(name, 7)
    except Unreadable as why:
        assert why.reason == "file_name_invalid"


def test_the_default_mapping() -> None:
    water = station_of("BD_KCNA_NUO001", FilesSettings())
    assert (water.type, water.source, water.dataset) == (
        "WaterQualityObserved",
        "BD_KCNA_NUO001",
        "",
    )
    other = station_of("BD_KCNA_ONKHOI1", FilesSettings())
    assert other.entity == "urn:ngsi-ld:EnvironmentMonitoringStation:BD_KCNA_ONKHOI1"


def test_a_configured_station() -> None:
    given_ = StationSettings(entity="urn:x:1", type="T", source="s", dataset="urn:d", name="N")
    found = station_of("A_B_C", FilesSettings(stations={"A_B_C": given_}))
    assert (found.entity, found.type, found.source, found.dataset) == ("urn:x:1", "T", "s", "urn:d")
