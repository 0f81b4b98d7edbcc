"""Channel `sms` against a message centre on loopback."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dothi.access.egress import egress_policy
from dothi.model.delivery import DeliveryState
from dothi.notify.settings import SmppSettings
from dothi.notify.smpp.channel import SmppChannel
from notice_parts import letter, notice, person, telling
from smsc import Smsc, message_centre

LOOPBACK = egress_policy(("127.0.0.0/8",))
NUMBER = "+84 901 234 567"


def channel(smsc: Smsc, **changes: Any) -> SmppChannel:
    settings = SmppSettings(
        host="127.0.0.1",
        port=smsc.port,
        system_id="dothi",
        source="TINH",
        per_second=0,
        timeout_s=1.0,
        enquire_link_s=0.1,
    )
    return SmppChannel(msgspec.structs.replace(settings, **changes), "s3cret", LOOPBACK)


class Reports:
    def __init__(self, is_known: bool = True) -> None:
        self.is_known = is_known
        self.told: list[tuple[str, DeliveryState, str]] = []

    async def __call__(self, references: Sequence[str], state: DeliveryState, detail: str) -> bool:
        self.told.append((references[0], state, detail))
        return self.is_known


@asynccontextmanager
async def bound(
    smsc: Smsc, reports: Reports | None = None, **changes: Any
) -> AsyncIterator[SmppChannel]:
    made = channel(smsc, **changes)
    await made.listen(reports or Reports())
    try:
        yield made
    finally:
        await made.close()


async def test_a_short_message_arrives() -> None:
    async with message_centre() as smsc, bound(smsc) as sms:
        handed = await sms.send(letter(address=NUMBER))
    assert (handed.state, handed.references) == (DeliveryState.ACCEPTED, ("m1",))
    [got] = smsc.submitted
    assert got.content == b"Canh bao muc 2: muc nuoc cao"
    assert (got.source, got.source_ton) == ("TINH", 5)
    assert (got.destination, got.destination_ton) == ("84901234567", 1)
    assert (got.coding, got.esm_class, got.registered) == (0, 0, 1)


async def test_with_diacritics_and_in_parts() -> None:
    text = "Cảnh báo mực nước sông rất cao, " * 5
    async with message_centre() as smsc, bound(smsc) as sms:
        handed = await sms.send(letter(address="0901234567", short=text))
    assert handed.references == ("m1", "m2", "m3")
    assert {got.coding for got in smsc.submitted} == {8}
    assert {got.esm_class for got in smsc.submitted} == {0x40}
    assert [got.content[3:6] for got in smsc.submitted] == [
        bytes((smsc.submitted[0].content[3], 3, n)) for n in (1, 2, 3)
    ]
    whole = b"".join(got.content[6:] for got in smsc.submitted)
    assert whole.decode("utf-16-be") == text
    assert smsc.submitted[0].destination_ton == 0


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x58, DeliveryState.WAITING),  # throttled
        (0x14, DeliveryState.WAITING),  # queue full
        (0x0B, DeliveryState.FAILED),  # no such destination
    ],
)
async def test_refusals(status: int, state: DeliveryState) -> None:
    async with message_centre() as smsc, bound(smsc) as sms:
        smsc.statuses = [status]
        handed = await sms.send(letter(address=NUMBER))
        assert (handed.state, handed.is_reached) == (state, True)
        assert f"{status:08X}" in handed.detail
        assert (await sms.send(letter(address=NUMBER))).state is DeliveryState.ACCEPTED


@pytest.mark.parametrize("address", ["", "abc", "12", "+84901; drop", "1" * 16])
async def test_what_is_no_number_is_not_sent(address: str) -> None:
    async with message_centre() as smsc, bound(smsc) as sms:
        assert (await sms.send(letter(address=address))).state is DeliveryState.FAILED
    assert smsc.submitted == []


async def test_receipts_reach_whoever_listens() -> None:
    reports = Reports()
    async with message_centre() as smsc, bound(smsc, reports) as sms:
        await sms.send(letter(address=NUMBER))
        assert await smsc.report("m1", "DELIVRD", 900) == 0
        assert await smsc.report("m1", "ENROUTE", 901) == 0
        reports.is_known = False
        assert await smsc.report("m9", "UNDELIV", 902) == 0x64, "the centre is to ask again"
    assert reports.told == [
        ("m1", DeliveryState.DELIVERED, "DELIVRD"),
        ("m9", DeliveryState.FAILED, "UNDELIV"),
    ]


async def test_a_lost_connection_is_bound_again() -> None:
    async with message_centre() as smsc, bound(smsc) as sms:
        await sms.send(letter(address=NUMBER))
        smsc.hang_up()
        await asyncio.sleep(0.1)
        handed = await sms.send(letter(address=NUMBER))
        if handed.state is DeliveryState.WAITING:
            assert not handed.is_reached
            await asyncio.sleep(1.0)
            handed = await sms.send(letter(address=NUMBER))
        assert handed.state is DeliveryState.ACCEPTED
    assert smsc.binds == 2


async def test_a_silent_connection_is_tested() -> None:
    async with message_centre() as smsc, bound(smsc):
        await asyncio.sleep(0.5)
    assert smsc.enquiries >= 2


async def test_no_answer_and_a_wrong_password() -> None:
    async with message_centre() as smsc:
        async with bound(smsc, timeout_s=0.3) as sms:
            smsc.is_silent = True
            handed = await sms.send(letter(address=NUMBER))
            assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)
        smsc.password = "other"
        async with bound(smsc, timeout_s=0.3) as sms:
            handed = await sms.send(letter(address=NUMBER))
    assert (handed.state, handed.is_reached) == (DeliveryState.WAITING, False)
    assert "0000000E" in handed.detail
    assert "s3cret" not in handed.detail


async def test_the_egress_policy_holds() -> None:
    settings = SmppSettings(host="127.0.0.1", timeout_s=0.3)
    sms = SmppChannel(settings, "", egress_policy())
    await sms.listen(Reports())
    handed = await sms.send(letter(address=NUMBER))
    await sms.close()
    assert "[notices] allow" in handed.detail


async def test_many_at_once_keep_their_answers() -> None:
    async with message_centre() as smsc, bound(smsc, window=5) as sms:
        letters = [letter(address=NUMBER, short=f"so {n}") for n in range(30)]
        found = await asyncio.gather(*(sms.send(one) for one in letters))
    by_reference = {f"m{n}": got.content for n, got in enumerate(smsc.submitted, 1)}
    assert [by_reference[one.references[0]] for one in found] == [
        f"so {n}".encode() for n in range(30)
    ]


async def test_from_a_notice_to_the_receipt_in_its_record(tmp_path: Path) -> None:
    async with message_centre() as smsc:
        people, sms = [person("lan", sms=NUMBER)], channel(smsc)
        async with telling(tmp_path, people, {"sms": sms}) as desk:
            desk.put(notice())
            await smsc.until(1)
            # At once, maybe before the answer to submit_sm is stored.
            assert await smsc.report("m1", "DELIVRD", 1) == 0
            assert desk.state() is DeliveryState.DELIVERED
            record = [line.state for line in desk.notices.receipts(1)]
            assert record == ["told", "accepted", "delivered"]
