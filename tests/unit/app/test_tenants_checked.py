"""What `dothi doctor` says about tenants."""

from pathlib import Path

from dothi.app.data_folder import DataFolder
from dothi.app.doctor import check_tenants


def test_the_limit_is_told(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert check_tenants(2, folder).verdict == "ok"
    for name in ("a", "b=c"):
        (folder.tenants / name).mkdir(parents=True)
        (folder.tenants / name / "dothi.db").touch()
    found = check_tenants(2, folder)
    assert found.verdict == "warning"
    assert "max_tenants" in found.remedy
    assert check_tenants(3, folder).text == "2 of at most 3"
