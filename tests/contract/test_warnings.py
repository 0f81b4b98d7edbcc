"""The ports `Warnings` and `ForeignWarnings`, over every store."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from cap_samples import CONTENT, NOW
from databases import lay_database
from dothi.incidents.acting import Actor
from dothi.incidents.desk import Opening, open_incident
from dothi.model.cap import Alert, CapStatus, MsgType, Scope, Severity
from dothi.model.incident import EntryKind
from dothi.model.incident import Severity as IncidentSeverity
from dothi.model.warning import (
    ForeignWarning,
    MessageState,
    Step,
    WarningEvent,
    WarningMessage,
)
from dothi.ports.warnings import ForeignWarnings, Link, Warnings
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.foreign_warnings import RelationalForeignWarnings
from dothi.storage.relational.incidents import RelationalIncidents
from dothi.storage.relational.warnings import RelationalWarnings

DRAFT = WarningMessage(
    0, 0, MsgType.ALERT, MessageState.DRAFT, 1, CONTENT, "", "lan", NOW, ("lan",)
)
BEGUN = WarningEvent(0, 0, NOW, "lan", Step.CREATED, content=CONTENT)
SENT = Alert("m1", "a@x", NOW, CapStatus.ACTUAL, MsgType.ALERT, Scope.PUBLIC)
FOREIGN = ForeignWarning(
    connector="kttv",
    sender="a@x",
    identifier="m1",
    sent_at=NOW,
    status=CapStatus.ACTUAL,
    msg_type=MsgType.ALERT,
    event="Lũ",
    headline="Lũ lên",
    severity=Severity.SEVERE,
    area="Bình Dương",
    entity="urn:ngsi-ld:Alert:cap-1",
    document="<alert/>",
    received_at=NOW,
    url="https://x/m1",
    url_updated="1",
)


@pytest.fixture(params=["sqlite"])
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    yield engine
    engine.dispose()


@pytest.fixture
def warnings(engine: Engine) -> Warnings:
    return RelationalWarnings(engine)


@pytest.fixture
def foreign(engine: Engine) -> ForeignWarnings:
    return RelationalForeignWarnings(engine)


def first(warnings: Warnings) -> WarningMessage:
    found = warnings.get(warnings.create("alarm:1", DRAFT, BEGUN))
    assert found is not None
    return found.messages[0]


def release(warnings: Warnings, message: WarningMessage, identifier: str) -> WarningMessage:
    sent_at = NOW.replace(microsecond=0)
    out = replace(
        message,
        state=MessageState.RELEASED,
        version=message.version + 1,
        identifier=identifier,
        sender="a@x",
        sent_at=sent_at,
        expires_at=sent_at + timedelta(hours=1),
        document="<alert/>",
    )
    event = WarningEvent(message.warning, message.id, NOW, "minh", Step.RELEASED)
    assert warnings.change(out, event)
    return out


def test_a_message_comes_back_as_it_was_put(warnings: Warnings) -> None:
    message = first(warnings)
    assert replace(message, id=0, warning=0) == DRAFT
    (event,) = warnings.events(message.warning)
    assert (event.person, event.step, event.content) == ("lan", Step.CREATED, CONTENT)
    out = release(warnings, message, "m1")
    assert warnings.by_identifier("m1") == out
    assert warnings.by_identifier("m2") is None


def test_only_the_first_of_two_changes_is_taken(warnings: Warnings) -> None:
    message = first(warnings)
    event = replace(BEGUN, warning=message.warning, message=message.id, step=Step.EDITED)
    assert warnings.change(replace(message, version=2, editors=("lan", "hoa")), event)
    assert not warnings.change(replace(message, version=2, editors=("lan", "tu")), event)
    found = warnings.get(message.warning)
    assert found is not None
    assert found.messages[0].editors == ("lan", "hoa")
    assert len(warnings.events(message.warning)) == 2


def test_a_released_message_takes_no_change(warnings: Warnings) -> None:
    out = release(warnings, first(warnings), "m1")
    event = replace(BEGUN, warning=out.warning, message=out.id)
    assert not warnings.change(replace(out, version=out.version + 1), event)


def test_a_warning_has_one_open_message_at_most(warnings: Warnings) -> None:
    message = first(warnings)
    further = replace(DRAFT, warning=message.warning, msg_type=MsgType.UPDATE)
    assert not warnings.add(further, BEGUN)
    release(warnings, message, "m1")
    assert warnings.add(further, BEGUN)
    (found,) = warnings.all()
    assert [m.msg_type for m in found.messages] == [MsgType.ALERT, MsgType.UPDATE]


def test_what_is_published_is_the_newest_of_each_chain(warnings: Warnings) -> None:
    message = first(warnings)
    release(warnings, message, "m1")
    warnings.add(replace(DRAFT, warning=message.warning, msg_type=MsgType.UPDATE), BEGUN)
    found = warnings.get(message.warning)
    assert found is not None
    assert found.open is not None
    release(warnings, found.open, "m2")
    release(warnings, first(warnings), "m3")
    listed = warnings.published(CapStatus.EXERCISE, NOW)
    assert [m.identifier for m in listed] == ["m3", "m2"]
    assert warnings.published(CapStatus.ACTUAL, NOW) == []
    assert warnings.published(CapStatus.EXERCISE, NOW + timedelta(hours=2)) == []


def test_a_foreign_message_is_kept_once(foreign: ForeignWarnings) -> None:
    foreign.put([FOREIGN])
    foreign.put([replace(FOREIGN, headline="Khác", url_updated="2")])
    (kept,) = foreign.all()
    assert (kept.headline, kept.url_updated) == ("Lũ lên", "2")
    assert foreign.known("kttv") == {Link("https://x/m1", "2")}
    assert foreign.known("other") == frozenset()
    assert foreign.has(SENT)
    assert not foreign.has(replace(SENT, sent_at=NOW + timedelta(hours=1)))
    assert foreign.get(kept.id) == kept
    assert foreign.get(kept.id + 1) is None


def test_later_messages_tell_what_became_of_earlier_ones(foreign: ForeignWarnings) -> None:
    earlier = (("a@x", "m1", NOW),)
    update = replace(FOREIGN, identifier="m2", msg_type=MsgType.UPDATE, references=earlier)
    foreign.put([update])
    assert foreign.replaced_by(SENT) is MsgType.UPDATE
    assert foreign.entity_of(SENT) is None
    following = replace(
        SENT, identifier="m3", references=(replace(SENT, identifier="m2").reference,)
    )
    assert foreign.entity_of(following) == FOREIGN.entity
    ack = replace(FOREIGN, identifier="m4", msg_type=MsgType.ACK, references=earlier)
    cancel = replace(FOREIGN, identifier="m5", msg_type=MsgType.CANCEL, references=earlier)
    foreign.put([cancel, ack])
    assert foreign.replaced_by(SENT) is MsgType.CANCEL


def test_what_becomes_of_a_warning_enters_the_timeline_of_its_incident(engine: Engine) -> None:
    warnings, incidents = RelationalWarnings(engine), RelationalIncidents(engine)
    actor = Actor("lan", NOW)
    opening = Opening("Ngập", IncidentSeverity.SERIOUS)
    for _ in range(2):
        incidents.open(lambda number: open_incident(number, opening, actor))
    warning = warnings.create("incident:1", DRAFT, BEGUN)
    known = warnings.get(warning)
    assert known is not None
    submitted = replace(known.messages[0], state=MessageState.SUBMITTED, version=2)
    assert warnings.change(submitted, replace(BEGUN, step=Step.SUBMITTED, content=None))
    released = replace(submitted, state=MessageState.RELEASED, version=3)
    assert warnings.change(released, replace(BEGUN, person="minh", step=Step.RELEASED))
    assert not warnings.change(released, replace(BEGUN, step=Step.RELEASED)), "too late"
    cancel = replace(DRAFT, warning=warning, msg_type=MsgType.CANCEL, reason="Nước rút")
    assert warnings.add(cancel, replace(BEGUN, reason="Nước rút"))
    edited = replace(cancel, id=known.messages[0].id + 1, version=2)
    assert warnings.change(edited, replace(BEGUN, step=Step.EDITED))
    record = incidents.get(1)
    assert record is not None
    told = [
        (e.number, e.by, e.details["event"], e.details["msg_type"], e.details["reason"])
        for e in record.entries
        if e.kind is EntryKind.WARNING
    ]
    assert told == [
        (2, "lan", "created", "Alert", ""),
        (3, "lan", "submitted", "Alert", ""),
        (4, "minh", "released", "Alert", ""),
        (5, "lan", "created", "Cancel", "Nước rút"),
    ]
    assert record.entries[1].text == CONTENT.vi.headline
    assert [link.subject for link in record.links] == [f"warning:{warning}"]
    other = incidents.get(2)
    assert other is not None
    assert len(other.entries) == 1
    warnings.create("alarm:1", DRAFT, BEGUN)
    warnings.create("incident:99", DRAFT, BEGUN)  # there is none such: only the warning is stored
