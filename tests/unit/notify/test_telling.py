"""The service: what is put reaches people, whatever happens on the way."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dothi.model.delivery import DeliveryState
from dothi.model.preference import Preference
from dothi.ports.channel import Handed, Letter
from dothi.ports.clock_watch import ClockMark, ClockWatch, SteadyClock
from dothi.ports.notices import NoticeState
from incident_ports import SetClock
from notice_parts import ACCEPTED, DOWN, NOW, Desk, Roster, Sink, notice, person, telling

LAN = person("lan", email="lan@example.org", sms="+84901")
MINH = person("minh", "duty_officer", email="minh@example.org")


def one_by_one(*answers: Handed):
    left = list(answers)
    return lambda _: left.pop(0) if left else ACCEPTED


async def test_what_is_put_is_told_once(tmp_path: Path) -> None:
    mail = Sink()
    async with telling(tmp_path, [LAN], {"email": mail}) as desk:
        desk.put(notice())
        desk.put(notice())
        [letter] = await mail.until(1)
        await desk.until(lambda: desk.state() is DeliveryState.ACCEPTED)
        await asyncio.sleep(0.2)
    assert len(mail.letters) == 1
    assert (letter.person, letter.address, letter.language) == ("lan", "lan@example.org", "vi")
    assert letter.title == "Cảnh báo mức 2 (cao): Mực nước cao – Phú An"
    assert letter.url == "https://hub.example.vn/notices?notice=1"
    assert letter.key == desk.deliveries()[0].delivery.key
    assert [r.state for r in desk.notices.receipts(1)] == ["told", "accepted"]


async def test_it_is_found_without_being_woken(tmp_path: Path) -> None:
    mail = Sink()
    async with telling(tmp_path, [LAN], {"email": mail}) as desk:
        await asyncio.sleep(0.1)
        desk.notices.put([notice()])
        await mail.until(1)


async def test_a_receiver_that_is_down_gets_it_later_under_the_same_key(tmp_path: Path) -> None:
    mail = Sink(answer=one_by_one(DOWN, DOWN, DOWN, DOWN))
    async with telling(tmp_path, [LAN], {"email": mail}) as desk:
        desk.put(notice())
        await mail.until(5)
        await desk.until(lambda: desk.state() is DeliveryState.ACCEPTED)
    assert len({letter.key for letter in mail.letters}) == 1
    assert desk.deliveries()[0].delivery.attempts == 5


async def test_a_dead_channel_and_a_dead_subscriber_delay_nobody(tmp_path: Path) -> None:
    def hook(letter: Letter) -> Handed:
        return DOWN if "dead" in letter.address else ACCEPTED

    slow = Sink("sms", delay_s=30.0)
    hooks = Sink("webhook", hook, per_address=True)
    people = [
        person("a", webhook="https://dead.example/"),
        person("b", webhook="https://live.example/"),
        person("c", sms="+84901"),
    ]
    async with telling(tmp_path, people, {"sms": slow, "webhook": hooks}) as desk:
        began = time.monotonic()
        desk.put(*(notice(f"alarm:{n}") for n in range(20)))
        async with asyncio.timeout(5):
            while sum("live" in one.address for one in hooks.letters) < 20:
                await asyncio.sleep(0.01)
        assert time.monotonic() - began < 3
        assert not slow.letters
        health = {one.name: one for one in desk.service.health()}
        assert health["webhook"].is_down
        assert not health["sms"].is_down
        desk.service.lanes._stopping.set()  # the slow one is not waited for
        for task in list(desk.service.lanes._tasks.values()):
            task.cancel()


async def test_the_next_channel_takes_over_when_one_is_down(tmp_path: Path) -> None:
    sms, mail = Sink("sms", lambda _: DOWN), Sink("email")
    async with telling(tmp_path, [LAN], {"sms": sms, "email": mail}) as desk:
        desk.put(notice())
        await mail.until(1)
        await desk.until(
            lambda: (
                {r.delivery.state for r in desk.deliveries()}
                == {DeliveryState.SPARED, DeliveryState.ACCEPTED}
            )
        )
        tried = len(sms.letters)
        await asyncio.sleep(0.4)
        assert len(sms.letters) == tried
    assert tried > 1


async def test_the_next_channel_takes_over_at_once_when_one_refuses(tmp_path: Path) -> None:
    sms = Sink("sms", lambda _: Handed(DeliveryState.FAILED, "no such number"))
    mail = Sink("email")
    async with telling(tmp_path, [LAN], {"sms": sms, "email": mail}, fallback_s=60.0) as desk:
        desk.put(notice())
        await mail.until(1)
        assert len(sms.letters) == 1
        await desk.until(lambda: desk.state(1) is DeliveryState.ACCEPTED)


async def test_without_an_answer_the_next_position_is_told_until_somebody_answers(
    tmp_path: Path,
) -> None:
    mail = Sink()
    people = [LAN, MINH, person("hoa", "leader")]
    async with telling(tmp_path, people, {"email": mail}) as desk:
        desk.put(notice(answer_within_s=0.5))
        await mail.until(2)
        assert [letter.person for letter in mail.letters] == ["lan", "minh"]
        desk.notices.answer(1, "minh", "đã rõ", datetime.now(UTC))
        await asyncio.sleep(0.8)
        assert len(mail.letters) == 2
        assert desk.stored().state is NoticeState.ANSWERED


async def test_when_nobody_answers_it_stays_visible(tmp_path: Path) -> None:
    mail = Sink()
    async with telling(tmp_path, [LAN], {"email": mail}) as desk:
        desk.put(notice(answer_within_s=0.1))
        await desk.until(lambda: desk.stored().state is NoticeState.UNANSWERED)
    assert desk.notices.counts() == {"unanswered": 1}


async def test_whoever_comes_on_duty_is_told_what_nobody_heard(tmp_path: Path) -> None:
    mail = Sink()
    async with telling(tmp_path, [LAN], {"email": mail}) as desk:
        desk.people.off.add("lan")
        desk.put(notice())
        await desk.until(lambda: desk.stored().state is NoticeState.NOBODY)
        desk.people.off.clear()
        await mail.until(1)


async def test_timers_and_letters_survive_a_restart(tmp_path: Path) -> None:
    mail = Sink(answer=lambda _: DOWN)
    async with telling(tmp_path, [LAN, MINH], {"email": mail}) as desk:
        desk.put(notice(answer_within_s=0.6))
        await mail.until(1)
    await asyncio.sleep(0.7)
    again = Sink()
    async with telling(tmp_path, [LAN, MINH], {"email": again}):
        await again.until(2)
    assert [letter.person for letter in again.letters] == ["lan", "minh"]
    assert again.letters[0].key == mail.letters[0].key


async def test_a_defect_of_a_channel_is_an_attempt_that_failed(tmp_path: Path) -> None:
    calls = []

    def broken(letter: Letter) -> Handed:
        calls.append(letter)
        if len(calls) == 1:
            raise RuntimeError("oops")
        return ACCEPTED

    async with telling(tmp_path, [LAN], {"email": Sink(answer=broken)}) as desk:
        desk.put(notice())
        await desk.until(lambda: desk.state() is DeliveryState.ACCEPTED)
    assert len(calls) == 2


async def test_what_is_never_taken_is_given_up_in_the_end(tmp_path: Path) -> None:
    mail = Sink(answer=lambda _: DOWN)
    async with telling(tmp_path, [LAN], {"email": mail}, keep_s=0.3) as desk:
        desk.put(notice())
        await desk.until(lambda: desk.state() is DeliveryState.FAILED)
    assert desk.deliveries()[0].detail == "given up: no route"


async def test_a_report_makes_delivered_of_accepted(tmp_path: Path) -> None:
    sms = Sink("sms", lambda _: Handed(DeliveryState.ACCEPTED, references=("m1",)))
    async with telling(tmp_path, [person("lan", sms="+84901")], {"sms": sms}) as desk:
        report = desk.service._report
        desk.put(notice())
        await sms.until(1)
        assert await report("sms", ["x", "m1"], DeliveryState.DELIVERED, "DELIVRD")
        assert desk.state() is DeliveryState.DELIVERED
        assert not await report("sms", ["unknown"], DeliveryState.DELIVERED, "DELIVRD")


async def test_preferences_are_read_anew(tmp_path: Path) -> None:
    mail = Sink()
    async with telling(tmp_path, [LAN], {"email": mail}) as desk:
        desk.preferences.put(Preference("lan", language="en"))
        desk.put(notice())
        assert (await mail.until(1))[0].language == "en"


async def test_measures_tell_of_every_channel(tmp_path: Path) -> None:
    async with telling(tmp_path, [LAN], {"email": Sink(answer=lambda _: DOWN)}) as desk:
        desk.put(notice())
        await desk.until(lambda: bool(desk.service.health()[0].is_down))
        measures = {m.name: m for m in desk.service.measures()}
        assert list(measures["dothi_notice_waiting"].samples) == [({"channel": "email"}, 1.0)]
        assert next(iter(measures["dothi_notice_endpoints_down"].samples))[1] == 1.0


async def test_when_the_clock_is_set_escalation_keeps_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time passes only where the test says so; what was planned wrongly would be stored."""
    clock, mail, rounds = SetClock(NOW), Sink(), []
    steady = SteadyClock(clock.elapsed, "one")
    desk = Desk(tmp_path, Roster([LAN, MINH]), {"email": mail}, clock=clock, steady=steady)
    looks = desk.queue.next_at
    monkeypatch.setattr(desk.queue, "next_at", lambda: rounds.append(1) or looks())

    async def planned_after(passed_s: float = 0.0, set_h: float = 0.0) -> int:
        """Deliveries there are after whole rounds of the service, once the clock shows that."""
        clock.pass_(seconds=passed_s)
        clock.set_(hours=set_h)
        begun = len(rounds)
        await desk.until(lambda: len(rounds) >= begun + 3)
        return len(desk.deliveries())

    await desk.service.start()
    try:
        desk.put(notice(answer_within_s=60.0))
        await mail.until(1)
        assert await planned_after(passed_s=10) == 1
        assert await planned_after(set_h=2) == 1, "a jump forward must not escalate at once"
        assert await planned_after(set_h=-4) == 1
        assert await planned_after(passed_s=49.9) == 1
        assert await planned_after(passed_s=0.2) == 2, "nor a jump backwards late"
        await mail.until(2)
    finally:
        await desk.service.stop()
        desk.engine.dispose()


