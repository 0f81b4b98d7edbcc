"""Which subscriptions a change may concern, without looking at all of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from dothi.facades.ngsi_ld.subscriptions.model import Selector, Subscription, Trigger
from dothi.model.condition import AllOf, AnyOf, Condition, HasType

_ANY = "*"
_ATTRIBUTE_TRIGGERS = Trigger.ENTITY_UPDATED
Key = tuple[str, str, str]
"""Id, type, attribute; each may be "*". """


class SubscriptionIndex:
    """Subscriptions by what they name: an id, else a type, with the attributes they watch."""

    def __init__(self) -> None:
        self._by_key: dict[Key, dict[int, Subscription]] = defaultdict(dict)
        self._keys: dict[int, list[Key]] = {}
        self._places: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, subscription: Subscription) -> None:
        """Add it, or what became of it."""
        self.remove(subscription.number)
        keys = list(dict.fromkeys(_keys(subscription)))
        self._keys[subscription.number] = keys
        for key in keys:
            self._by_key[key][subscription.number] = subscription
            self._places[key[:2]] += 1

    def remove(self, number: int) -> None:
        for key in self._keys.pop(number, ()):
            del self._by_key[key][number]
            self._places[key[:2]] -= 1
            if not self._places[key[:2]]:
                del self._places[key[:2]]
            if not self._by_key[key]:
                del self._by_key[key]

    def may_concern(self, entity: str, types: Iterable[str]) -> bool:
        """Whether some subscription is about such an entity, whatever its attributes."""
        places = ((entity, _ANY), *((_ANY, name) for name in (*types, _ANY)))
        return any(place in self._places for place in places)

    def candidates(
        self, entity: str, types: Iterable[str], attributes: Iterable[str]
    ) -> list[Subscription]:
        """Those that may match, in the order of their numbers."""
        found: dict[int, Subscription] = {}
        names = (*attributes, _ANY)
        for place in ((entity, _ANY), *((_ANY, name) for name in (*types, _ANY))):
            for name in names:
                found |= self._by_key.get((*place, name), {})
        return [found[number] for number in sorted(found)]


def _keys(subscription: Subscription) -> Iterator[Key]:
    only_attributes = not subscription.triggers & ~_ATTRIBUTE_TRIGGERS
    watched = sorted(subscription.watched) if only_attributes else []
    for selector in subscription.selectors or (Selector(None),):
        for place in _places(selector):
            for name in watched or [_ANY]:
                yield (*place, name)


def _places(selector: Selector) -> list[tuple[str, str]]:
    if selector.ids:
        return [(one, _ANY) for one in selector.ids]
    return [(_ANY, name) for name in _leading_types(selector.types)]


def _leading_types(selection: Condition | None) -> list[str]:
    """Types of which every match has at least one."""
    match selection:
        case HasType(name):
            return [name]
        case AllOf(parts):
            return min((_leading_types(part) for part in parts), key=len)
        case AnyOf(parts):
            return [name for part in parts for name in _leading_types(part)]
    return [_ANY]
