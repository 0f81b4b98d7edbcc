"""Alarms on the live view: they do not wait for the next delta of values."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

from msgspec.structs import replace

from alarm_parts import context, transition
from dothi.alarms.taking import take
from dothi.live.hub import LiveHub
from dothi.live.settings import LiveSettings
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.alarms import RelationalAlarmLedger
from province import province

SLOW = LiveSettings(interval_s=600.0, beat_s=600.0)


async def test_an_alarm_is_shown_long_before_the_next_delta_of_values(tmp_path: Path) -> None:
    async with province(tmp_path) as p:
        ledger = RelationalAlarmLedger(p.engine)
        hub = LiveHub(replace(p.live_deps, alarms=RelationalAlarmReader(p.engine)), SLOW)
        await hub.start()
        messages = hub.follow()
        async with aclosing(messages), asyncio.timeout(10):
            assert json.loads(await anext(messages))["alarms"] == []
            await asyncio.sleep(0.1)  # the first tick is over
            for number, is_active in enumerate((True, False), 1):
                with ledger.writing() as book:
                    take(book, [transition(is_active, number * 5.0)], context())
                hub.alarms_changed()
                told = json.loads(await anext(messages))
                assert (told["kind"], len(told["alarms"])) == ("delta", 1)
                expected = "active_unacknowledged" if is_active else "returned_unacknowledged"
                assert told["alarms"][0]["state"] == expected
        await hub.stop()
