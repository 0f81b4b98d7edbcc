"""Which limits of a signal apply at which entity, and what a run of samples crosses."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from dothi.model.rule_condition import DatedLimit
from dothi.rules.arrays import Bools, Columns, Floats, Ints, ranges
from dothi.rules.limits import DatedLimits, Limits
from dothi.rules.plan import LeafPlan
from dothi.rules.samples import USABLE, Channel, Samples, group_starts, shifted

UNBOUND = -1


class Crossings(Struct, frozen=True):
    """Leaves whose side may have changed."""

    sample: Ints
    leaf: Ints
    turn: Ints
    """limits.OFF, ON or HELD."""
    edge: Floats


_INTS = np.zeros(0, np.int64)
_NONE = Crossings(_INTS, _INTS, _INTS, np.zeros(0))


class Binding:
    """The leaves of one signal."""

    def __init__(self, leaves: Sequence[tuple[LeafPlan, int]], dated: DatedLimits) -> None:
        """leaves: with the number of their scope."""
        self._dated = dated
        self._static: dict[int, list[LeafPlan]] = {}
        self._moving: dict[int, list[LeafPlan]] = {}
        for leaf, scope in leaves:
            kind = self._moving if isinstance(leaf.limit, DatedLimit) else self._static
            kind.setdefault(scope, []).append(leaf)
        self._blocks: dict[tuple[int, str], int] = {}
        self._profiles: dict[tuple[int, ...], int] = {}
        self._is_plain = True
        """Every profile has one block, as mostly."""
        self._flat = np.zeros(0, np.int64)
        self._starts = np.zeros(1, np.int64)
        self._profile_of = Columns(profile=UNBOUND)
        self._limits: dict[tuple[int, int], Limits] = {}
        self.channel = Channel()

    @property
    def is_dated(self) -> bool:
        return bool(self._moving)

    def reach(self, count: int) -> None:
        self._profile_of.reach(count)
        self.channel.columns.reach(count)

    def unbound(self, entities: Ints) -> Ints:
        """Those of the entities whose limits are not known yet."""
        found: Ints = entities[self._profile_of["profile"][entities] == UNBOUND]
        return found

    def unbind(self, entity: int) -> None:
        """Its rules must be looked for anew, and its next number held against all of them."""
        if entity < self._profile_of.size:
            self._profile_of["profile"][entity] = UNBOUND
            self.channel.columns["epoch"][entity] = -1

    def bind(self, entity: int, uri: str, scopes: Sequence[int]) -> None:
        """The rules of these scopes hold at the entity."""
        keys = [(scope, "") for scope in scopes if scope in self._static]
        keys += [(scope, uri) for scope in scopes if scope in self._moving]
        for key in keys:
            if key not in self._blocks:
                self._blocks[key] = len(self._blocks)
                self._limits.clear()
        blocks = tuple(self._blocks[key] for key in keys)
        if blocks not in self._profiles:
            self._profiles[blocks] = len(self._profiles)
            self._flat = np.concatenate([self._flat, np.array(blocks, np.int64)])
            self._starts = np.append(self._starts, len(self._flat))
            self._is_plain &= len(blocks) == 1
        self._profile_of["profile"][entity] = self._profiles[blocks]

    def epochs(self, us: Ints) -> Ints:
        """Which stretch between changes of limits each time lies in; all the same without any."""
        if not self._moving:
            return np.zeros(len(us), np.int64)
        edges = np.array(self._dated.edges_us, np.int64)
        return np.asarray(np.searchsorted(edges, us, side="right"), np.int64)

    def crossings(self, samples: Samples, epoch: Ints) -> tuple[Crossings, Bools]:
        """What usable samples crossed, and which samples turned from usable to not."""
        was, before, first_epoch = self.channel.before(samples)
        starts = group_starts(samples.entity)
        was_epoch = shifted(epoch, starts, first_epoch)
        turned = ~samples.is_usable & (was == USABLE)
        is_full = (was != USABLE) | (was_epoch != epoch)
        may_cross = samples.is_usable & (is_full | (before != samples.value))
        at = np.flatnonzero(may_cross)
        if not len(at):
            return _NONE, turned
        found = [
            self._crossed(
                sign,
                int(one),
                samples,
                at[epoch[at] == one] if self._moving else at,
                before,
                is_full,
            )
            for one in (np.unique(epoch[at]) if self._moving else (0,))
            for sign in (1, -1)
        ]
        return _together(found), turned

    def next_us(self, entity: Ints, value: Floats) -> Floats:
        """Of signals that rise with time: the next edge of each entity; inf: none."""
        owner, block = self._pairs(entity)
        found = np.full(len(entity), np.inf)
        limits = self._limits_of(1, 0)
        if len(owner) and not limits.is_empty:
            np.minimum.at(found, owner, limits.next_edge(block, value[owner]))
        return found

    def limit_at(self, leaf: LeafPlan, uri: str, us: int) -> float | None:
        if isinstance(leaf.limit, float):
            return leaf.limit
        found = self._dated.find(leaf.limit, uri, us)
        return None if found is None else found.value

    def _pairs(self, entity: Ints) -> tuple[Ints, Ints]:
        """Positions in `entity` and the blocks that apply there."""
        profile = self._profile_of["profile"][entity]
        if self._is_plain:
            return np.arange(len(entity)), self._flat[profile]
        places, owner = ranges(self._starts[profile], self._starts[profile + 1])
        return owner, self._flat[places]

    def _crossed(
        self, sign: int, epoch: int, samples: Samples, at: Ints, before: Floats, is_full: Bools
    ) -> Crossings:
        limits = self._limits_of(sign, epoch)
        if limits.is_empty or not len(at):
            return _NONE
        owner, block = self._pairs(samples.entity[at])
        at = at[owner]
        full = is_full[at]
        crossed = limits.crossed(block, sign * before[at], sign * samples.value[at], full)
        return Crossings(
            at[crossed.sample],
            crossed.leaf,
            crossed.turn,
            sign * crossed.limit,
        )

    def _limits_of(self, sign: int, epoch: int) -> Limits:
        if (sign, epoch) not in self._limits:
            at_us = self._dated.epoch_start_us(epoch)
            entries = []
            for (scope, uri), block in self._blocks.items():
                for leaf in (self._moving if uri else self._static).get(scope, ()):
                    limit = self.limit_at(leaf, uri, at_us) if leaf.sign == sign else None
                    if limit is not None:
                        entries.append((block, leaf, limit))
            self._limits[sign, epoch] = Limits(entries, len(self._blocks))
        return self._limits[sign, epoch]


def _together(parts: Sequence[Crossings]) -> Crossings:
    return Crossings(
        np.concatenate([p.sample for p in parts]),
        np.concatenate([p.leaf for p in parts]),
        np.concatenate([p.turn for p in parts]),
        np.concatenate([p.edge for p in parts]),
    )
