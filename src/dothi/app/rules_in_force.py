"""The rules as the follower of the log wants them: the engine, reloaded when they change."""

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from dothi.api.layers import Layer
from dothi.app.rules import rule_engine
from dothi.app.stores import Stores
from dothi.model.alarm import RuleFacts
from dothi.model.rule import Rule
from dothi.ports.clock import Clock
from dothi.ports.evaluator import RulesInForce
from dothi.ports.rules import Rules
from dothi.rules.engine import Engine
from dothi.rules.past import attributes_of
from dothi.rules.wording import Vocabulary


def rules_in_force(
    stores: Stores, layers: Sequence[Layer], clock: Clock, vocabulary: Vocabulary
) -> RulesInForce:
    """An engine over the rules of the store; nothing is loaded yet."""
    engine = rule_engine(stores.rules, stores.state, stores.areas, clock, vocabulary)
    return RulesInForce(
        engine,
        _loader(engine, stores.rules),
        KnownRules(stores.rules, layers),
        stores.rules.revision,
    )


def _loader(engine: Engine, rules: Rules) -> Callable[[], int]:
    def load() -> int:
        in_force = rules.in_force()
        engine.set_limits(rules.limits())
        engine.load(in_force, rules.states())
        return len(in_force)

    return load


class KnownRules(Struct):
    """What an operator must know of a version of a rule, which never changes."""

    rules: Rules
    layers: Sequence[Layer]
    _kept: dict[tuple[str, int], RuleFacts] = field(default_factory=dict)

    def __call__(self, rule: str, version: int) -> RuleFacts:
        """Of a rule that is not known (any more) nothing is told."""
        key = (rule, version)
        if key not in self._kept:
            record = self.rules.get(rule)
            for one in record.versions if record else ():
                self._kept[one.id, one.version] = self._facts(one)
        return self._kept.get(key, RuleFacts())

    def _facts(self, rule: Rule) -> RuleFacts:
        return RuleFacts(
            title=rule.name.vi,
            title_en=rule.name.en,
            domain=self._domain(rule),
            consequence=rule.consequence.vi,
            consequence_en=rule.consequence.en,
            response=rule.response.vi,
            response_en=rule.response.en,
            respond_within_s=rule.time_to_respond_s,
            is_latching=rule.is_latched,
        )

    def _domain(self, rule: Rule) -> str:
        """Of the first layer of the map that shows such entities, else what the rule looks at."""
        wanted = set(rule.scope.types)
        names = {name for name, _ in attributes_of(rule.condition)}
        found = [one for one in self.layers if wanted & set(one.types)]
        found += [one for one in self.layers if one.attribute in names]
        return found[0].domain if found else ""
