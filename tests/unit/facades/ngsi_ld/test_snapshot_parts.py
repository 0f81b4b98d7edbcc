"""Parts of snapshots: the query language over their members, lifetimes, filling by own handlers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.snapshots.document import read_fragment, read_new
from dothi.facades.ngsi_ld.snapshots.filling import Filling, status_of
from dothi.facades.ngsi_ld.snapshots.selection import read_selection
from dothi.facades.ngsi_ld.snapshots.times import times_of, without_times
from dothi.facades.ngsi_ld.tables import HandlerTable
from dothi.facades.ngsi_ld.wire.durations import read_lifetime_s
from dothi.ports.hubs import SnapshotRecord

SNAPSHOT = {
    "id": "urn:ngsi-ld:Snapshot:1",
    "type": "Snapshot",
    "snapshotPriority": 5,
    "snapshotStatus": "partial",
    "expiresAt": "2026-11-02T00:00:00Z",
    "snapshotQueries": [{"type": "Query", "q": "a==1"}, {"type": "Query", "q": "b==2"}],
    "snapshotQueriesDetails": [{"resultStatus": "success"}, {"resultStatus": "empty"}],
}


@pytest.mark.parametrize(
    ("q", "holds"),
    [
        ("snapshotPriority==5", True),
        ("snapshotPriority!=5", False),
        ("snapshotPriority>4;snapshotPriority<=5", True),
        ('snapshotPriority=="5"', False),
        ("snapshotPriority==1..4", False),
        ("snapshotPriority!=1..4", True),
        ("snapshotPriority==7,5", True),
        ("snapshotPriority!=7,5", False),
        ('snapshotStatus=="failure"|snapshotStatus=="partial"', True),
        ('snapshotStatus~="^par"', True),
        ('snapshotStatus!~="^par"', False),
        ("expiresAt<2026-11-03T00:00:00Z", True),
        ("expiresAt>2026-11-03T00:00:00Z", False),
        ("snapshotStatus>2026-11-03T00:00:00Z", False),
        ("endpoint", False),
        ("snapshotQueriesDetails", True),
        ('snapshotQueriesDetails[resultStatus]=="empty"', True),
        ('snapshotQueriesDetails.resultStatus=="failure"', False),
        ('snapshotQueries[q]=="b==2"', True),
        ('id=="urn:ngsi-ld:Snapshot:1"', True),
        ("id==urn:ngsi-ld:Snapshot:2", False),
    ],
)
def test_which_snapshots_a_query_means(q: str, holds: bool) -> None:
    """5.16.7: restricted to members of the data type."""
    assert read_selection(q)(SNAPSHOT) is holds


@given(st.text(max_size=30) | st.text('snapshotPriority=<>!~;|()[]"5.,2026-:TZ', max_size=30))
def test_any_text_is_a_query_or_wrong(q: str) -> None:
    try:
        assert read_selection(q)(SNAPSHOT) in {True, False}
    except NgsiError as error:
        assert error.kind == "BadRequestData"


def test_lifetimes() -> None:
    assert read_lifetime_s("PT90S", "x") == 90
    assert read_lifetime_s("P1Y2M1W1DT1H1M1.5S", "x") == (
        (365 + 60 + 7 + 1) * 86400 + 3600 + 60 + 1.5
    )
    for wrong in ("", "P", "PT", "1D", "P-1D", "P1H", 5, None, "P1DT"):
        with pytest.raises(NgsiError, match="duration"):
            read_lifetime_s(wrong, "x")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_value_of_a_member_is_taken_or_refused(value: Any) -> None:
    for name in ("snapshotPriority", "snapshotLifetime", "endpoint", "receiverInfo", "id"):
        try:
            read_fragment({name: value}, "urn:x:1")
            read_new({"type": "Snapshot", "snapshotQueries": [{"type": "Query"}], name: value})
        except NgsiError as error:
            assert (error.status, error.kind) == (400, "BadRequestData")


def test_times_are_taken_out_of_attributes_but_not_out_of_values() -> None:
    at, later = "2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z"
    stamps = {"createdAt": at, "modifiedAt": later}
    entity = {
        "id": "urn:x:1",
        "type": "Room",
        **stamps,
        "a": {"type": "Property", "value": {"createdAt": at}, **stamps, "instanceId": "urn:i:1"},
        "b": [
            {"type": "Property", "value": 1, "datasetId": "urn:d:1", **stamps},
            {"type": "Property", "value": 2, "sub": {"type": "Property", "value": 3, **stamps}},
        ],
    }
    assert without_times(entity) == {
        "id": "urn:x:1",
        "type": "Room",
        "a": {"type": "Property", "value": {"createdAt": at}},
        "b": [
            {"type": "Property", "value": 1, "datasetId": "urn:d:1"},
            {"type": "Property", "value": 2, "sub": {"type": "Property", "value": 3}},
        ],
    }
    times = times_of(entity, CORE_CONTEXT)
    assert times is not None
    made, changed = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, 1, tzinfo=UTC)
    assert (times.created_at, times.modified_at) == (made, changed)
    assert times.attributes == (("a", "", made, changed), ("b", "urn:d:1", made, changed))
    assert times_of(without_times(entity), CORE_CONTEXT) is None


def test_the_status_of_several_queries() -> None:
    assert status_of(["success", "success"]) == "success"
    assert status_of(["empty"]) == "empty"
    assert status_of(["failure", "failure"]) == "failure"
    assert status_of(["success", "failure"]) == "partial"
    assert status_of(["empty", "success"]) == "partial"


class Handlers:
    """Two hubs in one: gives numbered evolutions page by page, takes what is written."""

    def __init__(self, have: int) -> None:
        self.numbers = list(range(have))
        self.asked: list[str] = []
        self.written: list[dict[str, Any]] = []
        self.meanwhile: Callable[[list[int]], None] = lambda _numbers: None
        """What becomes of the evolutions after each page."""

    def table(self) -> HandlerTable:
        paths = {
            "/temporal/entityOperations/query": self._query,
            "/temporal/entities": self._write,
        }
        return HandlerTable(
            [Endpoint("POST", path, Permission.READ, h, "") for path, h in paths.items()]
        )

    async def _query(self, request: Request) -> Response:
        self.asked.append(str(request.url.query))
        body = msgspec.json.decode(await request.body())
        assert body["temporalQ"] == {"timerel": "before", "timeAt": "2026-01-01T00:00:00Z"}
        assert body["@context"].endswith(".jsonld")
        offset = int(request.query_params["offset"])
        numbers = self.numbers[offset : offset + int(request.query_params["limit"])]
        found = [
            {
                "id": f"urn:x:{n}",
                "type": "T",
                "a": [{"type": "Property", "value": 1, "instanceId": "urn:i:1"}],
            }
            for n in numbers
        ]
        self.meanwhile(self.numbers)
        return Response(msgspec.json.encode(found))

    async def _write(self, request: Request) -> Response:
        body = msgspec.json.decode(await request.body())
        if body["id"] == "urn:x:45":
            error = {"type": "https://uri.etsi.org/ngsi-ld/errors/BadRequestData", "title": "No"}
            return Response(msgspec.json.encode({**error, "detail": "not this one"}), 400)
        self.written.append(body)
        return Response(status_code=201)


def _filling(handlers: Handlers) -> Filling:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    query = {
        "type": "Query",
        "temporalQ": {"timerel": "before", "timeAt": "2026-01-01T00:00:00Z"},
    }
    document = {"snapshotTemporalQueries": [query]}
    record = SnapshotRecord("urn:s:1", "k", document, "preparing", at, at, at + timedelta(1), at)
    return Filling(record, handlers.table(), handlers.table(), CORE_CONTEXT, "")


async def test_all_pages_of_evolutions_are_stored() -> None:
    """5.16.1: "all pages are to be retrieved completely"."""
    handlers = Handlers(43)
    filling = _filling(handlers)
    await filling.run()
    assert len(handlers.written) == 43
    assert handlers.written[0]["a"] == [{"type": "Property", "value": 1}]
    assert [q.rpartition("=")[2] for q in handlers.asked] == ["0", "19", "38"]
    assert filling.record.status == "success"
    assert filling.record.document["snapshotTemporalQueriesDetails"] == [
        {"resultStatus": "success"}
    ]


def _from_the_front(numbers: list[int]) -> None:
    del numbers[:7]


def _more_than_a_page(numbers: list[int]) -> None:
    del numbers[2:40]


def _in_front(numbers: list[int]) -> None:
    if len(numbers) < 300:
        numbers[:0] = [len(numbers) + n for n in range(5)]


@pytest.mark.parametrize("meanwhile", [_from_the_front, _more_than_a_page, _in_front])
async def test_what_fits_all_the_time_is_stored_once(
    meanwhile: Callable[[list[int]], None],
) -> None:
    """5.16.1: all that the query finds, also when others go or come between two pages."""
    handlers = Handlers(200)
    del handlers.numbers[45]  # the one that is refused
    handlers.meanwhile = meanwhile
    before = set(handlers.numbers)
    await _filling(handlers).run()
    stored = [int(entity["id"].rpartition(":")[2]) for entity in handlers.written]
    assert len(stored) == len(set(stored))
    assert before & set(handlers.numbers) <= set(stored)


async def test_an_evolution_that_is_refused_fails_its_query() -> None:
    filling = _filling(Handlers(50))
    await filling.run()
    (detail,) = filling.record.document["snapshotTemporalQueriesDetails"]
    assert filling.record.status == detail["resultStatus"] == "failure"
    assert detail["problemDetails"]["detail"] == "not this one"


async def test_what_the_program_cannot_do_fails_its_query() -> None:
    filling = _filling(Handlers(1))
    filling.source = HandlerTable([])
    await filling.run()
    (detail,) = filling.record.document["snapshotTemporalQueriesDetails"]
    assert detail["problemDetails"]["type"].endswith("OperationNotSupported")
