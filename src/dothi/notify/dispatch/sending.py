"""One attempt to deliver: words, channel, and what follows from the outcome."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from dothi.model.delivery import Delivery, DeliveryState
from dothi.notify.dispatch.tally import ChannelTally
from dothi.notify.wording.words import Wording, Words
from dothi.ports.channel import Channel, Handed, Letter
from dothi.ports.clock import Clock
from dothi.ports.notices import Attempt, StoredNotice

logger = logging.getLogger(__name__)

Find = Callable[[int], StoredNotice | None]


class Sender:
    """Used in the event loop."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        wording: Wording,
        clock: Clock,
        retries_s: tuple[float, float],
        keep_s: float,
    ) -> None:
        """`retries_s`: the first and the longest pause before another attempt."""
        self._channels = channels
        self._wording = wording
        self._clock = clock
        self._retries_s = retries_s
        self._keep = timedelta(seconds=keep_s)
        self.tallies = {name: ChannelTally() for name in channels}

    async def send(self, delivery: Delivery, stored: StoredNotice) -> tuple[Attempt, Handed]:
        """Try once."""
        words = self._wording.words(stored.notice, delivery.language, stored.number)
        channel = self._channels.get(delivery.channel)
        if channel is None:
            # It was set up when this was planned; another start may bring it back.
            handed = Handed(DeliveryState.WAITING, "the channel is not set up", is_reached=False)
        else:
            handed = await self._try(channel, self._letter(delivery, stored, words))
        now = self._clock.now()
        if channel is not None:
            self.tallies[delivery.channel].note(handed, now)
        state, detail, due_at = handed.state, handed.detail, None
        if state is DeliveryState.WAITING:
            if now - delivery.created_at > self._keep:
                state, detail = DeliveryState.FAILED, f"given up: {detail}"
            else:
                first_s, longest_s = self._retries_s
                pause_s = min(first_s * 2.0 ** min(delivery.attempts, 30), longest_s)
                due_at = now + timedelta(seconds=pause_s)
        attempt = Attempt(
            *(delivery.number, state, now, detail, due_at),
            *(words.title, words.short if channel_is_short(delivery.channel) else words.text),
            handed.references,
        )
        return attempt, handed

    async def _try(self, channel: Channel, letter: Letter) -> Handed:
        try:
            return await channel.send(letter)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.exception("a defect of channel %s", type(channel).__name__)
            return Handed(DeliveryState.WAITING, f"a defect: {type(error).__name__}")

    def _letter(self, delivery: Delivery, stored: StoredNotice, words: Words) -> Letter:
        notice = stored.notice
        return Letter(
            key=delivery.key,
            person=delivery.person,
            address=delivery.address,
            language=delivery.language,
            priority=delivery.priority,
            notice=notice.id,
            kind=notice.kind,
            subject=notice.subject,
            at=notice.at,
            title=words.title,
            text=words.text,
            short=words.short,
            url=self._wording.url(stored.number),
        )


def channel_is_short(channel: str) -> bool:
    """Whether its letters are SMS."""
    return channel.startswith("sms")
