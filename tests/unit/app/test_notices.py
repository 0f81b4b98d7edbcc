"""Notices by the settings: which channels there are, in which order, and what stops a start."""

import asyncio
import base64
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from databases import lay_database
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.notices import NoticePart
from dothi.app.stores import Registers, open_registers
from dothi.model.delivery import DeliveryState
from dothi.model.person import Person
from dothi.model.preference import Preference
from dothi.model.problem import Problem
from dothi.notify.secrets import read_secret
from dothi.ports.clock import SystemClock
from notice_parts import notice

ALL = """
[notices]
poll_s = 0.05
channels = ["email", "zalo"]
[notices.email]
host = "mail.example.vn"
sender = "truc@example.vn"
[notices.smpp]
host = "smsc.example.vn"
[notices.webhook]
secret_file = "env:HOOK_KEY"
[notices.web_push]
subject = "mailto:truc@example.vn"
[notices.mqtt]
url = "mqtt://broker.example.vn"
[notices.gateways.zalo]
url = "https://zalo.example.vn/send"
body = '{"to": "{address}", "text": "{text}"}'
headers = { access_token = "{secret}" }
secret_file = "env:ZALO_KEY"
"""


@contextmanager
def part(folder: Path, text: str, mode: str = "normal") -> Iterator[tuple[NoticePart, Registers]]:
    lay_database(folder / "dothi.db")
    settings = msgspec.toml.decode(text, type=Settings)
    clock = SystemClock()
    with open_registers(DataFolder(folder), clock) as stores:
        yield NoticePart(settings, stores, clock, folder, mode), stores


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", base64.b64encode(b"k" * 32).decode())
    monkeypatch.setenv("ZALO_KEY", "z-key")


async def test_every_channel_that_is_set_up_in_the_order_of_the_settings(tmp_path: Path) -> None:
    with part(tmp_path, ALL) as (made, _):
        health = await asyncio.to_thread(made.service.health)
        assert [one.name for one in health] == [
            *("email", "zalo"),
            *("web_push", "sms", "webhook", "mqtt"),
        ]
        assert [one.contact for one in health][:2] == ["email", "zalo"]
        assert len(made.service.push_key) == 87
        assert (tmp_path / "secrets" / "vapid.pem").exists()


async def test_without_settings_there_is_no_channel(tmp_path: Path) -> None:
    with part(tmp_path, "") as (made, _):
        assert await asyncio.to_thread(made.service.health) == []
        assert made.service.push_key == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[notices.webhook]\nsecret_file = "env:NOT_THERE"', "[notices.webhook] secret_file"),
        ('[notices.email]\nhost = "x"', "[notices.email] sender"),
        ('[notices]\nchannels = ["fax"]', "[notices] channels"),
        ('[notices]\nzone = "Asia/Saigon2"', "[notices] zone"),
        ('[notices]\nallow = ["ten"]', "[notices] allow"),
        (
            '[notices.email]\nhost="x"\nsender="a@b.vn"\nuser="u"\nsecurity="none"',
            "[notices.email] security",
        ),
        (
            '[notices.smpp]\nhost="x"\n[notices.gateways.sms]\nurl="https://x.example"',
            "[notices.smpp]",
        ),
        (
            '[notices.gateways.zalo]\nurl="https://x.example/?k={secret}"',
            "[notices.gateways.zalo] url",
        ),
    ],
)
def test_what_cannot_work_stops_the_start(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(Problem) as raised, part(tmp_path, text):
        pass
    assert raised.value.where == where


def test_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("  s3cret\n")
    assert read_secret(str(tmp_path / "key"), "x") == "s3cret"
    monkeypatch.setenv("KEY", "s3cret")
    assert read_secret("env:KEY", "x") == "s3cret"
    assert read_secret("", "x") == ""
    with pytest.raises(Problem):
        read_secret(str(tmp_path / "none"), "x")


_sockets: list[str] = []
_is_watching = [False]


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _is_watching[0] and event in {"socket.__new__", "socket.connect", "socket.getaddrinfo"}:
        _sockets.append(f"{event} {arguments[1:]}")


sys.addaudithook(_hook)


async def test_captured_notices_open_no_socket(tmp_path: Path) -> None:
    text = ALL.replace("[notices]", "[notices]\ncapture = true", 1)
    contacts = dict.fromkeys(("email", "sms", "zalo", "webhook", "mqtt"), "x@example.org")
    with part(tmp_path, text, "drill") as (made, stores):
        stores.people.add(Person("lan", "Lan", ("operator",), "vi", contacts), "test")
        stores.notice_preferences.put(Preference("lan"))
        assert made.service.is_capturing
        _sockets.clear()
        _is_watching[0] = True
        try:
            await made.service.start()
            stores.notices.put([notice(priority=1, positions=(), people=("lan",))])
            made.service.wake()
            async with asyncio.timeout(5):
                while not (found := stores.notices.deliveries([1])) or any(
                    one.delivery.state is not DeliveryState.CAPTURED for one in found
                ):
                    await asyncio.sleep(0.02)
            await made.service.stop()
        finally:
            _is_watching[0] = False
        assert _sockets == []
        assert sorted(one.delivery.channel for one in found) == sorted(contacts)
        assert all(one.text.startswith("[DI") for one in found)
        assert found[0].title == "[DIỄN TẬP] Cảnh báo mức 1 (khẩn cấp): Mực nước cao – Phú An"
        # The watch itself works.
        _is_watching[0] = True
        socket.socket().close()
        _is_watching[0] = False
        assert _sockets
    assert not (tmp_path / "secrets" / "vapid.pem").exists()
