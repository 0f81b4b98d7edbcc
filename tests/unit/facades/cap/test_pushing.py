"""Released public messages reach receivers outside: signed, in order, once, and none waits for
another."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.facades.cap.test_desk import act, follow, released

from cap_samples import CONTENT, expect_valid
from dothi.access.egress import egress_policy
from dothi.facades.cap.pushing import CapPush, Patience, PushPorts
from dothi.facades.cap.settings import CapReceiver
from dothi.model.cap import CapStatus, MsgType, Scope
from dothi.notify.webhook.channel import signature
from dothi.notify.webhook.client import HttpClient
from dothi.notify.webhook.documents import CapturedDocuments, DocumentWebhook
from dothi.ports.notifier import DocumentNotifier
from dothi.storage.relational.cursors import RelationalCursors
from http_sink import Got, HttpSink, Sunk, sinking

KEY = b"0123456789abcdef01234567"
QUICK = Patience(0.01, 0.01, 0.05, 3600)
BOTH: Any = ("Actual", "Exercise")


def webhook(url: str, allow: tuple[str, ...] = ("127.0.0.0/8",)) -> DocumentWebhook:
    return DocumentWebhook(HttpClient(egress_policy(allow)), url, KEY, 1.0)


@asynccontextmanager
async def pushing(
    office: Any, notifiers: Mapping[str, DocumentNotifier], statuses: Any = BOTH
) -> AsyncIterator[CapPush]:
    receivers = {
        name: CapReceiver(
            url=f"http://lan:secret@{name}/in?key=1", secret_file="", statuses=statuses
        )
        for name in notifiers
    }
    cursors = RelationalCursors(office.engine)
    push = CapPush(receivers, PushPorts(office.warnings, cursors, office.clock, notifiers), QUICK)
    await push.start()
    try:
        yield push
    finally:
        await push.stop()


async def until(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


def identifiers(sink: HttpSink) -> list[str]:
    return [got.headers["webhook-id"] for got in sink.requests]


def documents(office: Any, *warnings: int) -> list[str]:
    found = [office.warnings.get(number).released for number in warnings]
    return [message.identifier for chain in found for message in chain]


async def test_a_receiver_gets_the_message_itself_and_can_check_who_sent_it(office: Any) -> None:
    desk = office.desk()
    released(desk)  # before the receiver was named: it is not its concern
    async with sinking() as sink, pushing(office, {"tv": webhook(sink.url)}) as push:
        number = released(desk)
        await until(lambda: push.views()[0].taken)
    (message,) = desk.get(number).released
    (got,) = sink.requests
    assert got.body.decode() == message.document
    expect_valid(got.body.decode())
    assert got.headers["content-type"] == "application/cap+xml"
    assert got.headers["webhook-id"] == message.identifier
    assert got.headers["idempotency-key"] == f'"{message.identifier}"'
    at = got.headers["webhook-timestamp"]
    assert got.headers["webhook-signature"] == signature(KEY, message.identifier, at, got.body)
    assert base64.b64encode(KEY).decode() not in str(got)
    assert push.views()[0].url == "http://tv/in"


async def test_only_public_messages_of_the_statuses_asked_for(office: Any) -> None:
    desk = office.desk()
    actual = replace(CONTENT, status=CapStatus.ACTUAL)
    async with sinking() as sink, pushing(office, {"tv": webhook(sink.url)}, ("Actual",)) as push:
        released(desk)  # an exercise
        released(desk, replace(actual, scope=Scope.RESTRICTED, restriction="police"))
        number = released(desk, actual)
        await until(lambda: push.views()[0].taken)
    assert identifiers(sink) == documents(office, number)


async def test_a_dead_receiver_delays_nobody_and_loses_nothing(office: Any) -> None:
    desk, status = office.desk(), 503

    def answer(_got: Got) -> Sunk:
        return Sunk(status)

    async with sinking() as good, sinking(answer) as dead:
        ways = {"good": webhook(good.url), "dead": webhook(dead.url)}
        async with pushing(office, ways) as push:
            number = released(desk)
            follow(desk, number, MsgType.UPDATE, "Nước lên nữa")
            await until(lambda: push.views()[0].taken == 2 and push.views()[1].is_down)
            assert push.views()[1].last_error == "answered with status 503"
            assert len(set(identifiers(dead))) == 1, "the update waits for its alert"
        status = 204
        dead.requests.clear()
        ways = {"good": webhook(good.url), "dead": webhook(dead.url)}
        async with pushing(office, ways) as push:  # after a restart
            await until(lambda: push.views()[1].taken == 2)
            assert not push.views()[1].is_down
    expected = documents(office, number)
    assert len(expected) == 2
    assert identifiers(dead) == expected
    assert identifiers(good) == expected, "and nothing twice"


async def test_what_is_refused_for_good_holds_up_nothing_after_it(office: Any) -> None:
    desk = office.desk()

    def answer(_got: Got) -> Sunk:
        return Sunk(200 if len(sink.requests) > 1 else 422)

    async with sinking(answer) as sink, pushing(office, {"tv": webhook(sink.url)}) as push:
        numbers = released(desk), released(desk)
        await until(lambda: push.views()[0].taken)
        assert push.views()[0].given_up == 1
    assert identifiers(sink) == documents(office, *numbers)
    samples = {labels["result"]: value for labels, value in push.measures()[0].samples}
    assert samples == {"taken": 1.0, "given_up": 1.0}


async def test_what_is_too_old_is_given_up(office: Any) -> None:
    desk = office.desk()
    async with (
        sinking(lambda _: Sunk(500)) as sink,
        pushing(office, {"tv": webhook(sink.url)}) as push,
    ):
        released(desk)
        await until(lambda: sink.requests)
        office.clock.pass_(3601)
        await until(lambda: push.views()[0].given_up)


async def test_addresses_that_the_egress_policy_forbids_are_not_dialled(office: Any) -> None:
    desk = office.desk()
    async with sinking() as sink:
        async with pushing(office, {"tv": webhook(sink.url, ())}) as push:
            number = released(desk)
            await until(lambda: push.views()[0].is_down)
            assert "allow" in push.views()[0].last_error
        assert sink.requests == []
        async with pushing(office, {"tv": webhook(sink.url)}) as push:  # the setting was mended
            await until(lambda: push.views()[0].taken)
    assert identifiers(sink) == documents(office, number)


async def test_captured_messages_go_nowhere_and_are_not_sent_later(office: Any) -> None:
    desk = office.desk()
    async with sinking() as sink:
        async with pushing(office, {"tv": CapturedDocuments()}) as push:
            number = desk.create("", CONTENT, "lan")
            desk.submit(act(desk, number, "lan"))
            desk.release(act(desk, number, "minh"))
            await until(lambda: push.views()[0].taken)
        async with pushing(office, {"tv": webhook(sink.url)}) as push:
            second = released(desk)
            await until(lambda: push.views()[0].taken)
    assert identifiers(sink) == documents(office, second)


async def test_what_breaks_one_line_is_told_and_a_new_start_sends_on(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = office.desk()

    def full(*_args: object) -> None:
        raise OSError("disk full")

    async with sinking() as sink, pushing(office, {"tv": webhook(sink.url)}) as push:
        with monkeypatch.context() as patch:
            patch.setattr(office.warnings, "released_after", full)
            with pytest.raises(OSError, match="disk full"):
                await push.wait()
        number = released(desk)
        await push.stop()
        await push.start()
        await until(lambda: push.views()[0].taken)
    assert identifiers(sink) == documents(office, number)
