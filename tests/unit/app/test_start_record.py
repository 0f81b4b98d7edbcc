"""With which settings the program started."""

from pathlib import Path

from dothi.app.config.load import load
from dothi.app.config.settings import Settings
from dothi.app.mode import NORMAL
from dothi.app.start_record import start_of


def test_what_is_not_as_it_comes_is_told_and_secrets_are_not(tmp_path: Path) -> None:
    file = tmp_path / "dothi.toml"
    file.write_text('[server]\npublic_url = "https://me:s3cret@dothi.example.vn"\n')
    told = start_of(load(Settings, file, {"DOTHI_SERVER__PORT": "8500"}), NORMAL)
    assert (told.who, told.action, told.subject) == ("program", "program_started", "program")
    assert told.detail["server.port"].startswith("8500 (")
    assert "//***@dothi" in told.detail["server.public_url"]
    assert not any("s3cret" in value for value in told.detail.values())
    assert told.detail["mode"] == "normal"
    assert "server.host" not in told.detail
