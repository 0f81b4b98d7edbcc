"""Writes of one thing at a time that share a commit: as if they came one after the other."""

from msgspec.structs import replace

from dothi.model.row import Cells, Change
from dothi.storage.relational.sqlite_store import SqliteStore
from tests.contract.conftest import Opener
from tests.contract.test_log import commit, values
from tests.rows import PHU_AN, batch, minutes_ago


def numbers_of(store: SqliteStore) -> dict[str, float]:
    rows = store.state.attributes([PHU_AN])
    return dict(zip(rows["attribute"].to_pylist(), rows["number"].to_pylist(), strict=True))


def test_assigning_anew_under_the_same_time_is_a_correction(
    store: SqliteStore, reopen: Opener
) -> None:
    assign = {"change": int(Change.ASSIGN)}
    commit(store, batch(number=1.0))
    commit(store, batch(number=[2.0, 2.0], **assign), batch(number=3.0, **assign))
    [twin, _] = commit(store, batch(number=3.0), batch(number=4.0, **assign))
    assert twin.duplicates == 1, "telemetry beside it is still compared with what stands there"
    again = reopen()
    commit(again, batch(number=5.0, **assign), batch(number=6.0, **assign))
    numbers = [1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert [v[2:] for v in values(again)] == list(zip(numbers, range(7), strict=True))


def test_rows_of_doors_that_take_one_thing_at_a_time(store: SqliteStore) -> None:
    tables = [batch(number=float(n), observed_at=minutes_ago(-n)) for n in range(4)]
    cells = [
        replace(b, rows=Cells([tuple(row.values()) for row in b.table.to_pylist()])) for b in tables
    ]
    commit(store, tables[0], cells[1], cells[2], tables[3])
    assert [v[2] for v in values(store)] == [0.0, 1.0, 2.0, 3.0]
    assert all(c.table.equals(t.table) for c, t in zip(cells, tables, strict=True))


def test_one_commit_makes_drops_and_makes_again(store: SqliteStore) -> None:
    body = '{"types": ["Gauge"], "scope": ["/A"]}'
    whole = {"attribute": ["", "scope", "level"], "change": [4, 5, 5], "body": [body, None, None]}
    made = batch(number=[None, 1.0, 2.0], observed_at=None, **whole)
    drop = batch(number=None, observed_at=None, change=int(Change.DELETE_ATTRIBUTE))
    again = batch(number=3.0, observed_at=None, change=int(Change.ASSIGN))
    commit(store, made, drop, again)
    assert numbers_of(store) == {"scope": 1.0, "level": 3.0}
    gone = batch(number=None, attribute="", observed_at=None, change=int(Change.DELETE_ENTITY))
    commit(store, gone, replace(made, id="m2"), gone, replace(made, id="m3"))
    assert numbers_of(store) == {"scope": 1.0, "level": 2.0}
