"""A process made to be killed: puts notices and tells people of them as fast as it can.

Arguments: data folder, address of the receiver, first number, last number (0: none). Each number
is printed after the transaction that put its notice, flushed.
"""

import asyncio
import base64
import sys
from datetime import UTC, datetime
from pathlib import Path

from dothi.access.egress import egress_policy
from dothi.model.notice import Notice
from dothi.model.person import Person
from dothi.model.priority import Priority
from dothi.notify.settings import NoticeSettings
from dothi.notify.webhook.channel import WebhookChannel, signing_key
from dothi.notify.webhook.client import HttpClient
from tests.notice_parts import Desk, Roster

KEY = base64.b64encode(b"k" * 32).decode()


def settings() -> NoticeSettings:
    return NoticeSettings(retry_s=0.05, max_retry_s=0.2, poll_s=0.05, escalation=("a", "b"))


def desk_on(folder: Path, receiver: str) -> Desk:
    people = [Person(name, name, (name,), "vi", {"webhook": f"{receiver}/{name}"}) for name in "ab"]
    client = HttpClient(egress_policy(("127.0.0.0/8",)))
    channels = {"webhook": WebhookChannel(client, signing_key(KEY), 5.0)}
    return Desk(folder, Roster(people), channels, settings())


def notice(number: int) -> Notice:
    """Every tenth wants an answer, which nobody gives: it goes on to `b`."""
    return Notice(
        f"fault:{number}",
        "alarm.raised",
        datetime.now(UTC),
        Priority.HIGH,
        f"alarm:{number}",
        {"title": str(number)},
        ("a",),
        answer_within_s=0.5 if number % 10 == 0 else None,
    )


async def main(folder: Path, receiver: str, first: int, last: int) -> None:
    desk = desk_on(folder, receiver)
    await desk.service.start()
    for number in range(first, last + 1 if last else sys.maxsize):
        await asyncio.to_thread(desk.notices.put, [notice(number)])
        desk.service.wake()
        print(number, flush=True)
        await asyncio.sleep(0.002)
    while await asyncio.to_thread(desk.queue.next_at) is not None:
        await asyncio.sleep(0.05)
    await desk.service.stop()
    desk.engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
