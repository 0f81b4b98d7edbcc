"""Positions as data: the file that comes with dothi, and files that are wrong."""

from pathlib import Path

import msgspec
import pytest

from dothi.access.permission import Permission
from dothi.access.position import read_positions
from dothi.app.config.sections import AccessSettings
from dothi.app.people import known_positions
from dothi.model.problem import Problem

_NEW = """
[[position]]
id = "watch"
title_vi = "Trực"
title_en = "Watch"
permissions = ["read", "alarms:operate"]
"""


def test_the_file_of_dothi_holds_what_the_other_parts_ask_for() -> None:
    positions = known_positions(AccessSettings())
    operator = positions.permissions_of(["operator"])
    assert Permission.ALARMS_OPERATE in operator
    assert Permission.ADMINISTER not in operator
    writes, releases = Permission.WARNINGS_WRITE, Permission.WARNINGS_RELEASE
    for position in positions.by_id.values():
        both = {writes, releases} <= position.permissions
        assert not both, f"{position.id} writes warnings and releases them"
    both = positions.permissions_of(["operator", "leader"])
    assert {Permission.ALARMS_OPERATE, releases} <= both
    assert positions.permissions_of(["unknown"]) == frozenset()
    assert [len(pattern.starts) for pattern in positions.patterns.values()] == [3, 2, 1]


def test_an_own_file_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(_NEW, encoding="utf-8")
    positions = known_positions(AccessSettings(positions_file=str(tmp_path / "own.toml")))
    assert list(positions.by_id) == ["watch"]
    assert positions.rest is None


@pytest.mark.parametrize(
    "text",
    [
        _NEW.replace("alarms:operate", "alarms:operat"),
        _NEW.replace("title_vi", "titel_vi"),
        _NEW + '[[pattern]]\nid = "x"\ntitle_vi = "x"\ntitle_en = "x"\nstarts = []\n',
        _NEW
        + '[[pattern]]\nid = "x"\ntitle_vi = "x"\ntitle_en = "x"\n'
        + "starts = [14:00:00, 06:00:00]\n",
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_positions(text.encode())
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problem, match="file of positions"):
        known_positions(AccessSettings(positions_file=str(path)))
