"""Stored versions of procedures that this dothi would not take any more: they are handled or told,
and disturb nothing else."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from databases import lay_database
from dothi.app.data_folder import DataFolder
from dothi.app.doctor import check_procedures
from dothi.incidents import conduct
from dothi.incidents.desk import Opening
from dothi.incidents.procedure_file import decode_procedure
from dothi.model.incident import Severity
from dothi.model.problem import Problem
from dothi.model.procedure import LimitKind, RunState
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.incident_tables import procedure
from incident_ports import NOW, SMALL, Desk, open_desk
from tests.contract.conftest import Opener

FLOOD = Opening("Ngập", Severity.SERIOUS)
OTHER = SMALL.replace('id = "small"', 'id = "other"').replace("automatic = true", "")
HALF = SMALL.replace('limit = "2 working days"', 'limit = "0.5 working days"')
BROKEN = SMALL.replace('limit = "15 min"', 'limit = "15 moons"')


def store_as_it_is(engine: Engine, text: str) -> None:
    """What an earlier dothi took: it does not go through today's checks."""
    with engine.begin() as connection:
        connection.execute(update(procedure).where(procedure.c.id == "small").values(text=text))


def with_both(engine: Engine) -> Desk:
    made = open_desk(engine)
    for text in (SMALL, OTHER):
        made.library.add(text, "test.toml", "test", NOW)
    return made


def test_half_a_working_day_is_refused_and_where_it_is_stored_it_counts(reopen: Opener) -> None:
    with pytest.raises(Problem, match="days are whole; for half a day write 4 working hours"):
        decode_procedure(HALF, "text")
    engine = reopen().engine
    with_both(engine)
    store_as_it_is(engine, HALF)
    again = open_desk(reopen().engine)
    assert again.library.unreadable == []
    limit = again.library.current()["small"].steps["tell"].limit
    assert limit is not None
    assert (limit.kind, limit.amount) == (LimitKind.WORKING_DAYS, 0.5)


def test_what_cannot_be_read_is_told_and_disturbs_nothing_else(
    reopen: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    engine = reopen().engine
    made = with_both(engine)
    number = made.centre.open(FLOOD, [], "small", "lan").incident.id
    store_as_it_is(engine, BROKEN)
    again = open_desk(reopen().engine, made.clock)
    (bad,) = again.library.unreadable
    assert (bad.id, bad.version) == ("small", 1)
    assert "step 'look', key limit" in bad.problem.detail
    assert "procedure small version 1" in caplog.text
    assert set(again.library.current()) == {"other"}
    other = again.centre.open(FLOOD, [], "other", "lan").incident.id
    with pytest.raises(Problem, match="no active version"):
        again.centre.open(FLOOD, [], "small", "lan")
    again.clock.pass_(minutes=15)
    again.clock.set_(hours=2)
    assert again.centre.escalate() >= 1
    assert again.centre.get(other).runs[0].steps[0].escalated == 1
    record = again.centre.get(number)
    run, book = record.runs[0], again.library.book
    assert book.shown(run).steps.keys() == {"look"}
    done = conduct.Answered("finish", {"depth": 0.1})
    with pytest.raises(Problem, match="small version 1"):
        again.centre.change(
            number, "lan", lambda r, a: conduct.act_on_step(r, 1, "look", done, book, a)
        )
    ended = again.centre.change(
        number, "lan", lambda r, a: conduct.end(r, 1, "không đọc được", book, a)
    )
    assert ended.runs[0].state is RunState.ENDED
    assert again.centre.now() - NOW > timedelta(hours=2)


def test_doctor_tells_of_stored_versions(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert check_procedures(folder).verdict == "ok"
    engine = open_sqlite(lay_database(folder.database))
    with_both(engine)
    assert check_procedures(folder).text == "2 stored versions can be read"
    store_as_it_is(engine, HALF)
    assert check_procedures(folder).verdict == "ok"
    store_as_it_is(engine, BROKEN)
    found = check_procedures(folder)
    assert found.verdict == "warning"
    assert "1 of 2 stored versions start nothing: procedure small version 1" in found.text
    assert "higher number" in found.remedy
    engine.dispose()
