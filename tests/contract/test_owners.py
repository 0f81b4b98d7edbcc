"""Whose a series is: the first source's, until it is released or deleted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from msgspec.structs import replace

from dothi.model.batch import Batch, CommitResult
from dothi.model.row import Change
from dothi.model.source import Source
from dothi.pipeline.admit import admit
from dothi.ports.state import EntityQuery
from dothi.storage.relational.sqlite_store import SqliteStore
from tests.contract.conftest import Opener
from tests.rows import NOW, PHU_AN, batch, minutes_ago

REASON = "series_of_another_source"


def commit(store: SqliteStore, *batches: Batch) -> list[CommitResult]:
    return store.writer.commit(admit(batches, {}))


def figures(result: CommitResult) -> tuple[int, int, int, int]:
    """received, stored, rejected, duplicates."""
    assert result.received == result.stored + result.rejected_count + result.duplicates
    return (result.received, result.stored, result.rejected_count, result.duplicates)


def current(store: SqliteStore, attribute: str = "level") -> list[tuple[float, str]]:
    rows = store.state.attributes([PHU_AN], [attribute]).to_pylist()
    return [(row["number"], row["source"]) for row in rows]


def trusted(made: Batch) -> Batch:
    return replace(made, is_trusted=True)


def test_a_stranger_cannot_write_a_series(store: SqliteStore, reopen: Opener) -> None:
    commit(store, batch(number=1.0))
    [refused] = commit(store, batch(source="s2", number=9.0, observed_at=minutes_ago(-1)))
    assert figures(refused) == (1, 0, 1, 0)
    [told] = refused.rejected
    assert (told.source, told.reason, told.row, told.count) == ("s2", REASON, 0, 1)
    assert "belongs to source 's1'" in told.detail
    assert "dothi source release s1" in told.detail
    assert "'number': '9.0'" in told.sample
    assert "row_no" not in told.sample
    assert current(store) == [(1.0, "s1")]
    again = reopen()
    [after_restart] = commit(again, batch(source="s2", number=9.0, observed_at=minutes_ago(-1)))
    assert figures(after_restart) == (1, 0, 1, 0)
    [mine] = commit(again, batch(number=2.0, observed_at=minutes_ago(-1)))
    assert figures(mine) == (1, 1, 0, 0)
    totals = {t.source: (t.received, t.stored, t.rejected) for t in again.receipts.totals()}
    assert totals == {"s1": (2, 2, 0), "s2": (2, 0, 2)}
    assert again.receipts.reject_reasons("s2", NOW) == {REASON: 2}
    assert again.reader.read(0, 10)["source"].to_pylist() == ["s1", "s1"]


def test_an_attribute_and_a_dataset_are_series_of_their_own(store: SqliteStore) -> None:
    commit(store, batch(number=1.0))
    [other] = commit(store, batch(source="s2", attribute=["flow", "level"], dataset=["", "raw"]))
    assert figures(other)[2] == 2, "no value at all"
    [other] = commit(
        store,
        batch(source="s2", attribute=["flow", "level"], dataset=["", "raw"], number=[1.0, 2.0]),
    )
    assert figures(other) == (2, 2, 0, 0)


def test_the_first_row_of_a_group_decides(store: SqliteStore) -> None:
    first, second, third = commit(
        store,
        batch(source=["s2", "s1"], attribute=["level", "flow"], number=[1.0, 2.0]),
        batch(source="s1", attribute=["flow", "level"], number=[3.0, 4.0]),
        batch(source="s2", attribute=["flow", "level"], number=[5.0, 1.0]),
    )
    assert figures(first) == (2, 2, 0, 0)
    assert (figures(second), second.rejected[0].row) == ((2, 1, 1, 0), 1)
    assert (figures(third), third.rejected[0].row) == ((2, 0, 1, 1), 0)


def test_rows_name_their_index_in_what_was_sent(store: SqliteStore) -> None:
    commit(store, batch(number=1.0))
    later = [minutes_ago(-n) for n in range(4)]
    [mixed] = commit(
        store,
        batch(
            source="s2",
            attribute=["a", "level", "b", "level"],
            number=[1.0, float("inf"), 2.0, 3.0],
            observed_at=later,
        ),
    )
    assert [(r.reason, r.row) for r in mixed.rejected] == [("not_finite", 1), (REASON, 3)]


def test_many_refused_rows_are_counted_exactly_and_described_a_few_times(
    store: SqliteStore,
) -> None:
    commit(store, batch(number=1.0))
    times = [minutes_ago(n / 10) for n in range(1, 51)]
    [refused] = commit(
        store,
        batch(source=["s2", "s3"] * 25, number=[float(n) for n in range(50)], observed_at=times),
    )
    assert figures(refused) == (50, 0, 50, 0)
    assert [r.row for r in refused.rejected] == [*range(20), None, None]
    assert [(r.source, r.count) for r in refused.rejected[20:]] == [("s2", 15), ("s3", 15)]
    assert all("belongs to source 's1'" in r.detail for r in refused.rejected)


def test_a_replay_of_the_owner_is_a_duplicate_and_that_of_a_stranger_is_refused(
    store: SqliteStore,
) -> None:
    commit(store, batch(number=1.0))
    mine, theirs = commit(store, batch(number=1.0), batch(source="s2", number=1.0))
    assert figures(mine) == (1, 0, 0, 1)
    assert figures(theirs) == (1, 0, 1, 0)
    again = batch(id="again", source="s2", number=1.0)
    [first], [replay] = commit(store, again), commit(store, again)
    assert (figures(first), figures(replay), replay.replayed) == ((1, 0, 1, 0),) * 2 + (True,)


def test_a_refused_value_corrects_nothing(store: SqliteStore) -> None:
    [result] = commit(store, batch(source=["s1", "s2", "s1"], number=[1.0, 2.0, 1.0]))
    assert figures(result) == (3, 1, 1, 1)
    assert store.reader.read(0, 10)["revision"].to_pylist() == [0]


def test_a_trusted_batch_writes_every_series_and_takes_none(store: SqliteStore) -> None:
    commit(store, batch(number=1.0))
    [system] = commit(store, trusted(batch(source="s2", number=5.0, change=int(Change.ASSIGN))))
    assert figures(system) == (1, 1, 0, 0)
    assert current(store) == [(5.0, "s2")]
    mine, theirs = commit(
        store,
        batch(number=6.0, observed_at=minutes_ago(-1)),
        batch(source="s2", number=7.0, observed_at=minutes_ago(-2)),
    )
    assert (figures(mine), figures(theirs)) == ((1, 1, 0, 0), (1, 0, 1, 0))


def test_whoever_writes_first_owns_trusted_or_not(store: SqliteStore) -> None:
    commit(store, trusted(batch(source="s2", number=1.0)))
    [late] = commit(store, batch(source="s1", number=2.0, observed_at=minutes_ago(-1)))
    assert figures(late) == (1, 0, 1, 0)


def test_a_gateway_writes_for_others_as_soon_as_it_may(store: SqliteStore) -> None:
    commit(store, batch(number=1.0))
    gateway = Source("gw", "Gateway", "mqtt")

    def sends(number: float) -> tuple[int, int, int, int]:
        [result] = commit(
            store, batch(source="gw", number=number, observed_at=minutes_ago(-number))
        )
        return figures(result)

    store.sources.put(gateway)
    assert sends(2.0) == (1, 0, 1, 0)
    store.sources.put(replace(gateway, may_write_others=True))
    found = store.sources.get("gw")
    assert found is not None
    assert found.may_write_others
    assert sends(3.0) == (1, 1, 0, 0)
    store.sources.put(gateway)
    assert sends(4.0) == (1, 0, 1, 0)
    [mine] = commit(store, batch(number=5.0, observed_at=minutes_ago(-5)))
    assert figures(mine) == (1, 1, 0, 0)


def test_an_import_leaves_a_series_to_the_device_that_comes_later(store: SqliteStore) -> None:
    store.sources.put(Source("old", "Old data", "import"))
    [history] = commit(store, trusted(batch(source="old", number=1.0, observed_at=minutes_ago(9))))
    assert figures(history) == (1, 1, 0, 0)
    [device] = commit(
        store, batch(source="s1", number=[2.0, 3.0], observed_at=[NOW, minutes_ago(1)])
    )
    assert figures(device) == (2, 2, 0, 0)
    [stranger] = commit(store, batch(source="s2", number=4.0, observed_at=minutes_ago(-1)))
    assert figures(stranger) == (1, 0, 1, 0)
    [more] = commit(store, trusted(batch(source="old", number=5.0, observed_at=minutes_ago(8))))
    assert figures(more) == (1, 1, 0, 0)
    untrusted, later = commit(
        store,
        batch(source=["old", "s3", "old"], attribute="flow", number=[1.0, 2.0, 3.0]),
        batch(source="old", attribute="flow", number=4.0),
    )
    assert [r.row for r in untrusted.rejected] == [2]
    assert figures(later) == (1, 0, 1, 0)


def test_a_batch_that_is_whole_is_refused_whole(store: SqliteStore) -> None:
    commit(store, batch(number=1.0))
    fresh = "urn:x:fresh"
    whole = replace(
        batch(
            source="s2",
            entity=[fresh, PHU_AN, PHU_AN, fresh],
            attribute=["a", "flow", "level", ""],
            number=[1.0, 2.0, 3.0, None],
            change=[1, 1, 1, int(Change.DELETE_ENTITY)],
        ),
        is_whole=True,
    )
    before, refused, after = commit(
        store,
        batch(source="s3", attribute="b", number=1.0),
        whole,
        batch(source="s3", attribute="flow", number=1.0),
    )
    assert (figures(before), figures(after)) == ((1, 1, 0, 0), (1, 1, 0, 0))
    assert figures(refused) == (4, 0, 4, 0)
    assert sorted((r.row, r.reason) for r in refused.rejected) == [
        (0, "batch_refused"), (1, "batch_refused"), (2, REASON), (3, "batch_refused"),
    ]  # fmt: skip
    assert store.state.count(EntityQuery(ids=(fresh,))) == 0
    assert store.receipts.reject_reasons("s2", NOW) == {REASON: 1, "batch_refused": 3}
    [kept] = commit(store, trusted(whole))
    assert kept.rejected == ()


@pytest.mark.parametrize("change", [Change.DELETE_ATTRIBUTE, Change.DELETE_ENTITY])
def test_what_was_deleted_belongs_to_nobody(
    store: SqliteStore, reopen: Opener, change: Change
) -> None:
    commit(store, batch(number=1.0))
    attribute = "" if change is Change.DELETE_ENTITY else "level"
    commit(store, batch(attribute=attribute, observed_at=None, change=int(change)))
    [second] = commit(store, batch(source="s2", number=2.0, observed_at=minutes_ago(-1)))
    assert figures(second) == (1, 1, 0, 0)
    [first] = commit(reopen(), batch(number=3.0, observed_at=minutes_ago(-2)))
    assert figures(first) == (1, 0, 1, 0)


def test_a_released_series_goes_to_the_next_that_writes_it(
    store: SqliteStore, reopen: Opener
) -> None:
    commit(store, batch(attribute=["level", "flow"], number=[1.0, 2.0]))
    commit(store, batch(source="s3", attribute="rain", number=1.0))
    assert store.writer.release("s1") == 2
    assert store.writer.release("s1") == 0
    assert store.writer.release("nobody's ' name") == 0
    new, other = commit(
        store,
        batch(source="s2", number=3.0, observed_at=minutes_ago(-1)),
        batch(source="s2", attribute="rain", number=3.0, observed_at=minutes_ago(-1)),
    )
    assert (figures(new), figures(other)) == ((1, 1, 0, 0), (1, 0, 1, 0))
    again = reopen()
    later = NOW + timedelta(minutes=5)
    old, flow = commit(
        again,
        batch(number=4.0, observed_at=later),
        batch(attribute="flow", number=4.0, observed_at=later),
    )
    assert (figures(old), figures(flow)) == ((1, 0, 1, 0), (1, 1, 0, 0))


def test_a_release_beside_commits_is_seen_by_the_next(store: SqliteStore) -> None:
    commit(store, batch(number=1.0))
    wanted: set[str] = set()
    with ThreadPoolExecutor(1) as other:
        for n in range(1, 40):
            source = ("s1", "s2")[n % 2]
            released = other.submit(lambda: [store.writer.release(s) for s in ("s1", "s2")])
            many = [batch(source="s3", attribute=f"x{n}", number=float(k)) for k in range(5)]
            commit(store, *many)
            assert sum(released.result()) == 1
            [taken] = commit(
                store, batch(source=source, number=float(n), observed_at=minutes_ago(-n / 10))
            )
            assert figures(taken) == (1, 1, 0, 0)
            wanted.add(source)
    assert wanted == {"s1", "s2"}


def test_a_failed_commit_claims_nothing(store: SqliteStore) -> None:
    from dothi.model.problem import StoreUnavailable

    run: Callable[[str], None] = store.writer._connection.run
    run("CREATE TRIGGER no BEFORE INSERT ON batch BEGIN SELECT raise(ABORT, 'disk is full'); END")
    with pytest.raises(StoreUnavailable):
        commit(store, batch(number=1.0))
    run("DROP TRIGGER no")
    [second] = commit(store, batch(source="s2", number=2.0))
    assert figures(second) == (1, 1, 0, 0)
