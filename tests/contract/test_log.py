"""What every log promises: durable order, exact receipts, duplicates and corrections apart."""

from datetime import timedelta

import pytest

from dothi.model.batch import CommitResult, Guards, Rejection
from dothi.model.row import LOG_SCHEMA, Change, Kind
from dothi.pipeline.admit import admit
from dothi.ports.state import EntityQuery
from dothi.storage.relational.sqlite_store import SqliteStore
from tests.contract.conftest import Opener
from tests.rows import NOW, PHU_AN, batch, minutes_ago


def commit(store: SqliteStore, *batches) -> list[CommitResult]:
    return store.writer.commit(admit(batches, {}))


def values(store: SqliteStore) -> list[tuple]:
    rows = store.reader.read(0, 1000)
    return [(r["entity"], r["attribute"], r["number"], r["revision"]) for r in rows.to_pylist()]


def test_rows_come_back_as_they_were_handed_in(store: SqliteStore) -> None:
    [result] = commit(store, batch(id="first", number=1.5, unit="MTR", entity_type="WaterObserved"))
    assert (result.received, result.stored, result.duplicates) == (1, 1, 0)
    rows = store.reader.read(0, 10)
    assert rows.schema == LOG_SCHEMA
    [row] = rows.to_pylist()
    assert row["number"] == 1.5
    assert (row["unit"], row["source"], row["batch"]) == ("MTR", "s1", "first")
    assert row["observed_at"] == NOW
    assert row["entity_type"] == "WaterObserved"
    assert store.reader.head() == row["seq"] == result.last_seq


def test_order_is_commit_order_across_batches_and_restarts(
    store: SqliteStore, reopen: Opener
) -> None:
    commit(store, batch(number=1.0), batch(number=2.0, observed_at=minutes_ago(-1)))
    again = reopen()
    commit(again, batch(number=3.0, observed_at=minutes_ago(-2)))
    assert [v[2] for v in values(again)] == [1.0, 2.0, 3.0]
    seqs = again.reader.read(0, 10)["seq"].to_pylist()
    assert seqs == sorted(set(seqs))
    assert again.reader.read(seqs[0], 1)["seq"].to_pylist() == [seqs[1]]


def test_the_same_batch_again_changes_nothing(store: SqliteStore, reopen: Opener) -> None:
    first = batch(id="again", number=1.0)
    commit(store, first)
    [replay] = commit(reopen(), first)
    assert replay.replayed
    assert (replay.received, replay.stored) == (1, 1)


def test_the_same_value_again_is_a_duplicate(store: SqliteStore, reopen: Opener) -> None:
    commit(store, batch(number=1.0))
    [in_group] = commit(store, batch(number=[1.0, 1.0]))
    assert (in_group.stored, in_group.duplicates) == (0, 2)
    again = reopen()
    [after_restart] = commit(again, batch(number=1.0))
    assert (after_restart.stored, after_restart.duplicates) == (0, 1)
    assert len(values(again)) == 1


def test_another_value_for_the_same_key_is_a_correction(store: SqliteStore) -> None:
    [result] = commit(store, batch(number=[1.0, 2.0, 2.0, 3.0]))
    assert (result.stored, result.duplicates) == (3, 1)
    commit(store, batch(number=4.0))
    assert [(v[2], v[3]) for v in values(store)] == [(1.0, 0), (2.0, 1), (3.0, 2), (4.0, 3)]
    assert store.state.attributes([PHU_AN])["number"].to_pylist() == [4.0]


def test_a_late_value_enters_the_record_and_not_the_state(store: SqliteStore) -> None:
    commit(store, batch(number=2.0))
    [late] = commit(store, batch(number=1.0, observed_at=minutes_ago(60)))
    assert late.stored == 1
    assert store.state.attributes([PHU_AN])["number"].to_pylist() == [2.0]
    [twin] = commit(store, batch(number=1.0, observed_at=minutes_ago(60)))
    assert twin.duplicates == 1


def test_assign_becomes_current_whatever_its_time(store: SqliteStore) -> None:
    commit(store, batch(number=2.0))
    commit(store, batch(number=1.0, observed_at=minutes_ago(60), change=int(Change.ASSIGN)))
    assert store.state.attributes([PHU_AN])["number"].to_pylist() == [1.0]


def test_a_value_keeps_its_kind_when_a_later_one_is_of_another(store: SqliteStore) -> None:
    link = {"text": "urn:pump", "kind": int(Kind.RELATIONSHIP), "observed_at": minutes_ago(-1)}
    commit(store, batch(number=1.0))
    commit(store, batch(number=None, change=int(Change.ASSIGN), **link))
    kinds = store.reader.read(0, 10)["kind"].to_pylist()
    assert kinds == [int(Kind.PROPERTY), int(Kind.RELATIONSHIP)]


