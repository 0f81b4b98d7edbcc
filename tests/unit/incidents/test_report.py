"""The after-action report: from the record alone, in both languages, as HTML and PDF."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from databases import lay_database
from dothi.app.incidents.typesetting import typeset
from dothi.incidents import desk, timeline
from dothi.incidents.centre import Subject
from dothi.incidents.conduct import Answered, act_on_step
from dothi.incidents.desk import Opening
from dothi.incidents.report.as_html import as_html
from dothi.incidents.report.as_typst import as_typst
from dothi.incidents.report.build import Beside, build_report
from dothi.incidents.report.document import Document, Grid
from dothi.incidents.report.words import EN, VI
from dothi.incidents.timeline import NewTask, Note, TaskEdit
from dothi.model.incident import EntryKind, EvidenceFile, IncidentState, Severity, TaskState
from dothi.model.incident_record import Record
from dothi.storage.relational.engine import open_sqlite
from incident_ports import NOW, PROCEDURES, Desk, open_desk

EVIL = '#panic("x") $ \\ <b>đậm</b> "nháy" `mã` @nhãn ỡ\u0007'


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[tuple[Desk, Record]]:
    """A flood evening of the example procedure, with everything that a record may hold."""
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    made = open_desk(engine)
    path = PROCEDURES / "flood_evening.toml"
    made.library.add(path.read_text(encoding="utf-8"), path.name, "test", NOW)
    yield made, play(made)
    engine.dispose()


def play(made: Desk) -> Record:
    opening = Opening(
        "Ngập đường Võ Minh Đức do triều cường",
        Severity.SERIOUS,
        "Nước tràn kè, giao thông ùn tắc ở ngã tư.",
        origin="Dữ liệu ví dụ",
    )
    subjects = [Subject(made.alarms.raise_(12)), Subject("camera:urn:c:1", "Cầu Phú Cường")]
    record = made.centre.open(opening, subjects, "flood-evening", "lan")
    number, book = record.incident.id, made.library.book

    def do(decide: Any, **passed: float) -> None:
        made.clock.pass_(**passed)
        made.centre.escalate()
        made.centre.change(number, "lan", decide)

    def step(name: str, reason: str = "", action: str = "finish", **answers: Any) -> Any:
        done = Answered(action, answers, reason)
        return lambda r, a: act_on_step(r, 1, name, done, book, a)

    def write(kind: EntryKind, text: str, **more: Any) -> Any:
        return lambda r, a: timeline.write(r, Note(kind, text, **more), a)

    file = EvidenceFile(0, "ảnh hiện trường.png", "image/png", 1_234_567, "ab" * 32, "lan", NOW)
    do(lambda r, a: desk.move(r, IncidentState.IN_PROGRESS, "Có ngập", 1, a), minutes=3)
    do(step("confirm", is_real="flooding", depth_m=0.35, seen_by="Tổ trực phường"), minutes=5)
    do(lambda r, a: desk.edit(r, desk.Edit(severity=Severity.CRITICAL, reason="Lan rộng"), 2, a))
    do(lambda r, a: desk.inform(r, "Công an phường", "điện thoại", None, a), minutes=2)
    do(lambda r, a: timeline.add_file(r, file, "Ảnh từ tổ trực", a), minutes=1)
    do(step("close_road", closed_at=NOW.isoformat(), picture=1), minutes=40)
    do(step("inform", all_told=True), minutes=1)
    do(step("warn", decision="no"), minutes=1)
    do(write(EntryKind.DECISION, "Cho xe buýt đi vòng"), minutes=1)
    do(write(EntryKind.MESSAGE, "Đường đã rào", to="Sở Giao thông"), minutes=1)
    do(write(EntryKind.NOTE, EVIL), minutes=1)
    do(write(EntryKind.CORRECTION, "Rào lúc 18:40", refers_to=5), minutes=1)
    do(write(EntryKind.COST, "Bao cát", amount=12_500_000, currency="VND"), minutes=1)
    do(lambda r, a: timeline.add_task(r, NewTask("Bơm nước hầm chui", "minh"), a))
    do(lambda r, a: timeline.change_task(r, 1, TaskEdit(TaskState.DONE), 1, a), hours=1)
    do(step("reopen", "still_flooded", "pause"), minutes=1)
    do(step("reopen", action="resume"), hours=2)
    do(step("reopen", opened_at=NOW.isoformat()), hours=1)
    do(step("review", "Họp ngày mai", "skip"), minutes=1)
    do(lambda r, a: desk.move(r, IncidentState.CLOSED, "Nước rút", 3, a), minutes=1)
    do(write(EntryKind.LESSON, "Đặt thêm một trạm đo ở hạ lưu"), minutes=1)
    return made.centre.get(number)


def document(evening: tuple[Desk, Record], lang: str) -> Document:
    made, record = evening
    return build_report(record, made.library.book, lang, made.clock.now())


def test_both_languages_have_the_same_words() -> None:
    assert VI.keys() == EN.keys()


def test_the_report_says_what_was_kept_and_what_was_missed(evening: tuple[Desk, Record]) -> None:
    text = as_html(document(evening, "vi"))
    for said in (
        "Báo cáo sau sự cố: Ngập đường Võ Minh Đức do triều cường",
        "Dữ liệu không thật: Dữ liệu ví dụ",
        "Quy trình mẫu, không phải văn bản chính thức.",
        "đúng hạn",
        "quá hạn 13 phút",
        "bỏ qua: Họp ngày mai",
        "Tạm dừng: Nước chưa rút",
        "Độ sâu ngập tại điểm sâu nhất: 0,35 m",
        "Mức độ: từ 2, nghiêm trọng sang 1, đặc biệt nghiêm trọng",
        "12.500.000 VND",
        "Sửa mục 5",
        "Cho xe buýt đi vòng",
        "Đặt thêm một trạm đo ở hạ lưu",
        "Bài học do người nhập tay",
        "18:00 26/11/2026",
        "1,2 MB",
        "&lt;b&gt;đậm&lt;/b&gt;",
    ):
        assert said in text, said
    assert "<b>đậm" not in text


def test_the_english_report_holds_no_vietnamese_words_of_the_program(
    evening: tuple[Desk, Record],
) -> None:
    text = as_html(document(evening, "en"))
    for said in ("late by 13 min", "in time", "Close the flooded road", "0.35 m", "Lessons"):
        assert said in text, said
    assert text.count("High water at gauge 12") == 2  # in the timeline, and among the alarms
    for word in ("đúng hạn", "Bước", "Rào chắn đoạn", "Quy trình mẫu", "Mực nước cao"):
        assert word not in text, word


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_people_and_alarms_have_names_everywhere(evening: tuple[Desk, Record], lang: str) -> None:
    made, record = evening
    people = {"lan": "Người Mẫu", "binh": "Người Khác"}
    beside = Beside(name_of=lambda one: people.get(one, one))
    document = build_report(record, made.library.book, lang, made.clock.now(), beside)
    for text in (as_html(document), as_typst(document)):
        assert people["lan"] in text
        assert not re.search(r"\b(lan|binh|alarm:12)\b", text)


def test_the_same_record_gives_the_same_report(evening: tuple[Desk, Record]) -> None:
    assert document(evening, "vi") == document(evening, "vi")
    grids = [b for b in document(evening, "vi").blocks if isinstance(b, Grid)]
    timeline_rows = next(g for g in grids if g.head[0] == "#").rows
    assert len(timeline_rows) == len(evening[1].entries)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_pdf_is_set_with_the_own_font(evening: tuple[Desk, Record], lang: str) -> None:
    made = typeset(as_typst(document(evening, lang)))
    assert made.startswith(b"%PDF-")
    fonts = {f for f in (b"NotoSans-Regular", b"NotoSans-SemiBold") if f in made}
    assert fonts == {b"NotoSans-Regular", b"NotoSans-SemiBold"}
    assert b"Libertinus" not in made, "a glyph is missing in the own font"
