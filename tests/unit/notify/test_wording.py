"""What people read: both languages, every kind, and no SMS too long."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.notify.wording.sms import GSM_ONE, UCS_ONE, fits, is_gsm, plain, units
from dothi.notify.wording.templates import LANGUAGES, OTHER, read_templates
from dothi.notify.wording.words import Wording

TEMPLATES = read_templates()
SOURCE = Path(__file__).parents[3] / "src" / "dothi"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
KINDS = sorted(TEMPLATES["vi"])
EVERY = pytest.mark.parametrize("kind", KINDS)
BOTH = pytest.mark.parametrize("language", LANGUAGES)


def notice(kind: str, **parameters: str) -> Notice:
    return Notice("n", kind, NOW, Priority.HIGH, "alarm:12", parameters)


def sample(kind: str, language: str) -> Notice:
    return notice(kind, **TEMPLATES[language][kind].sample)


def wording(**changes: object) -> Wording:
    return Wording(TEMPLATES, ZONE, "https://hub.example.vn/", **changes)  # type: ignore[arg-type]


def test_every_kind_has_both_languages() -> None:
    assert sorted(TEMPLATES["en"]) == KINDS
    assert OTHER in KINDS


def test_every_kind_that_the_program_makes_has_words() -> None:
    made = set()
    for part in ("alarms", "incidents", "duty", "facades/cap", "api"):
        for path in (SOURCE / part).rglob("*.py"):
            made |= set(
                re.findall(
                    r'"((?:alarm|shelf|incident|task|step|warning|shift)\.[a-z]+)"',
                    path.read_text(),
                )
            )
    assert made - set(KINDS) == set()
    assert {"alarm.raised", "incident.opened", "step.overdue", "warning.released"} <= made


@BOTH
@EVERY
def test_nothing_is_missing_in_the_sample(kind: str, language: str) -> None:
    words = wording().words(sample(kind, language), language, 3)
    for text in (words.title, words.text, words.short):
        assert "{" not in text
        assert "–" not in text.replace(" – ", " ")
    assert "\n" not in words.title
    assert kind in {"test"} or "https://hub.example.vn/notices?notice=3" in words.text


@BOTH
@EVERY
def test_the_sample_fits_into_one_sms_uncut(kind: str, language: str) -> None:
    short = wording().words(sample(kind, language), language, 3).short
    assert is_gsm(short)
    assert units(short) <= GSM_ONE
    assert not short.endswith("...")


@BOTH
@EVERY
def test_with_diacritics_it_fits_into_one_sms_too(kind: str, language: str) -> None:
    short = wording(has_diacritics=True).words(sample(kind, language), language, 3).short
    assert fits(short)
    assert units(short) <= (GSM_ONE if is_gsm(short) else UCS_ONE)


def test_vietnamese_keeps_its_diacritics_where_they_are_wanted() -> None:
    given_notice = notice("incident.opened", title="Vỡ đê", by="trực ban")
    assert wording().words(given_notice, "vi", 1).short == "Su co moi muc 2 21:05: Vo de"
    with_marks = wording(has_diacritics=True).words(given_notice, "vi", 1).short
    assert with_marks == "Sự cố mới mức 2 21:05: Vỡ đê"
    assert "Vỡ đê" in wording().words(given_notice, "vi", 1).title


@given(
    title=st.text(max_size=400),
    text=st.text(max_size=400),
    has_diacritics=st.booleans(),
    parts=st.integers(1, 3),
    kind=st.sampled_from(KINDS),
    language=st.sampled_from(LANGUAGES),
)
def test_no_sms_is_ever_too_long(
    title: str, text: str, has_diacritics: bool, parts: int, kind: str, language: str
) -> None:
    made = wording(has_diacritics=has_diacritics, sms_parts=parts)
    short = made.words(notice(kind, title=title, text=text, headline=title), language, 1).short
    assert fits(short, parts)
    assert has_diacritics or is_gsm(short)
    assert "\n" not in short


def test_the_longest_part_is_cut_and_the_rest_stays() -> None:
    cut = wording().words(
        notice("alarm.raised", title="Mực nước", place="Phú An", text="x" * 300), "vi", 1
    )
    assert cut.short.startswith("Canh bao muc 2 21:05: Muc nuoc, Phu An: xxx")
    assert cut.short.endswith("x...")
    assert units(cut.short) == GSM_ONE
    assert "x" * 300 in cut.text


def test_a_line_without_its_parameters_is_left_out() -> None:
    text = wording().words(notice("alarm.raised", title="A", at="2026-11-27T14:05:00Z"), "en", 1)
    assert "Place" not in text.text
    assert "Since 21:05 27/11/2026" in text.text


def test_parameters_speak_the_language_of_the_reader() -> None:
    both = notice("alarm.raised", title="Ngập", title_en="Flood", headline_vi="x")
    assert "Ngập" in wording().words(both, "vi", 1).title
    assert "Flood" in wording().words(both, "en", 1).title


def test_parameters_are_text_and_nothing_else() -> None:
    words = wording().words(notice("alarm.raised", title="{url}\r\nBcc: x", place="{0}"), "en", 1)
    assert "{url} Bcc: x" in words.title
    assert "\n" not in words.title


def test_what_is_made_up_says_so_in_front() -> None:
    marked = wording(mark={"vi": "[VÍ DỤ]", "en": "[EXAMPLE]"})
    words = marked.words(sample("alarm.raised", "vi"), "vi", 1)
    assert words.title.startswith("[VÍ DỤ] ")
    assert words.text.startswith("[VÍ DỤ] ")
    assert words.short.startswith("[VI DU] ")
    assert units(words.short) <= GSM_ONE


def test_a_kind_without_words_is_told_nevertheless() -> None:
    words = wording().words(notice("pump.broken", pump="P-7"), "en", 1)
    assert words.title == "pump.broken: alarm:12"
    assert "pump: P-7" in words.text
    assert words.short == "pump.broken alarm:12 21:05: pump: P-7"


def test_own_templates_replace_single_kinds(tmp_path: Path) -> None:
    (tmp_path / "vi.toml").write_text('[test]\ntitle = "Thử"\ntext = "Thử"\nshort = "Thử"\n')
    found = read_templates(tmp_path)
    assert found["vi"]["test"].title == "Thử"
    assert found["en"] == TEMPLATES["en"]
    (tmp_path / "en.toml").write_text("[test]\ntitel = 1\n")
    with pytest.raises(Problem, match="titel"):
        read_templates(tmp_path)


def test_the_alphabet_of_sms() -> None:
    assert plain("Đường Nguyễn Huệ, 3 m³ ≥ 2 “x”…") == 'Duong Nguyen Hue, 3 m3 >= 2 "x"...'
    assert plain("雨") == "?"
    assert units("[a]") == 5
    assert units("ạ") == 1
    assert units("😀") == 2
