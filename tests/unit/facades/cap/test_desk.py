"""The workflow: two persons, chains, drill mode, the record that is only added to."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text

from cap_samples import CONTENT, NOW, THU_DAU_MOT, People, expect_valid, person
from dothi.facades.cap.desk import Desk
from dothi.facades.cap.reading import read_alert
from dothi.facades.cap.settings import WarningSettings
from dothi.model.cap import CapStatus, MsgType, Named, Severity
from dothi.model.problem import Problem, StoreUnavailable
from dothi.model.warning import Step, WarningContent, WarningState, Words
from dothi.ports.warnings import Act
from dothi.storage.relational.notices import notice
from dothi.storage.relational.writing import writing


def act(desk: Desk, warning: int, who: str, reason: str = "") -> Act:
    being = desk.get(warning).open
    assert being is not None
    return Act(warning, who, being.version, reason)


def released(desk: Desk, content: WarningContent = CONTENT) -> int:
    """Lan writes, Lan submits, Minh releases."""
    number = desk.create("incident:3", content, "lan")
    desk.submit(act(desk, number, "lan"))
    desk.release(act(desk, number, "minh"))
    return number


def follow(desk: Desk, number: int, kind: MsgType, reason: str) -> None:
    desk.follow(number, kind, reason, "lan")
    desk.submit(act(desk, number, "lan"))
    desk.release(act(desk, number, "minh"))


def test_what_is_released_is_a_valid_message_of_both_languages(office: Any) -> None:
    desk = office.desk()
    warning = desk.get(released(desk))
    (message,) = warning.released
    expect_valid(message.document)
    alert = read_alert(message.document.encode())
    assert (alert.sender, alert.status, alert.msg_type) == (
        "pctt@example.gov.vn",
        CapStatus.EXERCISE,
        MsgType.ALERT,
    )
    assert "<sent>2026-11-20T17:30:15+07:00</sent>" in message.document
    assert alert.identifier.startswith("urn:uuid:")
    assert alert.incidents == ("incident:3",)
    vi, en = alert.infos
    assert (vi.language, en.language) == ("vi-VN", "en-US")
    assert (vi.event, en.event) == ("Triều cường", "High tide flooding")
    assert vi.event_codes == en.event_codes == (Named("dothi:event", "tide"),)
    assert (
        Named("vn:capDoRuiRo", "2"),
        Named("vn:mauCapDoRuiRo", "vàng nhạt"),
    ) == vi.parameters
    assert [a.description for a in en.areas] == ["Thu Dau Mot ward", "Sai Gon river bank"]
    assert vi.areas[0].geocodes == (Named("vn:maDonViHanhChinh", "25747"),)
    assert warning.state(office.clock.now()) is WarningState.ACTIVE
    assert message.content.sms.startswith("Trieu cuong vuot bao dong III")


def test_neither_author_nor_submitter_nor_editor_releases(office: Any) -> None:
    desk = office.desk(people=People(*map(person, ("lan", "hoa", "minh", "tu"))))
    number = desk.create("", CONTENT, "lan")
    desk.edit(act(desk, number, "hoa"), CONTENT)
    desk.submit(act(desk, number, "minh"))
    for who, code in (("lan", "own_text"), ("hoa", "own_text"), ("minh", "own_submission")):
        with pytest.raises(Problem) as refused:
            desk.release(act(desk, number, who))
        assert (refused.value.code, refused.value.status) == (f"release_{code}", 403)
    assert not desk.get(number).released
    desk.release(act(desk, number, "tu"))
    assert desk.get(number).released[0].released_by == "tu"


def test_one_person_alone_is_told_why(office: Any) -> None:
    alone = People(person("lan"), person("gone", is_active=False))
    desk = office.desk(people=alone)
    number = desk.create("", CONTENT, "lan")
    desk.submit(act(desk, number, "lan"))
    found = desk.refusal(desk.get(number), "lan")
    assert found is not None
    assert found.code == "only_one_person"
    assert "dothi person add" in found.detail
    with pytest.raises(Problem, match="second person"):
        desk.release(act(desk, number, "lan"))


def test_the_administrator_of_no_name_is_neither_of_the_two(office: Any) -> None:
    desk = office.desk()
    number = desk.create("", CONTENT, "administrator")
    desk.submit(act(desk, number, "lan"))
    with pytest.raises(Problem) as refused:
        desk.release(act(desk, number, "administrator"))
    assert refused.value.code == "release_not_a_person"
    desk.give_back(act(desk, number, "minh", "Người trực phải gửi"))
    desk.submit(act(desk, number, "administrator"))
    with pytest.raises(Problem, match="administrator, who submitted it"):
        desk.release(act(desk, number, "minh"))


def test_nothing_is_released_before_it_was_submitted(office: Any) -> None:
    desk = office.desk()
    number = desk.create("", CONTENT, "lan")
    with pytest.raises(Problem) as refused:
        desk.release(act(desk, number, "minh"))
    assert (refused.value.code, refused.value.status) == ("release_not_submitted", 409)


def test_a_submitted_text_cannot_be_changed_behind_the_releaser(office: Any) -> None:
    desk = office.desk()
    number = desk.create("", CONTENT, "lan")
    desk.submit(act(desk, number, "lan"))
    seen = act(desk, number, "minh")
    with pytest.raises(Problem) as refused:
        desk.edit(act(desk, number, "lan"), CONTENT)
    assert refused.value.status == 409
    desk.give_back(act(desk, number, "minh", "Sai giờ"))
    desk.edit(act(desk, number, "lan"), replace(CONTENT, risk_level=3))
    desk.submit(act(desk, number, "lan"))
    with pytest.raises(Problem) as late:
        desk.release(seen)
    assert late.value.code == "warning_version"


def test_a_message_with_errors_is_not_submitted(office: Any) -> None:
    desk = office.desk()
    number = desk.create("", replace(CONTENT, vi=Words("", "", ""), area_ids=("no:such",)), "lan")
    with pytest.raises(Problem) as refused:
        desk.submit(act(desk, number, "lan"))
    assert refused.value.status == 422
    assert "info[0].headline" in refused.value.detail
    assert "no:such" in refused.value.detail


def test_a_message_that_became_unfit_is_not_released(office: Any) -> None:
    desk = office.desk()
    number = desk.create("", CONTENT, "lan")
    desk.submit(act(desk, number, "lan"))
    office.clock.pass_(13 * 3600)
    with pytest.raises(Problem, match="its end is past"):
        desk.release(act(desk, number, "minh"))
    assert not desk.get(number).released


def test_a_chain_refers_to_all_earlier_messages(office: Any) -> None:
    desk = office.desk()
    number = released(desk)
    follow(desk, number, MsgType.UPDATE, "Đỉnh triều cao hơn dự báo")
    office.clock.pass_(60)
    follow(desk, number, MsgType.CANCEL, "Nước đã rút")
    warning = desk.get(number)
    first, update, cancel = (read_alert(m.document.encode()) for m in warning.released)
    assert update.references == (first.reference,)
    assert cancel.references == (first.reference, update.reference)
    assert update.sent_at > first.sent_at
    assert (update.note, cancel.note) == ("Đỉnh triều cao hơn dự báo", "Nước đã rút")
    assert cancel.infos[0].headline.startswith("Hủy: ")
    assert cancel.infos[0].description == "Nước đã rút"
    assert warning.state(office.clock.now()) is WarningState.CANCELLED
    for message in warning.released:
        expect_valid(message.document)
    with pytest.raises(Problem, match="only an active warning"):
        desk.follow(number, MsgType.UPDATE, "x", "lan")


def test_a_follow_up_needs_a_reason_and_one_at_a_time(office: Any) -> None:
    desk = office.desk()
    number = released(desk)
    with pytest.raises(Problem, match="reason"):
        desk.follow(number, MsgType.UPDATE, " ", "lan")
    desk.follow(number, MsgType.UPDATE, "Tin mới", "lan")
    with pytest.raises(Problem) as refused:
        desk.follow(number, MsgType.CANCEL, "Thôi", "hoa")
    assert refused.value.code == "warning_busy"
    desk.discard(act(desk, number, "lan", "Nhầm"))
    assert desk.get(number).state(office.clock.now()) is WarningState.ACTIVE
    desk.follow(number, MsgType.CANCEL, "Thôi", "hoa")


def test_a_warning_expires_by_itself(office: Any) -> None:
    desk = office.desk()
    number = released(desk)
    office.clock.pass_(12 * 3600)
    assert desk.get(number).state(office.clock.now()) is WarningState.EXPIRED
    with pytest.raises(Problem):
        desk.follow(number, MsgType.CANCEL, "Muộn", "lan")


def test_in_drill_mode_only_exercises_are_possible(office: Any) -> None:
    drill = office.desk(WarningSettings(sender="a@example.gov.vn", is_drill=True))
    assert drill.statuses == (CapStatus.EXERCISE,)
    number = drill.create("", replace(CONTENT, status=CapStatus.ACTUAL), "lan")
    with pytest.raises(Problem, match="drill mode"):
        drill.submit(act(drill, number, "lan"))
    real = office.desk()
    real.submit(act(real, number, "lan"))
    with pytest.raises(Problem, match="drill mode"):
        drill.release(act(drill, number, "minh"))
    released(drill)


def test_nothing_actual_leaves_without_a_configured_sender(office: Any) -> None:
    desk = office.desk(WarningSettings())
    number = desk.create("", replace(CONTENT, status=CapStatus.ACTUAL), "lan")
    with pytest.raises(Problem, match=r"\[warnings\]"):
        desk.submit(act(desk, number, "lan"))
    released(desk)


def test_every_step_is_in_the_record(office: Any) -> None:
    desk = office.desk()
    number = desk.create("alarm:12", CONTENT, "lan")
    desk.edit(act(desk, number, "hoa"), replace(CONTENT, risk_level=1))
    desk.submit(act(desk, number, "hoa"))
    desk.give_back(act(desk, number, "minh", "Cấp 2 mới đúng"))
    desk.edit(act(desk, number, "lan"), CONTENT)
    desk.submit(act(desk, number, "lan"))
    desk.release(act(desk, number, "minh"))
    told = [(e.person, e.step, e.reason) for e in desk.events(number)]
    assert told == [
        ("lan", Step.CREATED, ""),
        ("hoa", Step.EDITED, ""),
        ("hoa", Step.SUBMITTED, ""),
        ("minh", Step.RETURNED, "Cấp 2 mới đúng"),
        ("lan", Step.EDITED, ""),
        ("lan", Step.SUBMITTED, ""),
        ("minh", Step.RELEASED, ""),
    ]
    edited = desk.events(number)[1].content
    assert edited is not None
    assert edited.risk_level == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE warning_record SET person = 'x'",
        "DELETE FROM warning_record",
        "UPDATE warning_message SET document = ''",
        "DELETE FROM warning_message",
    ],
)
def test_the_store_refuses_to_change_what_was_recorded(office: Any, statement: str) -> None:
    released(office.desk())
    with (
        pytest.raises(StoreUnavailable, match="only ever added to"),
        writing(office.engine) as connection,
    ):
        connection.execute(text(statement))


def test_people_are_told_when_it_is_submitted_and_released(office: Any) -> None:
    desk = office.desk()
    number = released(desk, replace(CONTENT, status=CapStatus.ACTUAL, severity=Severity.SEVERE))
    with office.engine.connect() as connection:
        rows = connection.execute(select(notice).order_by(notice.c.id)).all()
    assert [row.kind for row in rows] == ["warning.approval", "warning.released"]
    assert {row.subject for row in rows} == {f"warning:{number}"}


def test_the_first_draft_of_a_subject_comes_from_it(office: Any) -> None:
    class Known:
        def content_of(self, subject: str) -> WarningContent | None:
            return CONTENT if subject == "alarm:12" else None

    desk = office.desk(subjects=Known())
    assert desk.get(desk.create("alarm:12", None, "lan")).latest.content == CONTENT
    with pytest.raises(Problem, match="there is no alarm:13"):
        desk.create("alarm:13", None, "lan")
    empty = desk.get(desk.create("", None, "lan")).latest.content
    assert empty.expires_at == NOW.replace(second=0, microsecond=0) + timedelta(hours=12)


def test_an_area_of_another_time_is_refused(office: Any) -> None:
    past = replace(THU_DAU_MOT, id="ward:1:1990-01-01", valid_to=NOW.date())
    office.areas.put([past], [])
    found = office.desk().preview(replace(CONTENT, area_ids=(past.id,)), MsgType.ALERT).findings
    assert "area_past" in [one.code for one in found]


def test_the_preview_of_a_follow_up_wants_no_reference_from_its_author(office: Any) -> None:
    assert office.desk().preview(CONTENT, MsgType.UPDATE).is_fit


def test_a_drawn_area_without_corners_is_an_error(office: Any) -> None:
    empty = replace(CONTENT, area_ids=(), shapes=(replace(CONTENT.shapes[0], polygon=()),))
    preview = office.desk().preview(empty, MsgType.ALERT)
    assert [(one.code, one.level) for one in preview.findings] == [("polygon_too_short", "error")]


def test_hidden_errors_show_once_for_all_languages(office: Any) -> None:
    bow = replace(CONTENT.shapes[0], polygon=((106, 10), (107, 11), (107, 10), (106, 11)))
    found = office.desk().preview(replace(CONTENT, shapes=(bow,)), MsgType.ALERT).findings
    assert [one.code for one in found if one.level == "error"] == ["polygon_crosses"]
