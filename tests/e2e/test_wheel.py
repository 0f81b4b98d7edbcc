"""The wheel as built: it carries the console and the example, and runs without the checkout."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

from support.program import Program

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv = os.environ.get("UV", "uv")
    # Offline: what the build needs was fetched when this checkout was installed.
    command = [uv, "build", "--wheel", "--offline", "--out-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_wheel_holds_what_is_no_python(unpacked: Path) -> None:
    for name in (
        "dothi/app/example/data/stations.csv",
        "dothi/app/example/data/basemap/dothi-demo.pmtiles",
        "dothi/facades/ngsi_ld/context/core-v1.8.jsonld",
        "dothi/storage/relational/migrations/env.py",
    ):
        assert (unpacked / name).is_file(), name
    (metadata,) = unpacked.glob("*.dist-info")
    assert (metadata / "licenses" / "NOTICE").is_file()
    assert (metadata / "licenses" / "LICENSE").is_file()


@pytest.mark.needs("node")
def test_the_wheel_runs_with_console_and_example(unpacked: Path, tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(unpacked), "DOTHI_EXAMPLE__HISTORY_DAYS": "0"}
    where = subprocess.run(
        [sys.executable, "-c", "import dothi; print(dothi.__file__)"],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        check=True,
    ).stdout
    assert where.startswith(str(unpacked))
    with Program(tmp_path / "data", "--example", environ=environ) as program:
        page = httpx.get(f"{program.url}/").text
        script = re.search(r'src="(/assets/[^"]+\.js)"', page)
        assert script is not None
        assert httpx.get(program.url + script.group(1)).status_code == 200
        assert httpx.get(f"{program.url}/basemap/manifest.json").json()["tiles"]
        client = program.signed_in()
        assert client.get("/api/v1/me").json()["mode"] == "example"
        assert len(client.get("/api/v1/sources").json()) >= 60
        assert client.get("/api/v1/layers").json()
        assert program.stop() == 0
