"""Ack and Error: ours to messages of others, as others can read them; theirs to ours."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cap_samples import DATA, NOW, expect_valid
from dothi.facades.cap.answering import AnswerDesk
from dothi.facades.cap.documents import read_document
from dothi.facades.cap.reading import read_alert
from dothi.facades.cap.settings import WarningSettings
from dothi.model.cap import MsgType, Reference, Scope
from dothi.model.problem import Problem
from dothi.model.warning import ForeignWarning, Severity
from dothi.storage.relational.foreign_warnings import RelationalForeignWarnings
from unit.facades.cap.conftest import SETTINGS
from unit.facades.cap.test_public import entries, public


def foreign_of(path: Path, **changes: Any) -> ForeignWarning:
    (received,) = read_document(path.read_bytes()).messages
    alert = received.alert
    found = ForeignWarning(
        "kttv", alert.sender, alert.identifier, alert.sent_at, alert.status, alert.msg_type,
        "Event", "Headline", Severity.MODERATE, "", "urn:x:1", received.document, NOW,
    )  # fmt: skip
    return replace(found, **changes)


@pytest.fixture
def kept(office: Any) -> RelationalForeignWarnings:
    found = RelationalForeignWarnings(office.engine)
    found.put([foreign_of(DATA / "australia.cap")])
    return found


def desk(office: Any, kept: Any, settings: WarningSettings = SETTINGS) -> AnswerDesk:
    return AnswerDesk(settings, kept, office.clock)


@pytest.mark.parametrize("name", ["australia.cap", "canada.cap", "wcatwc-warning.cap"])
def test_an_answer_is_valid_and_refers_to_the_message(office: Any, name: str) -> None:
    kept = RelationalForeignWarnings(office.engine)
    kept.put([foreign_of(DATA / name)])
    (original,) = kept.all()
    for kind, note in ((MsgType.ACK, ""), (MsgType.ERROR, "polygon không đóng <kín>")):
        made = desk(office, kept).answer(original.id, kind, note)
        expect_valid(made.document)
        alert = read_alert(made.document.encode())
        assert (alert.msg_type, alert.note, alert.infos) == (kind, note, ())
        assert alert.sender == SETTINGS.sender
        told = Reference(original.sender, original.identifier, original.sent_at)
        assert alert.references == (told,)
        assert alert.status == original.status
    theirs = [Reference(original.sender, original.identifier, original.sent_at)]
    assert [one.msg_type for one in kept.answers_to(theirs)] == [MsgType.ACK, MsgType.ERROR]
    assert [one.id for one in kept.all()] == [original.id], "our answers are no warnings of others"
    assert original.replaced_by is None


def test_what_cannot_be_answered_is_refused(office: Any, kept: RelationalForeignWarnings) -> None:
    (original,) = kept.all()
    answers = desk(office, kept)
    with pytest.raises(Problem, match="reason"):
        answers.answer(original.id, MsgType.ERROR, "")
    made = answers.answer(original.id, MsgType.ACK, "")
    with pytest.raises(Problem, match="already"):
        answers.answer(original.id, MsgType.ACK, "")
    own = kept.own_answer(made.identifier)
    assert own is not None
    with pytest.raises(Problem, match="there is no"):
        answers.answer(own.id, MsgType.ACK, "")
    kept.put([replace(foreign_of(DATA / "canada.cap"), msg_type=MsgType.ACK)])
    ack = next(one for one in kept.all() if one.msg_type is MsgType.ACK)
    with pytest.raises(Problem, match="answer itself"):
        answers.answer(ack.id, MsgType.ACK, "")
    nobody = desk(office, kept, WarningSettings())
    with pytest.raises(Problem, match="on whose behalf"):
        nobody.answer(original.id, MsgType.ERROR, "x")


def test_a_drill_answers_as_an_exercise_only(office: Any, kept: RelationalForeignWarnings) -> None:
    (original,) = kept.all()
    made = desk(office, kept, WarningSettings(is_drill=True)).answer(original.id, MsgType.ACK, "")
    assert read_alert(made.document.encode()).status == "Exercise"


async def test_others_read_our_public_answers(office: Any, kept: RelationalForeignWarnings) -> None:
    (original,) = kept.all()
    made = desk(office, kept).answer(original.id, MsgType.ERROR, "không đọc được polygon")
    private = foreign_of(DATA / "canada.cap")
    hidden = private.document.replace("<scope>Public</scope>", "<scope>Private</scope>")
    kept.put([replace(private, document=hidden)])
    secret = next(one for one in kept.all() if one.id != original.id)
    silent = desk(office, kept).answer(secret.id, MsgType.ACK, "")
    alert = read_alert(silent.document.encode())
    assert (alert.scope, alert.addresses) == (Scope.PRIVATE, (private.sender,))
    async with public(office) as client:
        feed = await client.get("/cap/answers.atom")
        assert feed.headers["content-type"].startswith("application/atom+xml")
        assert "canhbao.example.vn/cap/answers.atom" in feed.text
        assert silent.identifier not in feed.text
        assert made.identifier in feed.text
        document = await client.get(f"/cap/{made.identifier}.xml")
        assert document.text == made.document
        assert (await client.get(f"/cap/{silent.identifier}.xml")).status_code == 404
        assert await entries(client) == [], "an answer is no warning"
    # What we publish, we can read as another dothi would.
    links = read_document(feed.text.encode()).links
    assert [link.url for link in links] == [f"https://canhbao.example.vn/cap/{made.identifier}.xml"]


def test_answers_of_others_to_ours_are_found(office: Any, kept: RelationalForeignWarnings) -> None:
    ours = Reference(SETTINGS.sender, "urn:uuid:1", NOW)
    ack = foreign_of(
        DATA / "canada.cap",
        msg_type=MsgType.ACK,
        references=((ours.sender, ours.identifier, ours.sent_at),),
    )
    kept.put([ack])
    (found,) = kept.answers_to([ours])
    assert (found.sender, found.msg_type) == (ack.sender, MsgType.ACK)
    assert kept.answers_to([]) == []
    assert kept.answers_to([replace(ours, identifier="urn:uuid:2")]) == []
