"""Many alarms within a short time are one message, urgent ones still come one by one."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from dothi.model.notice import Notice
from dothi.model.preference import Preference
from dothi.model.priority import Priority
from dothi.notify.dispatch.storm import STORM, StormLimits, Storms, summary_of
from dothi.ports.notices import NoticeQuestion, NoticeState, StoredNotice
from notice_parts import NOW, Sink, notice, person, telling

LAN = person("lan", email="lan@example.org")
LIMITS = StormLimits(alarms=5, within_s=60.0, every_s=300.0)
S = timedelta(seconds=1)


def alarm(n: int, priority: int = 3, **changes: object) -> Notice:
    title = {"title": "Nước lên nhanh", "title_en": "Rises fast", "place": f"Trạm {n % 4}"}
    return notice(f"alarm:{n}", priority, parameters=title, **changes)


def stored(*notices: Notice, at: datetime = NOW) -> list[StoredNotice]:
    return [StoredNotice(n, one, NoticeState.NEW, (), at, None) for n, one in enumerate(notices, 1)]


def few(count: int, first: int = 0) -> list[StoredNotice]:
    return stored(*(alarm(first + n) for n in range(count)))


def test_a_few_are_told_one_by_one() -> None:
    storms = Storms(LIMITS)
    assert len(storms.sort(few(3), NOW).singles) == 3
    assert len(storms.sort(few(2), NOW + 30 * S).singles) == 2
    later = storms.sort(few(5), NOW + 100 * S)
    assert (len(later.singles), later.summaries) == (5, [])


def test_more_than_the_limit_within_the_time_are_summed_up() -> None:
    storms = Storms(LIMITS)
    storms.sort(few(4), NOW)
    found = storms.sort(few(2), NOW + 30 * S)
    assert (found.singles, len(found.summaries)) == ([], 1)
    assert {one.state for one in found.planned} == {NoticeState.TOLD}


def test_urgent_ones_and_those_that_want_an_answer_are_never_held() -> None:
    urgent = [alarm(n, priority=1 + n % 2) for n in range(20)]
    wanting = [alarm(n, answer_within_s=300.0) for n in range(20, 40)]
    other = [alarm(n, kind="step.overdue") for n in range(40, 60)]
    found = Storms(LIMITS).sort(stored(*urgent, *wanting, *other), NOW)
    assert (len(found.singles), found.planned) == (60, [])


def test_while_it_lasts_there_is_a_summary_now_and_then() -> None:
    storms = Storms(LIMITS)
    assert len(storms.sort(few(50), NOW).summaries) == 1
    held = storms.sort(few(10, 50), NOW + 20 * S)
    assert held.summaries == []
    assert {(one.state, one.next_at) for one in held.planned} == {(NoticeState.NEW, NOW + 300 * S)}
    again = storms.sort(few(10, 50), NOW + 300 * S)
    assert len(again.summaries) == 1
    calm = storms.sort(few(3, 70), NOW + 601 * S)
    assert len(calm.summaries) == 1, "the rest of the storm"
    assert len(storms.sort(few(3, 80), NOW + 610 * S).singles) == 3, "it is over"


def test_a_storm_that_went_quiet_is_over() -> None:
    storms = Storms(LIMITS)
    storms.sort(few(50), NOW)
    assert len(storms.sort(few(2, 60), NOW + 3600 * S).singles) == 2


def test_those_of_other_positions_are_counted_apart() -> None:
    mine = [alarm(n) for n in range(4)]
    others = [alarm(n, positions=("leader",)) for n in range(4, 8)]
    assert len(Storms(LIMITS).sort(stored(*mine, *others), NOW).singles) == 8


def test_off_means_one_by_one() -> None:
    off = Storms(StormLimits(0, 60.0, 300.0))
    assert len(off.sort(few(500), NOW).singles) == 500


def test_a_summary_says_how_many_of_what_and_where() -> None:
    notices = [alarm(n, 3 + (n == 0)) for n in range(9)]
    notices.append(alarm(9, kind="alarm.escalated"))
    made = summary_of(stored(*notices), NOW)
    told = made.parameters
    assert (made.kind, made.priority, made.positions) == (STORM, Priority.MEDIUM, ("operator",))
    assert (told["count"], told["medium"], told["low"], told["unanswered"]) == ("10", "9", "1", "1")
    assert (told["most"], told["most_en"]) == ("Nước lên nhanh (10)", "Rises fast (10)")
    assert told["places"] == "Trạm 0 (3), Trạm 1 (3), Trạm 2 (2), +1"
    assert summary_of(stored(*notices), NOW + 9 * S).id == made.id


async def test_people_get_one_summary_in_their_language_and_as_they_chose(tmp_path: Path) -> None:
    mail = Sink()
    people = [
        LAN,
        person("hoa", email="hoa@example.org"),
        person("minh", email="minh@example.org"),
        person("an", email="an@example.org"),
    ]
    async with telling(tmp_path, people, {"email": mail}, storm_alarms=5) as desk:
        desk.preferences.put(Preference("minh", least_priority=Priority.HIGH))
        desk.preferences.put(Preference("hoa", kinds=("alarm.raised",), language="en"))
        desk.preferences.put(Preference("an", kinds=("incident.*",)))
        desk.put(*(alarm(n) for n in range(300)), alarm(300, 1), alarm(301, 2))
        await mail.until(8)
        await asyncio.sleep(0.3)
    told = {
        name: sorted(one.title for one in mail.letters if one.person == name)
        for name in ("lan", "hoa", "minh", "an")
    }
    assert [len(told[name]) for name in ("lan", "hoa", "minh", "an")] == [3, 3, 2, 1]
    assert "300 cảnh báo dồn dập" in told["lan"]
    assert "300 alarms within a short time" in told["hoa"]
    [summary] = desk.notices.page(NoticeQuestion(kind=STORM))
    assert summary.state is NoticeState.TOLD
    [first] = desk.notices.page(NoticeQuestion(subject="alarm:0"))
    assert first.state is NoticeState.TOLD
    assert summary.notice.id in desk.notices.receipts(first.number)[0].detail


async def test_what_waits_for_a_summary_survives_a_restart(tmp_path: Path) -> None:
    mail = Sink()
    given = {"storm_alarms": 5, "storm_every_s": 1.0}
    async with telling(tmp_path, [LAN], {"email": mail}, **given) as desk:
        desk.put(*(alarm(n) for n in range(50)))
        await mail.until(1)
        desk.put(*(alarm(n) for n in range(50, 70)))
        await asyncio.sleep(0.3)
        assert len(mail.letters) == 1
    async with telling(tmp_path, [LAN], {"email": mail}, **given) as desk:
        await mail.until(2)
        await asyncio.sleep(0.3)
    assert [one.title for one in mail.letters] == ["50 cảnh báo dồn dập", "20 cảnh báo dồn dập"]
    assert "new" not in desk.notices.counts()