async def test_a_clock_that_is_set_while_nobody_tells_keeps_its_time_too(tmp_path: Path) -> None:
    clock = SetClock(NOW)
    changes = {"clock": clock, "steady": SteadyClock(clock.elapsed, "one")}
    roster = Roster([LAN, MINH])
    desk = Desk(tmp_path, roster, {"email": Sink()}, **changes)
    await desk.service.start()
    desk.put(notice(answer_within_s=60.0))
    await desk.until(lambda: desk.state() is DeliveryState.ACCEPTED)
    await desk.service.stop()
    next_at = desk.queue.next_at()
    assert next_at is not None
    clock.pass_(seconds=10)
    clock.set_(hours=2)
    again = Desk(tmp_path, roster, {"email": Sink()}, **changes)
    await again.service.start()
    await again.until(lambda: again.queue.next_at() == next_at + timedelta(hours=2))
    await again.service.stop()
    assert len(again.deliveries()) == 1
    for one in (desk, again):
        one.engine.dispose()


def test_only_a_clock_that_was_set_counts_as_a_jump() -> None:
    watch = ClockWatch(ClockMark(NOW, 0.0, "one"))

    def jump(ran_s: float, wall_s: float) -> timedelta:
        seen = ClockMark(NOW + timedelta(seconds=wall_s), ran_s, "one")
        found = watch.jump(seen)
        watch.mark = seen
        return found

    assert jump(10, 11) == timedelta()
    assert jump(20, 3621) == timedelta(seconds=3600)
    assert jump(30, 31) == timedelta(seconds=-3600)
