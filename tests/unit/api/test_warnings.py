"""Public warnings over the API: two persons, problems that say how to mend them."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest

from cap_samples import CONTENT, NOW, THU_DAU_MOT, People, person
from databases import lay_database
from dothi.api.deps import ApiDeps
from dothi.api.warnings import endpoints
from dothi.facades.cap.catalogue import read_catalogue
from dothi.facades.cap.desk import Desk, DeskPorts
from dothi.facades.cap.settings import WarningSettings
from dothi.storage.relational.areas import RelationalAreas
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.foreign_warnings import RelationalForeignWarnings
from dothi.storage.relational.warnings import RelationalWarnings
from memory_ports import FixedClock
from serving import client_of, serve

ROOT = "/api/v1/warnings"
BODY = msgspec.to_builtins(CONTENT)
LAN = {"authorization": "Bearer lan"}
MINH = {"authorization": "Bearer minh"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    areas = RelationalAreas(engine)
    areas.put([THU_DAU_MOT], [])
    people = People(person("device:lan"), person("device:minh"))
    ports = DeskPorts(RelationalWarnings(engine), areas, FixedClock(NOW), people)
    desk = Desk(WarningSettings(sender="a@example.gov.vn"), read_catalogue(), ports)
    nothing: Any = SimpleNamespace()
    deps = ApiDeps(
        nothing, nothing, nothing, nothing, nothing, areas, nothing, FixedClock(NOW), "1",
        warnings=desk, foreign_warnings=RelationalForeignWarnings(engine),
    )  # fmt: skip
    async with serve(endpoints(deps)) as address, client_of(address) as found:
        yield found
    engine.dispose()


async def post(client: httpx.AsyncClient, path: str, who: Any, **body: Any) -> httpx.Response:
    return await client.post(ROOT + path, json=body, headers=who)


async def test_a_warning_from_draft_to_cancellation(client: httpx.AsyncClient) -> None:
    begun = await post(client, "", LAN, subject="alarm:12", content=BODY)
    assert begun.status_code == 201
    view = begun.json()
    assert (view["row"]["state"], view["row"]["subject"]) == ("draft", "alarm:12")
    number, version = view["row"]["id"], view["messages"][0]["version"]
    changed = await client.put(
        f"{ROOT}/{number}/draft",
        json={"version": version, "content": {**BODY, "risk_level": 3, "severity": "Severe"}},
        headers=LAN,
    )
    version = changed.json()["messages"][0]["version"]
    sent = (await post(client, f"/{number}/submit", LAN, version=version)).json()
    version = sent["messages"][0]["version"]
    assert sent["refusal"]["code"] == "own_text"
    own = await post(client, f"/{number}/release", LAN, version=version)
    assert (own.status_code, own.json()["code"]) == (403, "release_own_text")
    seen = await client.get(f"{ROOT}/{number}", headers=MINH)
    assert seen.json()["refusal"] is None
    out = (await post(client, f"/{number}/release", MINH, version=version)).json()
    assert out["row"]["state"] == "active"
    assert out["messages"][0]["document"].startswith("<?xml")
    assert [one["step"] for one in out["record"]] == ["created", "edited", "submitted", "released"]
    begun = await post(client, f"/{number}/cancel", MINH, reason="Nước đã rút")
    assert begun.status_code == 201
    assert begun.json()["row"]["open_type"] == "Cancel"
    (row,) = (await client.get(ROOT, headers=LAN)).json()
    assert (row["messages"], row["open_state"], row["state"]) == (1, "draft", "active")


async def test_a_text_is_checked_while_it_is_written(client: httpx.AsyncClient) -> None:
    good = (await post(client, "/preview", LAN, content=BODY)).json()
    assert good["is_fit"] is True
    assert good["findings"] == []
    assert good["sms"]["encoding"] == "GSM-7"
    assert [place["points"] for place in good["places"]] == [5, 4]
    assert good["places"][0]["outline"][0][0][0] > 100
    bad = (await post(client, "/preview", LAN, content={})).json()
    assert bad["is_fit"] is False
    assert all(one["remedy"] for one in bad["findings"])
    long = {**BODY, "sms": "ế" * 71}
    told = (await post(client, "/preview", LAN, content=long)).json()
    assert [one["code"] for one in told["findings"]] == ["sms_too_long"]
    assert told["sms"]["parts"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {"content": {"status": "Real"}},
        {"content": {"expires_at": "tomorrow"}},
        {"content": {"shapes": [{"polygon": []}]}},
        {"subject": "war:1"},
        {"nonsense": 1},
    ],
)
async def test_a_wrong_body_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    answer = await post(client, "", LAN, **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid")


async def test_times_without_an_offset_are_told(client: httpx.AsyncClient) -> None:
    body = {**BODY, "expires_at": "2026-11-20T20:00:00"}
    for path in ("", "/preview"):
        answer = await post(client, path, LAN, content=body)
        assert answer.status_code == 400
        assert "timezone" in answer.json()["detail"]


async def test_what_is_not_there_is_404(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{ROOT}/7")).status_code == 404
    assert (await post(client, "/7/submit", LAN, version=1)).status_code == 404
    assert (await client.get(f"{ROOT}/foreign/7")).status_code == 404
    assert (await client.get(f"{ROOT}/foreign")).json() == []


async def test_the_composer_learns_what_there_is(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"{ROOT}/options", headers=LAN)).json()
    assert found["statuses"] == ["Actual", "Exercise", "Test"]
    assert found["person"] == "device:lan"
    levels = found["catalogue"]["risk"]["levels"]
    assert [one["colour_vi"] for one in levels] == [
        "xanh dương nhạt", "vàng nhạt", "da cam", "đỏ", "tím",
    ]  # fmt: skip
    assert "flood" in {one["code"] for one in found["catalogue"]["events"]}
