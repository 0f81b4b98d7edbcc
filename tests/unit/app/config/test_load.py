"""Settings: strict keys, origins, what wins over what."""

from pathlib import Path

import msgspec
import pytest

from dothi.app.config.load import load
from dothi.app.config.show import describe
from dothi.model.problem import Problem


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    depth_m: float = 0.0


class Inner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: int = 3


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    port: int = 8400
    name: str = "hub"
    topics: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    by_name: dict[str, Place] = {}
    inner: Inner = Inner()
    api_key: str = ""
    address: str = ""


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    server: Section = Section()
    other: Section = Section()


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "dothi.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    file = _file(tmp_path, "[server]\nport = 1\nname = 'file'\ninner.limit = 9")
    loaded = load(
        Sample,
        file,
        {"DOTHI_SERVER__PORT": "2", "DOTHI_OTHER__NAME": "12", "DOTHI_TEST_REQUIRE": "all"},
        {"server.port": 3, "other.port": None},
    )
    assert loaded.settings.server.port == 3
    assert loaded.settings.server.name == "file"
    assert loaded.settings.server.inner.limit == 9
    assert loaded.settings.other.name == "12"
    origins = {key: origin for key, _, origin in describe(loaded)}
    assert origins["server.port"] == "flag"
    assert origins["server.name"] == origins["server.inner.limit"] == str(file)
    assert origins["other.name"] == "environment DOTHI_OTHER__NAME"
    assert origins["other.port"] == origins["server.topics"] == "default"


@pytest.mark.parametrize(
    ("text", "path", "near"),
    [
        ("[servr]\nport = 1", "servr", "server"),
        ("[server]\nprot = 1", "server.prot", "server.port"),
        ("[server.inner]\nlimti = 1", "server.inner.limti", "server.inner.limit"),
        ("[[server.places]]\nnam = 'a'", "server.places[0].nam", "server.places[0].name"),
        ("[server.by_name.a]\nnam = 'a'", "server.by_name.a.nam", "server.by_name.a.name"),
    ],
)
def test_an_unknown_key_names_the_nearest(tmp_path: Path, text: str, path: str, near: str) -> None:
    file = _file(tmp_path, text)
    with pytest.raises(Problem) as caught:
        load(Sample, file, {})
    assert caught.value.code == "unknown_setting"
    assert f"`{path}`" in caught.value.detail
    assert caught.value.where == str(file)
    assert f"did you mean `{near}`" in caught.value.remedy


def test_an_unknown_environment_key_is_an_error() -> None:
    with pytest.raises(Problem) as caught:
        load(Sample, None, {"DOTHI_SERVER__PROT": "1"})
    assert "server.port" in caught.value.remedy


def test_a_value_that_does_not_fit_says_where_it_came_from(tmp_path: Path) -> None:
    file = _file(tmp_path, "[server]\nport = 'x'")
    with pytest.raises(Problem) as caught:
        load(Sample, file, {})
    assert caught.value.where == str(file)
    assert "server.port" in caught.value.detail
    with pytest.raises(Problem) as caught:
        load(Sample, None, {"DOTHI_SERVER__PORT": "x"})
    assert "DOTHI_SERVER__PORT" in caught.value.where


def test_lists_and_tables_come_as_toml_from_the_environment() -> None:
    loaded = load(
        Sample,
        None,
        {
            "DOTHI_SERVER__TOPICS": '["a/#", "b"]',
            "DOTHI_SERVER__PLACES": '[{name = "Cửa Tiểu", depth_m = 2.5}]',
            "DOTHI_SERVER__INNER__LIMIT": "7",
        },
    )
    assert loaded.settings.server.topics == ("a/#", "b")
    assert loaded.settings.server.places == (Place(name="Cửa Tiểu", depth_m=2.5),)
    assert loaded.settings.server.inner.limit == 7


def test_malformed_and_missing_files_are_problems(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not TOML"):
        load(Sample, _file(tmp_path, "[server"), {})
    with pytest.raises(Problem, match="does not exist"):
        load(Sample, tmp_path / "absent.toml", {})


def test_secrets_are_hidden() -> None:
    loaded = load(
        Sample,
        None,
        {"DOTHI_SERVER__API_KEY": "s3cret", "DOTHI_SERVER__ADDRESS": "mqtt://me:s3cret@host/x"},
    )
    shown = {key: value for key, value, _ in describe(loaded)}
    assert shown["server.api_key"] == '"***"'
    assert shown["server.address"] == '"mqtt://***@host/x"'
    assert "s3cret" not in str(shown)