def test_rows_name_the_type_that_an_entity_has_now(store: SqliteStore) -> None:
    commit(store, batch(number=1.0, entity_type="Gauge"))
    assert store.reader.read(0, 10)["entity_type"].to_pylist() == ["Gauge"]
    body = '{"types": ["WaterObserved"], "scope": []}'
    change = int(Change.UPSERT_ENTITY)
    commit(store, batch(attribute="", change=change, body=body, observed_at=None))
    types = store.reader.read(0, 10)["entity_type"].to_pylist()
    assert types == ["WaterObserved", "WaterObserved"]


def test_receipts_add_up_per_source_and_minute(store: SqliteStore) -> None:
    refused = Rejection("s2", "malformed", "not JSON", sample="{", count=3)
    commit(
        store,
        batch(source=["s1", "s1", "s2"], number=[1.0, 1.0, float("nan")], rejected=(refused,)),
        batch(source="s1", number=9.0, observed_at=minutes_ago(1), received_at=minutes_ago(-1)),
    )
    receipts = store.receipts.minutes(None, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    figures = {(r.source, r.minute_at): r for r in receipts}
    assert len(figures) == 3
    for r in receipts:
        assert r.received == r.stored + r.rejected + r.duplicate
    first = figures["s1", NOW]
    assert (first.received, first.stored, first.duplicate) == (2, 1, 1)
    assert figures["s2", NOW].rejected == 4
    assert figures["s1", NOW + timedelta(minutes=1)].delay_ms_sum == 120_000
    totals = {t.source: t for t in store.receipts.totals()}
    assert (totals["s1"].received, totals["s1"].stored) == (3, 2)
    assert totals["s1"].last_observed_at == NOW
    assert store.receipts.reject_reasons("s2", NOW) == {"malformed": 3, "not_finite": 1}
    assert {r.reason for r in store.receipts.rejects("s2")} == {"malformed", "not_finite"}


def test_reject_texts_are_bounded_and_counts_are_not(store: SqliteStore) -> None:
    many = tuple(Rejection("s1", "malformed", "not JSON") for _ in range(1500))
    commit(store, batch(number=1.0, rejected=many))
    assert len(store.receipts.rejects("s1", limit=5000)) == 1000
    assert store.receipts.reject_reasons("s1", NOW) == {"malformed": 1500}


def test_guards_hold_one_batch_back_and_no_other(store: SqliteStore) -> None:
    absent = Guards(absent=frozenset({PHU_AN}))
    made, refused, other = commit(
        store,
        batch(number=1.0, guards=absent),
        batch(number=2.0, guards=absent),
        batch(entity="urn:x:y", number=3.0, guards=Guards(present=frozenset({PHU_AN}))),
    )
    assert (made.refused, made.stored) == ("", 1)
    assert (refused.refused, refused.stored) == (PHU_AN, 0)
    assert other.stored == 1
    [gone] = commit(store, batch(entity="urn:x:z", guards=Guards(present=frozenset({"urn:no:no"}))))
    assert gone.refused == "urn:no:no"
    assert store.state.count(EntityQuery()) == 2


def test_deleting_keeps_the_record(store: SqliteStore) -> None:
    commit(store, batch(attribute=["level", "flow"], number=[1.0, 2.0]))
    commit(store, batch(attribute="flow", change=int(Change.DELETE_ATTRIBUTE)))
    assert store.state.attributes([PHU_AN])["attribute"].to_pylist() == ["level"]
    commit(store, batch(attribute="", change=int(Change.DELETE_ENTITY)))
    assert store.state.attributes([PHU_AN]).num_rows == 0
    assert store.state.entities(EntityQuery()).num_rows == 0
    changes = store.reader.read(0, 10)["change"].to_pylist()
    assert changes == [1, 1, Change.DELETE_ATTRIBUTE, Change.DELETE_ENTITY]
    commit(store, batch(number=5.0, observed_at=minutes_ago(-1), entity_type="River"))
    assert store.state.attributes([PHU_AN])["number"].to_pylist() == [5.0]
    assert store.state.entities(EntityQuery())["types"].to_pylist() == [["River"]]


def test_entity_rows_set_types_and_scope(store: SqliteStore) -> None:
    commit(
        store,
        batch(
            attribute="",
            observed_at=None,
            change=int(Change.UPSERT_ENTITY),
            body='{"types":["A","B"],"scope":["/tdm"],"expires_at":"2027-01-01T00:00:00Z"}',
        ),
    )
    [entity] = store.state.entities(EntityQuery(types=("B",))).to_pylist()
    assert entity["types"] == ["A", "B"]
    assert entity["scope"] == ["/tdm"]
    assert entity["expires_at"].year == 2027
    assert store.state.types() == {"A": 1, "B": 1}


def test_name_and_location_are_found_by_search_and_box(store: SqliteStore) -> None:
    commit(
        store,
        batch(
            attribute=["name", "location"],
            text=["Trạm Thủ Dầu Một đầu nguồn", None],
            body=[None, '{"type":"Point","coordinates":[106.65,10.98]}'],
            kind=[1, 3],
            observed_at=None,
        ),
    )
    assert store.state.entities(EntityQuery(text="thu dau mot")).num_rows == 1
    assert store.state.entities(EntityQuery(text="ĐẦU nguồn")).num_rows == 1
    assert store.state.entities(EntityQuery(text="thu%mot")).num_rows == 0
    inside = EntityQuery(bbox=(106.6, 10.9, 106.7, 11.0))
    [found] = store.state.entities(inside).to_pylist()
    assert (found["lon"], found["lat"]) == (106.65, 10.98)
    assert store.state.count(EntityQuery(bbox=(0, 0, 1, 1))) == 0


def test_a_further_instance_neither_moves_nor_renames_an_entity(store: SqliteStore) -> None:
    def describe(dataset: str, lon: float, source: str = "s1") -> tuple[str, float]:
        place = f'{{"type":"Point","coordinates":[{lon},10.5]}}'
        commit(
            store,
            batch(
                source=source,
                attribute=["name", "location"],
                dataset=dataset,
                text=[f"at {lon}", None],
                body=[None, place],
                kind=[1, 3],
                observed_at=None,
            ),
        )
        [entity] = store.state.entities(EntityQuery()).to_pylist()
        return entity["name"], entity["lon"]

    assert describe("urn:a", 1.0) == ("at 1.0", 1.0)
    assert describe("urn:b", 2.0, "s2") == ("at 1.0", 1.0)
    assert describe("urn:a", 3.0) == ("at 3.0", 3.0), "the oldest instance still describes it"
    assert describe("", 4.0) == ("at 4.0", 4.0)
    assert describe("urn:a", 5.0) == ("at 4.0", 4.0)


def test_deleted_attributes_no_longer_describe_the_entity(store: SqliteStore) -> None:
    def described(change: Change, dataset: str, lon: float) -> tuple[str, float | None]:
        place = f'{{"type":"Point","coordinates":[{lon},10.5]}}'
        is_gone = change is Change.DELETE_ATTRIBUTE
        rows = batch(
            attribute=["name", "location"],
            dataset=dataset,
            text=None if is_gone else [f"at {lon}", None],
            body=None if is_gone else [None, place],
            number=None,
            kind=[1, 3],
            observed_at=None,
            change=int(change),
        )
        commit(store, rows)
        [entity] = store.state.entities(EntityQuery()).to_pylist()
        return entity["name"], entity["lon"]

    described(Change.ASSIGN, "", 1.0)
    described(Change.ASSIGN, "urn:a", 2.0)
    described(Change.ASSIGN, "urn:b", 3.0)
    assert described(Change.DELETE_ATTRIBUTE, "urn:b", 3.0) == ("at 1.0", 1.0)
    assert described(Change.DELETE_ATTRIBUTE, "", 1.0) == ("at 2.0", 2.0), "the oldest that is left"
    assert described(Change.DELETE_ATTRIBUTE, "urn:a", 2.0) == ("", None)
    assert store.state.entities(EntityQuery(text="at 2")).num_rows == 0
    assert store.state.count(EntityQuery(bbox=(-180, -90, 180, 90))) == 0
    assert described(Change.ASSIGN, "urn:a", 4.0) == ("at 4.0", 4.0)


def test_a_late_place_does_not_move_an_entity(store: SqliteStore) -> None:
    for minutes, lon in ((10, 1.0), (20, 2.0)):
        place = f'{{"type":"Point","coordinates":[{lon},10.5]}}'
        at = minutes_ago(minutes)
        commit(store, batch(attribute="location", number=None, body=place, kind=3, observed_at=at))
    [entity] = store.state.entities(EntityQuery()).to_pylist()
    assert entity["lon"] == 1.0


def test_a_name_that_is_no_text_any_more_is_gone(store: SqliteStore) -> None:
    commit(store, batch(attribute="name", text="old", number=None, change=int(Change.ASSIGN)))
    commit(store, batch(attribute="name", number=5.0, change=int(Change.ASSIGN)))
    [entity] = store.state.entities(EntityQuery()).to_pylist()
    assert entity["name"] == ""


def test_committed_time_never_runs_backwards(store: SqliteStore) -> None:
    times = iter([NOW, NOW - timedelta(hours=2), NOW + timedelta(seconds=1)])

    class JumpingClock:
        def now(self):
            return next(times)

    store.writer._clock = JumpingClock()
    for n in range(3):
        commit(store, batch(number=float(n), observed_at=minutes_ago(10 - n)))
    committed = store.reader.read(0, 10)["committed_at"].to_pylist()
    assert committed == sorted(committed)


def test_a_failed_commit_leaves_nothing_and_can_be_repeated(store: SqliteStore) -> None:
    group = batch(number=1.0, entity="urn:x:fresh")
    store.writer._connection.run(
        "CREATE TRIGGER no BEFORE INSERT ON batch BEGIN SELECT raise(ABORT, 'disk is full'); END"
    )
    from dothi.model.problem import StoreUnavailable

    with pytest.raises(StoreUnavailable, match="disk is full"):
        commit(store, group)
    assert store.reader.head() == 0
    assert store.state.count(EntityQuery()) == 0
    store.writer._connection.run("DROP TRIGGER no")
    [result] = commit(store, group)
    assert result.stored == 1
    assert store.state.count(EntityQuery()) == 1


def test_hot_rows_by_series_and_time(store: SqliteStore) -> None:
    import pyarrow as pa

    commit(
        store,
        batch(attribute=["level", "flow"], number=[1.0, 2.0]),
        batch(number=[3.0, 4.0], observed_at=[minutes_ago(5), minutes_ago(-5)]),
    )
    keys = pa.table({"entity": [PHU_AN], "attribute": ["level"], "dataset": [""]})
    rows, horizon, _ = store.reader.hot(keys, None, None)
    assert (rows["number"].to_pylist(), horizon) == ([1.0, 3.0, 4.0], 0)
    now_us = int(NOW.timestamp() * 1e6)
    rows, _, _ = store.reader.hot(keys, now_us, now_us + 1)
    assert rows["number"].to_pylist() == [1.0]
    rows, _, _ = store.reader.hot(None, now_us, None)
    assert sorted(rows["number"].to_pylist()) == [1.0, 2.0, 4.0]


def test_sealed_rows_leave_the_hot_log_once(store: SqliteStore, reopen: Opener) -> None:
    commit(store, batch(number=[1.0, 2.0, 3.0], observed_at=[minutes_ago(m) for m in (3, 2, 1)]))
    run = store.sealing.sealable(2**62, store.sealing.head(), 2)
    assert run["number"].to_pylist() == [1.0, 2.0]
    store.sealing.mark_sealed(run["seq"][-1].as_py())
    rows, horizon, _ = store.reader.hot(None, None, None)
    assert (rows["number"].to_pylist(), horizon) == ([3.0], run["seq"][-1].as_py())
    assert store.sealing.drop_sealed(1) == 1
    again = reopen()
    assert again.sealing.drop_sealed(100) == 1
    assert again.sealing.drop_sealed(100) == 0
    assert again.sealing.head() == 3
    commit(again, batch(number=4.0))
    assert again.reader.read(0, 10)["seq"].to_pylist() == [3, 4]


def test_cursors_move_forward_and_survive(store: SqliteStore, reopen: Opener) -> None:
    assert store.cursors.position("live") == 0
    store.cursors.advance("live", 7)
    store.cursors.advance("live", 9)
    assert reopen().cursors.positions() == {"live": 9}


def test_tokens_open_their_source_until_revoked(store: SqliteStore) -> None:
    from dothi.model.source import Source

    store.sources.put(Source("wl-1", "Mực nước 1", "mqtt", cadence_s=60.0))
    token = store.sources.issue_token("wl-1")
    found = store.sources.source_of_token(token)
    assert found is not None
    assert (found.id, found.cadence_s) == ("wl-1", 60.0)
    assert store.sources.source_of_token(token + "x") is None
    assert store.sources.revoke_tokens("wl-1") == 1
    assert store.sources.source_of_token(token) is None
    with pytest.raises(KeyError):
        store.sources.issue_token("nobody")


def test_old_batches_are_forgotten_when_their_rows_are_sealed(
    store: SqliteStore, reopen: Opener
) -> None:
    sent = [
        batch(id=f"once-{n}", number=[float(n)], observed_at=[minutes_ago(n)]) for n in range(4)
    ]
    for one in sent:
        commit(store, one)
    assert store.sealing.forget_batches(2**62, 10) == 0, "no row is sealed yet"
    store.sealing.mark_sealed(3)
    assert store.sealing.forget_batches(0, 10) == 0, "none is old enough"
    assert store.sealing.forget_batches(2**62, 2) == 2
    assert store.sealing.forget_batches(2**62, 2) == 1
    store.sealing.mark_sealed(4)
    assert store.sealing.forget_batches(2**62, 2) == 0, "the latest batch stays"
    again = reopen()
    (kept,) = commit(again, sent[3])
    assert kept.replayed
    (forgotten,) = commit(again, sent[0])
    assert not forgotten.replayed
