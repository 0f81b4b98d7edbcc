"""Commands as a person types them, without a server."""

import json
import socket
from pathlib import Path

import pytest
from tests.rows import batch

from dothi import __version__
from dothi.app import benchmarks
from dothi.app.data_folder import DataFolder
from dothi.app.doctor import check_port
from dothi.app.stores import open_registers
from dothi.model.problem import Problem
from dothi.pipeline.admit import admit
from dothi.ports.clock import SystemClock
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.hot_log import SqliteLogWriter
from support.program import run_cli, run_here


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with open_registers(folder, SystemClock()):
        pass
    return folder.path


def test_version_and_help() -> None:
    assert run_cli("version").stdout.strip() == __version__
    shown = run_cli("--help").stdout
    for name in ("up", "serve", "export", "config", "doctor", "source", "bench"):
        assert f"  {name}" in shown


def test_sources_from_the_command_line(data_dir: Path) -> None:
    where = ("--data-dir", str(data_dir))
    added = run_cli("source", "add", "gauge-1", "--name", "Mực nước", *where)
    assert added.returncode == 0, added.stderr
    assert len(added.stdout.strip()) >= 40
    assert run_here("source", "add", "gauge-1", *where).returncode == 1
    assert "Mực nước" in run_here("source", "list", *where).stdout
    with open_registers(DataFolder(data_dir), SystemClock()) as registers:
        found = registers.sources.source_of_token(added.stdout.strip())
        assert found is not None
        assert found.id == "gauge-1"
    assert run_here("source", "revoke", "gauge-1", *where).stdout.strip() == "1 revoked"
    unknown = run_here("source", "token", "nobody", *where)
    assert unknown.returncode == 1
    assert "dothi source add" in unknown.stderr
    assert "cannot be the id" in run_here("source", "add", "a b", *where).stderr


def test_a_source_is_changed_and_its_series_released(data_dir: Path) -> None:
    where = ("--data-dir", str(data_dir))
    run_here("source", "add", "gw", "--name", "Gateway", "--cadence-s", "60", *where)
    changed = run_here("source", "change", "gw", "--may-write-others", "--owner", "TTDL", *where)
    assert changed.returncode == 0, changed.stderr
    assert "Gateway  (may write others)" in run_here("source", "list", *where).stdout
    run_here("source", "change", "gw", "--own-series-only", *where)
    with open_registers(DataFolder(data_dir), SystemClock()) as registers:
        found = registers.sources.get("gw")
        assert found is not None
        assert (found.owner, found.cadence_s, found.kind) == ("TTDL", 60.0, "mqtt")
        assert not found.may_write_others
    writer = SqliteLogWriter(DataFolder(data_dir).database, HotIndex())
    writer.commit(admit([batch(source="gw", number=1.0)], {}))
    writer.close()
    assert run_here("source", "release", "gw", *where).stdout == "1 series released\n"
    for command in ("change", "release"):
        unknown = run_here("source", command, "nobody", *where)
        assert unknown.returncode == 1
        assert "No such source" in unknown.stderr


def test_config_show_says_where_values_come_from(data_dir: Path) -> None:
    (data_dir / "dothi.toml").write_text("[server]\nport = 9000\n")
    done = run_here(
        *("config", "show", "--changed", "--data-dir", str(data_dir)),
        environ={"DOTHI_LOG__LEVEL": "debug"},
    )
    assert "server.port = 9000" in " ".join(done.stdout.split())
    assert str(data_dir / "dothi.toml") in done.stdout
    assert "environment DOTHI_LOG__LEVEL" in done.stdout
    assert "server.host" not in done.stdout


def test_a_bad_settings_file_is_said_without_a_traceback(data_dir: Path) -> None:
    (data_dir / "dothi.toml").write_text("[server]\nprot = 9000\n")
    done = run_cli("config", "show", "--data-dir", str(data_dir))
    assert done.returncode == 1
    assert "did you mean `server.port`" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in run_here("--debug", "config", "show", "--data-dir", str(data_dir)).stderr


def test_doctor_finds_secrets_that_others_read(data_dir: Path) -> None:
    where = ("--data-dir", str(data_dir))
    free = {"DOTHI_SERVER__PORT": "0", "DOTHI_MQTT__EMBEDDED__PORT": "0"}
    fine = run_here("doctor", *where, environ=free)
    assert fine.returncode == 0, fine.stdout + fine.stderr
    for name in ("disk space", "disk durability", "clock", "HTTP port", "MQTT port", "SQLite"):
        assert name in fine.stdout
    secret = data_dir / "secrets" / "token"
    secret.write_text("x")
    secret.chmod(0o644)
    bad = run_here("doctor", *where, environ=free)
    assert bad.returncode == 1
    assert "chmod -R go=" in bad.stdout


def test_doctor_does_not_take_a_free_port_for_a_running_dothi(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    folder.lock("http://127.0.0.1:9999", "2026-11-22T00:00:00+00:00")
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        assert check_port("HTTP port", "127.0.0.1", port, folder).text.endswith("dothi is running")
    assert check_port("HTTP port", "127.0.0.1", port, folder).text.endswith("is free")
    folder.unlock()


def test_bench_stores_the_result_with_machine_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bench"
    folder.mkdir()
    (folder / "sample.py").write_text(
        '"""Counts arguments."""\n\ndef run(arguments):\n    return {"count": len(arguments)}\n'
    )
    (folder / "no_bench.py").write_text('"""Not one."""\n')
    monkeypatch.setattr(benchmarks, "bench_folder", lambda: folder)
    assert benchmarks.available() == {"sample": "Counts arguments."}
    stored = benchmarks.run("sample", ["a", "b"], tmp_path / "results")
    document = json.loads(stored.path.read_text())
    assert document["result"] == {"count": 2}
    assert {"cores", "cpu", "memory_gib", "fsync_ms", "sqlite", "packages"} <= set(
        document["machine"]
    )
    with pytest.raises(Problem, match="one of: sample"):
        benchmarks.run("absent", [], None)
