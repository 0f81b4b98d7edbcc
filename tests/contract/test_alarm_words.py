"""Words are found in alarms, with the index of trigrams and without it."""

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from alarm_parts import PHU_AN, transition
from dothi.model.alarm import Place, RuleFacts
from dothi.ports.alarms import AlarmQuery
from dothi.storage.relational import alarm_words
from dothi.storage.relational.migrations.versions import v0021_alarm_words
from tests.contract.conftest import Opener
from tests.contract.test_alarms import Desk


@pytest.mark.parametrize("few", [0, 5_000], ids=["common words", "rare words"])
def test_words_are_found_whatever_their_case_and_diacritics(
    reopen: Opener, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(alarm_words, "_FEW", few)
    desk = Desk(reopen)
    names = ("Trạm đo mực nước Phú An", "Cống Nhà Bè", 'Trạm "số 7" Thủ Đức')
    facts = lambda rule, _version: RuleFacts(title=f"Nước {rule}", title_en="Water")  # noqa: E731
    for n, name in enumerate(names):
        places = {f"urn:s:{n}": Place(f"urn:s:{n}", "WaterObserved", name)}
        one = transition(at_s=n * 60, entity=f"urn:s:{n}")
        desk.take(one, facts=facts, places=places)

    def found(words: str) -> list[str]:
        return sorted(a.place.entity[-1] for a in desk.reader.page(AlarmQuery(text=words)))

    assert found("nuoc") == found("NƯỚC") == found("nuo") == ["0", "1", "2"]
    assert found("muc nuoc") == ["0"]
    assert found("nha be") == found("bè cống") == ["1"]
    assert found("thu duc") == ["2"], "đ is d"
    assert found('"số') == found('so 7"') == ["2"]
    assert found("so") == ["2"], "too short for the index"
    assert found("nuocx") == found("cuon nuoc") == []
    assert found("uoc oc") == ["0", "1", "2"]
    assert found("\0an") == found("an\0 nuoc") == []
    # Text changes with the next activation, and the old one is no longer found.
    desk.take(transition(False, 120, entity="urn:s:0"))
    again = replace(transition(at_s=180, entity="urn:s:0"), text="rất cao: 2,75 m", text_en="")
    desk.take(again)
    assert found("rat cao") == found("2,75") == ["0"]
    assert found("1.62") == ["1", "2"]


def test_words_of_alarms_that_were_there_before_the_index_are_found(reopen: Opener) -> None:
    desk = Desk(reopen)
    desk.take(transition(), places={PHU_AN: Place(PHU_AN, "WaterObserved", "Mực nước Phú An")})
    with desk.engine.begin() as connection:
        before = v0021_alarm_words.down_revision
        connection.execute(text("DROP TABLE alarm_words"))
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": before})
    desk = Desk(reopen)
    assert len(desk.reader.page(AlarmQuery(text="muc nuoc"))) == 1
    assert desk.reader.page(AlarmQuery(text="muc nuac")) == []
