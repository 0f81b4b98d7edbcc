"""The last retained message of each topic. In memory: a restart forgets them."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from dothi.intake.mqtt.codec.packets import Publish
from dothi.intake.mqtt.codec.properties import FORWARDED, Property, number
from dothi.intake.mqtt.codec.topics import matches


class Stored(NamedTuple):
    """A message that waits: retained, or queued for a subscriber."""

    message: Publish
    expires_at_s: float | None = None
    """time.monotonic() after which it is not delivered; None: never."""

    @property
    def is_expired(self) -> bool:
        return self.expires_at_s is not None and time.monotonic() >= self.expires_at_s


def stored(message: Publish) -> Stored:
    """With what a broker hands on, and the moment of expiry."""
    if not message.properties:
        return Stored(message)
    forwarded = {
        int(key): message.properties[key] for key in FORWARDED if key in message.properties
    }
    lifetime_s = number(message.properties, Property.MESSAGE_EXPIRY, -1)
    expires_at_s = time.monotonic() + lifetime_s if lifetime_s >= 0 else None
    return Stored(message._replace(properties=forwarded), expires_at_s)


class Retained:
    """At most `limit` topics; a further topic is refused, known ones keep changing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_topic: dict[str, Stored] = {}

    def __len__(self) -> int:
        return len(self._by_topic)

    def put(self, one: Stored) -> bool:
        """An empty payload clears the topic. False when there is no room."""
        topic = one.message.topic
        if not one.message.payload:
            self._by_topic.pop(topic, None)
            return True
        if topic not in self._by_topic and len(self._by_topic) >= self._limit:
            return False
        self._by_topic[topic] = one
        return True

    def matching(self, topic_filter: str) -> Iterator[Stored]:
        for topic, one in list(self._by_topic.items()):
            if one.is_expired:
                del self._by_topic[topic]
            elif matches(topic_filter, topic):
                yield one
