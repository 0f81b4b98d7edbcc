"""People, shifts, handovers and the audit record, over the real site: each person signed in."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from centre import Centre, centre
from dothi.model.handover import OpenItem

T0 = datetime(2026, 11, 27, 6, tzinfo=UTC)
ROOT = "/api/v1"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path / "data") as found:
        yield found


async def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_people_are_added_change_and_sign_in_by_their_link(at: Centre) -> None:
    async with at.as_("administrator") as admin:
        body = {"id": "dung", "name": "Dũng (test)", "positions": ["operator"]}
        made = await admin.post(f"{ROOT}/people", json=body)
        assert (made.status_code, made.json()["language"]) == (201, "vi")
        assert await _code(await admin.post(f"{ROOT}/people", json=body)) == (409, "person_exists")
        link = (await admin.post(f"{ROOT}/people/dung/link")).json()
        transport = httpx.ASGITransport(at.site.app)
        async with httpx.AsyncClient(transport=transport, base_url=str(admin.base_url)) as dung:
            token = link["path"].partition("token=")[2]
            assert (await dung.post("/login", data={"token": token})).status_code == 303
            me = (await dung.get(f"{ROOT}/me")).json()
            assert (me["name"], me["title"], me["positions"]) == (
                "dung",
                "Dũng (test)",
                ["operator"],
            )
            assert "alarms:operate" in me["permissions"]
            assert "administer" not in me["permissions"]
            change = {"positions": [], "is_active": False}
            left = (await admin.patch(f"{ROOT}/people/dung", json=change)).json()
            assert (left["is_active"], left["positions"]) == (False, [])
            again = await admin.post(f"{ROOT}/people/dung/link")
            assert await _code(again) == (404, "person_not_found")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"id": "Đ"}, "id"),
        ({"id": "administrator"}, "id"),
        ({"name": "  "}, "name"),
        ({"positions": ["oprator"]}, "positions"),
        ({"language": "fr"}, "language"),
        ({"contacts": {"E Mail": "x"}}, "contacts"),
    ],
)
async def test_wrong_people_are_refused(at: Centre, change: dict[str, object], where: str) -> None:
    async with at.as_("administrator") as admin:
        body = {"id": "new", "name": "New", **change}
        refused = await admin.post(f"{ROOT}/people", json=body)
        assert await _code(refused) == (400, "person_invalid")
        assert refused.json()["where"] == where
        assert refused.json()["remedy"]
        assert len((await admin.get(f"{ROOT}/people")).json()) == 3


async def test_who_may_do_what_with_people(at: Centre) -> None:
    async with at.as_("an") as an, at.as_("chi") as chi:
        assert (await an.post(f"{ROOT}/people", json={})).status_code == 403
        assert (await an.get(f"{ROOT}/audit")).status_code == 403
        own = await chi.patch(f"{ROOT}/people/chi", json={"positions": ["leader"]})
        assert await _code(own) == (403, "own_positions")
        assert (await chi.patch(f"{ROOT}/people/chi", json={"name": "Chi B"})).status_code == 200
        people = {p["id"]: p for p in (await an.get(f"{ROOT}/people")).json()}
        assert people["an"]["contacts"] == {"sms": "+84000000001"}
        assert people["chi"]["name"] == "Chi B"
    async with at.as_("administrator") as admin:
        await admin.patch(f"{ROOT}/people/an", json={"positions": []})
    async with at.as_("an") as an:
        people = {p["id"]: p for p in (await an.get(f"{ROOT}/people")).json()}
        assert people["binh"]["contacts"] is None, "without a position nobody sees addresses"


async def test_a_roster_of_a_week_and_its_changes(at: Centre) -> None:
    async with at.as_("chi") as chi:
        for one in ("d", "e"):
            body = {"id": one, "name": one, "positions": ["operator"]}
            assert (await chi.post(f"{ROOT}/people", json=body)).status_code == 201
        plan = {
            "position": "operator", "pattern": "3x8", "people": ["an", "binh", "d", "e"],
            "first_day": "2026-11-30", "days": 7,
        }  # fmt: skip
        rows = (await chi.post(f"{ROOT}/shifts", json=plan)).json()
        assert len(rows) == 21
        assert rows[0]["starts_at"] == "2026-11-29T23:00:00Z", "06:00 in Asia/Ho_Chi_Minh"
        twice = await chi.post(f"{ROOT}/shifts", json=plan)
        assert await _code(twice) == (409, "shift_overlaps")
        week = {"start": "2026-11-29T17:00:00Z", "end": "2026-12-06T17:00:00Z"}
        found = (await chi.get(f"{ROOT}/shifts", params=week)).json()
        assert len(found["shifts"]) == 21
        assert found["rest"]["mark"] == "unverified"
        assert not any(row["is_rest_short"] for row in found["shifts"])
        away = {"person": "an", "start": "2026-11-30T00:00:00Z", "end": "2026-11-30T01:00:00Z"}
        absence = (await chi.post(f"{ROOT}/shifts/absences", json=away)).json()
        first = (await chi.get(f"{ROOT}/shifts", params=week)).json()["shifts"][0]
        assert (first["person"], first["is_absent"]) == ("an", True)
        swap = {"person": "d", "reason": "An is ill"}
        swapped = await chi.patch(f"{ROOT}/shifts/{first['id']}", json=swap)
        assert swapped.json()["person"] == "d"
        found = (await chi.get(f"{ROOT}/shifts", params=week)).json()
        tired = [row["person"] for row in found["shifts"] if row["is_rest_short"]]
        assert tired == ["d"], "from 06:00 to 14:00, and again from 22:00"
        gone = await chi.request("DELETE", f"{ROOT}/shifts/absences/{absence['id']}")
        assert gone.status_code == 204
        cancel = await chi.post(f"{ROOT}/shifts/{first['id']}/cancel", json={"reason": "x"})
        assert cancel.status_code == 204
        assert len((await chi.get(f"{ROOT}/shifts", params=week)).json()["shifts"]) == 20


async def test_wrong_rosters_are_refused(at: Centre) -> None:
    plan = {"position": "operator", "pattern": "2x12", "people": ["an", "binh"]}
    one = {"position": "operator", "people": ["an"]}
    wrong = [
        ({**plan}, 400),
        ({**plan, "first_day": "0001-01-01"}, 400),
        ({**plan, "first_day": "2026-12-01", "pattern": "9x9"}, 400),
        ({**plan, "first_day": "2026-12-01", "people": ["an", "an"]}, 400),
        ({**plan, "first_day": "2026-12-01", "people": ["an", "nobody"]}, 404),
        ({**plan, "first_day": "2026-12-01", "people": ["an", "chi"]}, 409),
        ({**one, "start": "2026-12-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"}, 400),
        ({**one, "start": "2026-12-01T00:00:00", "end": "2026-12-01T09:00:00Z"}, 400),
        ({**one, "start": "0001-01-01T00:00:00Z", "end": "9999-12-31T09:00:00Z"}, 400),
    ]
    async with at.as_("chi") as chi:
        for body, status in wrong:
            assert (await chi.post(f"{ROOT}/shifts", json=body)).status_code == status, body
        assert (await chi.patch(f"{ROOT}/shifts/x", json={"person": "an"})).status_code == 404
        assert (await chi.patch(f"{ROOT}/shifts/77", json={"person": "an"})).status_code == 404


async def test_two_people_sign_a_handover(at: Centre) -> None:
    at.open.items.append(
        OpenItem("incident", "incident:7", "Ngập đường Lê Lợi", "in_progress", T0, "2 units")
    )
    async with at.as_("an") as an, at.as_("binh") as binh, at.as_("chi") as chi:
        duty = (await an.post(f"{ROOT}/shifts/take", json={"position": "operator"})).json()
        now = (await chi.get(f"{ROOT}/shifts/now")).json()
        operators = next(p for p in now["positions"] if p["position"] == "operator")
        assert [d["person"] for d in operators["duties"]] == ["an"]
        sheet = (await an.post(f"{ROOT}/handovers", json={"duty": duty["id"]})).json()
        assert sheet["sheet"]["items"][0]["title"] == "Ngập đường Lê Lợi"
        url = f"{ROOT}/handovers/{sheet['id']}"
        assert (await chi.put(f"{url}/notes", json={"notes": "", "revision": 1})).status_code == 403
        notes = {"notes": "Trạm bơm 2 đang bảo trì", "revision": sheet["revision"]}
        written = (await an.put(f"{url}/notes", json=notes)).json()
        assert (await binh.put(f"{url}/notes", json=notes)).status_code == 409
        assert hashlib.sha256(written["text"].encode()).hexdigest() == written["digest"]
        stale = {"digest": sheet["digest"]}
        assert (await binh.post(f"{url}/sign", json=stale)).status_code == 409
        sign = {"digest": written["digest"]}
        assert (await chi.post(f"{url}/sign", json=sign)).status_code == 403
        assert (await an.post(f"{url}/sign", json=sign)).json()["closed_at"] is None
        closed = (await binh.post(f"{url}/sign", json=sign)).json()
        assert (closed["incoming"], closed["closed_at"] is None) == ("binh", False)
        assert (await an.put(f"{url}/notes", json=notes)).status_code == 409
        now = (await chi.get(f"{ROOT}/shifts/now")).json()
        operators = next(p for p in now["positions"] if p["position"] == "operator")
        assert [d["person"] for d in operators["duties"]] == ["binh"]
        assert [h["id"] for h in (await chi.get(f"{ROOT}/handovers")).json()] == [sheet["id"]]
        record = (await chi.get(f"{ROOT}/audit", params={"text": "handover"})).json()
        assert [e["action"] for e in record["items"]][:2] == ["duty_handed_over", "handover_signed"]
        assert (await chi.get(f"{ROOT}/audit/verify")).json()["broken_at"] is None


async def test_who_may_take_over_and_who_may_leave(at: Centre) -> None:
    async with at.as_("administrator") as admin, at.as_("an") as an:
        take = {"position": "operator"}
        refused = await admin.post(f"{ROOT}/shifts/take", json=take)
        assert await _code(refused) == (403, "position_not_held")
        other = await an.post(f"{ROOT}/shifts/take", json={"position": "leader"})
        assert other.status_code == 403
        unknown = await an.post(f"{ROOT}/shifts/take", json={"position": "x"})
        assert unknown.status_code == 404
        duty = (await an.post(f"{ROOT}/shifts/take", json=take)).json()
        assert (await an.post(f"{ROOT}/shifts/take", json=take)).status_code == 409
        url = f"{ROOT}/shifts/duties/{duty['id']}/leave"
        assert await _code(await an.post(url, json={"reason": " "})) == (400, "reason_needed")
        left = await an.post(url, json={"reason": "Trung tâm đóng cửa ban đêm"})
        assert left.json()["ended_at"]
        assert (await an.post(url, json={"reason": "Trung tâm đóng cửa"})).status_code == 404


async def test_one_may_take_over_from_somebody_who_cannot_sign(at: Centre) -> None:
    async with at.as_("an") as an, at.as_("binh") as binh:
        duty = (await an.post(f"{ROOT}/shifts/take", json={"position": "operator"})).json()
        sheet = (await binh.post(f"{ROOT}/handovers", json={"duty": duty["id"]})).json()
        url = f"{ROOT}/handovers/{sheet['id']}"
        sign = {"digest": sheet["digest"], "missing_reason": "short"}
        assert await _code(await binh.post(f"{url}/sign", json=sign)) == (400, "reason_needed")
        sign["missing_reason"] = "An phải cấp cứu trong ca"
        assert (await an.post(f"{url}/sign", json=sign)).status_code == 403
        closed = (await binh.post(f"{url}/sign", json=sign)).json()
        assert closed["closed_at"]
        assert closed["outgoing_signed_at"] is None
        assert (await an.post(f"{url}/withdraw")).status_code == 409
        assert (await an.get(f"{ROOT}/handovers/99")).status_code == 404


async def test_a_repeated_request_is_done_once(at: Centre) -> None:
    async with at.as_("an") as an, at.as_("binh") as binh:
        key, take = {"idempotency-key": "3f6c-take-1"}, {"position": "operator"}
        url = f"{ROOT}/shifts/take"
        first = await an.post(url, json=take, headers=key)
        again = await an.post(url, json=take, headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
        other = await an.post(url, json={"position": "leader"}, headers=key)
        assert await _code(other) == (422, "idempotency_key")
        too_short = await an.post(url, json=take, headers={"idempotency-key": "short"})
        assert too_short.status_code == 400
        assert (await binh.post(url, json=take, headers=key)).status_code == 201
        leave = f"{ROOT}/shifts/duties/{first.json()['id']}/leave"
        key = {"idempotency-key": "leave-0001"}
        refused = await an.post(leave, json={"reason": ""}, headers=key)
        assert refused.status_code == 400
        reason = {"reason": "Trung tâm đóng cửa ban đêm"}
        done = await an.post(leave, json=reason, headers=key)
        assert done.status_code == 200, "a refusal is not kept"


async def test_a_link_is_not_kept_for_a_repeat(at: Centre) -> None:
    async with at.as_("administrator") as admin:
        key = {"idempotency-key": "link-of-an-1"}
        url = f"{ROOT}/people/an/link"
        links = {(await admin.post(url, headers=key)).json()["path"] for _ in range(2)}
        assert len(links) == 2
        assert at.registers.answers.find("administrator", "link-of-an-1") is None
