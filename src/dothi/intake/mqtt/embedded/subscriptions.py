"""Who wants which topics: a tree of topic levels."""

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

S = TypeVar("S")


class Subscription(NamedTuple):
    """What one subscriber asked for under one filter."""

    qos: int
    no_local: bool = False
    retain_as_published: bool = False
    identifier: int = 0
    """Subscription Identifier of MQTT 5; 0: none."""


class Delivery(NamedTuple):
    """All subscriptions of one subscriber that a topic fits, taken together."""

    qos: int
    no_local: bool
    retain_as_published: bool
    identifiers: tuple[int, ...]


class _Node(Generic[S]):
    __slots__ = ("children", "subscribers")

    def __init__(self) -> None:
        self.children: dict[str, _Node[S]] = {}
        self.subscribers: dict[S, Subscription] = {}


class Subscriptions(Generic[S]):
    """Filters of subscribers; `match` costs by the levels of the topic, not by their number."""

    def __init__(self) -> None:
        self._root: _Node[S] = _Node()
        self._count = 0

    def add(self, subscriber: S, topic_filter: str, subscription: Subscription) -> bool:
        """False when it replaced one with the same filter."""
        node = self._root
        for level in topic_filter.split("/"):
            node = node.children.setdefault(level, _Node())
        is_new = subscriber not in node.subscribers
        node.subscribers[subscriber] = subscription
        self._count += is_new
        return is_new

    def remove(self, subscriber: S, topic_filter: str) -> bool:
        """False when there was none."""
        path, node = [], self._root
        for level in topic_filter.split("/"):
            child = node.children.get(level)
            if child is None:
                return False
            path.append((node, level))
            node = child
        if node.subscribers.pop(subscriber, None) is None:
            return False
        self._count -= 1
        for parent, level in reversed(path):
            child = parent.children[level]
            if child.children or child.subscribers:
                break
            del parent.children[level]
        return True

    def match(self, topic: str) -> dict[S, Delivery]:
        """Each subscriber once, with the highest QoS of its fitting filters."""
        found: dict[S, Delivery] = {}
        if not self._count:
            return found
        for node in self._nodes(topic.split("/")):
            for subscriber, one in node.subscribers.items():
                other = found.get(subscriber)
                ids = (one.identifier,) if one.identifier else ()
                if other is None:
                    found[subscriber] = Delivery(
                        one.qos, one.no_local, one.retain_as_published, ids
                    )
                else:
                    found[subscriber] = Delivery(
                        max(one.qos, other.qos),
                        one.no_local and other.no_local,
                        one.retain_as_published or other.retain_as_published,
                        other.identifiers + ids,
                    )
        return found

    def _nodes(self, levels: list[str]) -> Iterator[_Node[S]]:
        nodes = [self._root]
        for depth, level in enumerate(levels):
            following = []
            # Wildcards do not reach topics that begin with `$` (clause 4.7.2).
            wildcards = depth > 0 or not level.startswith("$")
            for node in nodes:
                if wildcards and "#" in node.children:
                    yield node.children["#"]
                if wildcards and "+" in node.children:
                    following.append(node.children["+"])
                if level in node.children:
                    following.append(node.children[level])
            nodes = following
        for node in nodes:
            yield node
            if "#" in node.children:  # `a/#` fits `a` too
                yield node.children["#"]
