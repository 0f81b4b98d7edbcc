"""People and the audit record from the command line."""

from pathlib import Path

import pytest

from dothi.app.data_folder import DataFolder
from dothi.app.stores import open_registers
from dothi.ports.audit import AuditQuestion
from dothi.ports.clock import SystemClock
from support.program import run_here


@pytest.fixture
def where(tmp_path: Path) -> tuple[str, str]:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with open_registers(folder, SystemClock()):
        pass
    return ("--data-dir", str(folder.path))


def test_a_person_from_the_command_line(where: tuple[str, str]) -> None:
    details = ("--name", "An (test)", "--position", "operator", "--contact", "sms=+84000000001")
    added = run_here("person", "add", "an", *details, *where)
    assert added.returncode == 0, added.stderr
    assert "/login?token=" in added.stdout
    assert run_here("person", "add", "an", *details, *where).returncode == 1
    token = run_here("person", "link", "an", *where).stdout.strip().partition("token=")[2]
    with open_registers(DataFolder(Path(where[1])), SystemClock()) as registers:
        first = added.stdout.strip().partition("token=")[2]
        assert registers.sessions.redeem(first, 60) is None, "a newer link ends the older"
        session = registers.sessions.redeem(token, 60) or ""
        assert registers.sessions.principal_of(session) == "an"
        assert "An (test)" in run_here("person", "list", *where).stdout
        assert run_here("person", "deactivate", "an", *where).returncode == 0
        assert registers.sessions.principal_of(session) is None
    assert "(left)" in run_here("person", "list", *where).stdout
    assert run_here("person", "link", "an", *where).returncode == 1
    unknown = run_here("person", "link", "nobody", *where)
    assert "dothi person add" in unknown.stderr
    wrong = run_here("person", "add", "b", "--name", "B", "--position", "operater", *where)
    assert "did you mean 'operator'" in wrong.stderr
    assert run_here("person", "add", "b", "--name", "B", "--contact", "x", *where).returncode == 2


def test_the_record_is_verified_from_the_command_line(where: tuple[str, str]) -> None:
    run_here("person", "add", "an", "--name", "An (test)", *where)
    sound = run_here("audit", "verify", *where)
    assert sound.stdout.startswith("2 entries, sound; last digest ")
    head = sound.stdout.split()[-1]
    assert run_here("audit", "verify", "--contains", head, *where).returncode == 0
    broken = run_here("audit", "verify", "--contains", "0" * 64, *where)
    assert broken.returncode == 1
    assert "not in the record" in broken.stderr


def test_what_commands_do_to_sources_is_told(where: tuple[str, str]) -> None:
    for arguments in (("add", "gauge"), ("change", "gauge", "--name", "Trạm"), ("revoke", "gauge")):
        assert run_here("source", *arguments, *where).returncode == 0, arguments
    assert run_here("source", "revoke", "no-such", *where).returncode == 1
    assert run_here("source", "list", *where).returncode == 0
    with open_registers(DataFolder(Path(where[1])), SystemClock()) as registers:
        told = registers.audit.find(AuditQuestion(kinds=("source",)))
    actions = ["source_saved", "token_issued", "source_saved", "tokens_revoked"]
    assert [entry.action for entry in reversed(told)] == actions
    assert {(entry.who, entry.subject) for entry in told} == {("administrator", "source:gauge")}
