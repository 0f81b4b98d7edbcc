"""The routes about notices: who was told, answering, preferences, browsers, test messages."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pytest

from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.api import notice_preferences, notices
from dothi.api.notice_deps import NoticeDeps
from dothi.api.notice_view import masked
from dothi.ports.clock import SystemClock
from dothi.ports.notices import PushSubscription
from notice_parts import DOWN, Desk, Sink, notice, person, telling
from serving import client_of, serve

ROOT = "/api/v1/notices"
LAN = Principal("lan", frozenset({Permission.READ, Permission.DUTY}), title="Lan")
CHIEF = Principal("chief", frozenset(Permission), title="Chief")


@dataclass
class Api:
    client: httpx.AsyncClient
    desk: Desk
    mail: Sink
    sms: Sink = field(default_factory=Sink)

    async def get(self, path: str = "", **query: object) -> httpx.Response:
        return await self.client.get(ROOT + path, params=query)  # type: ignore[arg-type]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    mail, sms = Sink(), Sink("sms", lambda _: DOWN)
    people = [person("lan", email="lan@example.org", sms="+84901234567")]
    channels = {"email": mail, "sms": sms}
    async with telling(tmp_path, people, channels) as desk:
        deps = NoticeDeps(desk.notices, desk.preferences, desk.people, desk.service, SystemClock())
        routes = [*notice_preferences.endpoints(deps), *notices.endpoints(deps)]
        async with serve(routes, LAN) as address, client_of(address) as client:
            yield Api(client, desk, mail, sms)


async def told(api: Api, **changes: object) -> None:
    api.desk.put(notice(**changes))  # type: ignore[arg-type]
    await api.mail.until(1)
    await api.desk.until(lambda: str(api.desk.state()) == "accepted")


async def test_the_list_shows_who_was_told_and_how_it_went(api: Api) -> None:
    await told(api)
    page = (await api.get()).json()
    [one] = page["items"]
    assert page["next"] is None
    assert not page["is_capturing"]
    assert one["title"] == "Cảnh báo mức 2 (cao): Mực nước cao – Phú An"
    assert (one["state"], one["told"], one["subject"]) == ("told", ["operator"], "alarm:1")
    shown = [(d["name"], d["channel"], d["address"], d["state"]) for d in one["deliveries"]]
    assert shown == [
        ("Lan", "email", "l…@example.org", "accepted"),
        ("Lan", "sms", "+84…567", "spared"),
    ]
    english = (await api.get(language="en")).json()["items"][0]["title"]
    assert english.startswith("Alarm, priority 2")


async def test_pages_follow_each_other(api: Api) -> None:
    api.desk.put(*(notice(f"alarm:{n}") for n in range(5)))
    first = (await api.get(limit=2)).json()
    assert [one["subject"] for one in first["items"]] == ["alarm:4", "alarm:3"]
    last = (await api.get(limit=3, before=first["next"])).json()
    assert len(last["items"]) == 3
    assert last["next"] is None
    assert (await api.get(subject="alarm:9")).json()["items"] == []
    assert (await api.get(state="lost")).status_code == 400


async def test_one_notice_comes_with_its_record_and_what_was_written(api: Api) -> None:
    await told(api)
    one = (await api.get("/1")).json()
    assert [line["state"] for line in one["receipts"]] == ["told", "accepted"]
    assert "Nơi xảy ra: Phú An" in one["sent"][0]["text"]
    assert (await api.get("/7")).status_code == 404
    assert (await api.get("/x")).status_code == 404


async def test_an_answer_is_stored_once(api: Api) -> None:
    await told(api, answer_within_s=300.0)
    answered = await api.client.post(f"{ROOT}/1/answer", json={"text": "đang đến"})
    assert answered.status_code == 200
    one = answered.json()
    assert (one["state"], one["answered_by"], one["answer"]) == ("answered", "lan", "đang đến")
    again = await api.client.post(f"{ROOT}/1/answer", json={"text": "x"})
    assert again.json()["answer"] == "đang đến"
    assert (await api.client.post(f"{ROOT}/9/answer", json={})).status_code == 404
    assert (await api.client.post(f"{ROOT}/1/answer", json={"by": "x"})).status_code == 400


async def test_a_test_message_goes_out_on_every_channel(api: Api) -> None:
    sent = await api.client.post(f"{ROOT}/test")
    assert sent.status_code == 202
    assert sent.json()["kind"] == "test"
    [letter] = await api.mail.until(1)
    assert letter.title == "Thông báo thử"
    assert "theo yêu cầu của Lan" in letter.text
    await api.sms.until(1)


async def test_channels_say_how_they_do(api: Api) -> None:
    await api.client.post(f"{ROOT}/test")
    await api.sms.until(3)
    await asyncio.sleep(0.1)
    mail, sms = (await api.get("/channels")).json()["channels"]
    assert (mail["name"], mail["accepted"], mail["is_down"]) == ("email", 1, False)
    assert (sms["name"], sms["is_down"], sms["last_error"]) == ("sms", True, "no route")
    assert sms["waiting"] == 1


async def test_preferences_are_kept(api: Api) -> None:
    before = (await api.get("/preferences")).json()
    assert before["person"] == "lan"
    assert before["is_known"]
    assert before["least_priority"] == 4
    assert before["reachable"] == [
        {"channel": "email", "address": "l…@example.org"},
        {"channel": "sms", "address": "+84…567"},
    ]
    assert "alarm.raised" in before["known_kinds"]
    chosen = {
        "least_priority": 2,
        "kinds": ["alarm.*"],
        "quiet": [{"begins": "22:00", "ends": "06:30", "weekdays": [1, 7]}],
        "language": "en",
        "channels": ["sms", "email"],
        "is_told_off_duty": True,
    }
    stored = await api.client.put(f"{ROOT}/preferences", json=chosen)
    assert stored.status_code == 200
    after = (await api.get("/preferences")).json()
    assert {name: after[name] for name in chosen} == chosen


@pytest.mark.parametrize(
    "body",
    [
        {"least_priority": 5},
        {"quiet": [{"begins": "24:00", "ends": "06:00"}]},
        {"quiet": [{"begins": "06:00", "ends": "06:00"}]},
        {"channels": ["fax"]},
        {"kinds": ["Alarm raised"]},
        {"colour": "red"},
    ],
)
async def test_preferences_that_cannot_be_are_refused(api: Api, body: object) -> None:
    refused = await api.client.put(f"{ROOT}/preferences", json=body)
    assert refused.status_code == 400
    assert refused.json()["title"]
    assert (await api.get("/preferences")).json()["least_priority"] == 4


async def test_the_preferences_of_others_need_a_permission(api: Api) -> None:
    assert (await api.get("/preferences", person="minh")).status_code == 403
    assert (await api.get("/preferences", person="lan")).status_code == 200


async def test_web_push_that_is_off_says_so(api: Api) -> None:
    assert (await api.get("/push")).json() == {"public_key": "", "browsers": []}
    browser = {
        "endpoint": "https://push.example/1",
        "keys": {"p256dh": "B" * 87, "auth": "a" * 22},
        "name": "Firefox",
    }
    refused = await api.client.post(f"{ROOT}/push", json=browser)
    assert (refused.status_code, refused.json()["code"]) == (409, "web_push_off")


async def test_an_administrator_who_is_nobody_is_told_why(tmp_path: Path) -> None:
    async with telling(tmp_path, [person("lan")], {"email": Sink()}, capture=True) as desk:
        deps = NoticeDeps(desk.notices, desk.preferences, desk.people, desk.service, SystemClock())
        routes = [*notice_preferences.endpoints(deps), *notices.endpoints(deps)]
        async with serve(routes, CHIEF) as address, client_of(address) as client:
            refused = await client.post(f"{ROOT}/test")
            assert (refused.status_code, refused.json()["code"]) == (409, "no_such_recipient")
            mine = (await client.get(f"{ROOT}/preferences")).json()
            assert not mine["is_known"]
            assert (await client.put(f"{ROOT}/preferences", json={})).status_code == 409
            other = await client.put(
                f"{ROOT}/preferences", params={"person": "lan"}, json={"least_priority": 1}
            )
            assert other.status_code == 200
            assert other.json()["person"] == "lan"
            assert (await client.get(f"{ROOT}/channels")).json()["is_capturing"]


def test_addresses_are_masked() -> None:
    browser = PushSubscription("lan", "https://push.example/secret", "k", "s", "")
    assert masked("web_push", msgspec.json.encode(browser).decode()) == "push.example"
    assert masked("webhook", "https://user:pw@host.example/path?key=1") == "host.example"
    assert masked("sms", "+84 901 234 567") == "+84…567"
    assert masked("email", "lan@example.org") == "l…@example.org"
    assert masked("mqtt", "notices/lan") == "notices/lan"
