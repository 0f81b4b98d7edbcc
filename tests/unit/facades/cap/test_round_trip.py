"""What is written is read back the same, and is valid under both schemas."""

import string
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cap_samples import DATA, expect_valid
from dothi.facades.cap.reading import alert_nodes, alert_of, read_alert
from dothi.facades.cap.safe_xml import parse
from dothi.facades.cap.times import cap_time, read_cap_time
from dothi.facades.cap.writing import write_alert
from dothi.model.cap import (
    Alert,
    CapArea,
    CapStatus,
    Category,
    Certainty,
    Circle,
    Info,
    MsgType,
    Named,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Severity,
    Urgency,
)

_PLAIN = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
_TEXT = st.text(_PLAIN, max_size=40).map(str.strip)
_SOME = st.text(_PLAIN, min_size=1, max_size=40).map(lambda text: text.strip() or "x")
_ID = st.text(string.ascii_letters + string.digits + "-._:@", min_size=1, max_size=30)
_WORD = st.text(string.ascii_letters + "- ", min_size=1, max_size=9).map(lambda t: t.strip() or "x")
_TIME = st.builds(
    lambda at, minutes: at.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes))),
    st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2090-01-01")),
    st.integers(-12 * 4, 14 * 4).map(lambda quarter: quarter * 15),
)
_MAYBE_TIME = st.none() | _TIME
_POINT = st.tuples(
    st.floats(-90, 90).map(lambda v: round(v, 5) + 0.0),
    st.floats(-180, 180).map(lambda v: round(v, 5) + 0.0),
)
_NAMED = st.lists(st.builds(Named, _SOME, _SOME), max_size=2).map(tuple)
_FEET = st.none() | st.integers(0, 60_000).map(float)
_AREA = st.builds(
    CapArea,
    _SOME,
    st.lists(
        st.lists(_POINT, min_size=3, max_size=6).map(lambda ring: (*ring, ring[0])), max_size=2
    ).map(tuple),
    st.lists(
        st.builds(Circle, _POINT, st.floats(0, 900).map(lambda v: round(v, 3))), max_size=2
    ).map(tuple),
    _NAMED,
    _FEET,
    _FEET,
)
_RESOURCE = st.builds(
    Resource,
    _SOME,
    st.just("image/png"),
    st.none() | st.integers(0, 10**9),
    st.sampled_from(["", "https://example.org/a.png"]),
    st.sampled_from(["", "aGVsbG8="]),
    st.sampled_from(["", "0" * 40]),
)


def _some_of(words: type, least: int = 0) -> st.SearchStrategy[tuple]:
    return st.lists(st.sampled_from(list(words)), min_size=least, max_size=2).map(tuple)


_INFO = st.builds(
    Info,
    event=_SOME,
    urgency=st.sampled_from(Urgency),
    severity=st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    categories=_some_of(Category, 1),
    language=st.sampled_from(["", "vi-VN", "en-US"]),
    response_types=_some_of(ResponseType),
    audience=_TEXT,
    event_codes=_NAMED,
    effective_at=_MAYBE_TIME,
    onset_at=_MAYBE_TIME,
    expires_at=_MAYBE_TIME,
    sender_name=_TEXT,
    headline=_TEXT,
    description=_TEXT,
    instruction=_TEXT,
    web=st.sampled_from(["", "https://example.org/?a=1&b=2"]),
    contact=_TEXT,
    parameters=_NAMED,
    resources=st.lists(_RESOURCE, max_size=1).map(tuple),
    areas=st.lists(_AREA, max_size=2).map(tuple),
)
_ALERT = st.builds(
    Alert,
    _ID,
    _ID,
    _TIME,
    st.sampled_from(CapStatus),
    st.sampled_from(MsgType),
    st.sampled_from(Scope),
    _TEXT,
    _TEXT,
    st.lists(_WORD, max_size=3).map(tuple),
    st.lists(_SOME, max_size=2).map(tuple),
    _TEXT,
    st.lists(st.builds(Reference, _ID, _ID, _TIME), max_size=3).map(tuple),
    st.lists(_WORD, max_size=2).map(tuple),
    st.lists(_INFO, max_size=2).map(tuple),
)


@given(_ALERT)
def test_any_message_comes_back_as_it_was_written(alert: Alert) -> None:
    document = write_alert(alert)
    assert read_alert(document.encode()) == alert
    expect_valid(document)


@pytest.mark.parametrize(
    "name", ["australia.cap", "canada.cap", "wcatwc-warning.cap", "bushfire_valid.edxlde"]
)
def test_messages_of_other_authorities_are_read_and_written_again(name: str) -> None:
    found = alert_nodes(parse((DATA / name).read_bytes()))
    assert found
    for node in found:
        alert = alert_of(node)
        document = write_alert(alert)
        assert read_alert(document.encode()) == alert
        expect_valid(document)


def test_every_element_of_a_real_message_arrives() -> None:
    alert = read_alert((DATA / "canada.cap").read_bytes())
    english, french = alert.infos
    assert (alert.msg_type, len(alert.references), alert.codes[0]) == (
        MsgType.UPDATE,
        2,
        "profile:CAP-CP:0.4",
    )
    assert (english.language, french.language) == ("en-CA", "fr-CA")
    assert english.areas[0].polygons[0][0] == (42.3481, -82.9314)
    assert english.parameters[0] == Named("layer:EC-MSC-SMC:1.0:Alert_Type", "watch")


def test_utc_is_written_without_z() -> None:
    at = datetime.fromisoformat("2026-11-20T10:30:15Z")
    assert cap_time(at) == "2026-11-20T10:30:15-00:00"
    assert read_cap_time(cap_time(at)) == at
    assert cap_time(read_cap_time("2026-11-20T10:30:15-03:30")) == "2026-11-20T10:30:15-03:30"


def test_a_character_that_xml_cannot_hold_is_refused() -> None:
    alert = read_alert((DATA / "canada.cap").read_bytes())
    with pytest.raises(ValueError, match="source"):
        write_alert(Alert("a", "b", alert.sent_at, alert.status, alert.msg_type, alert.scope, "\0"))
