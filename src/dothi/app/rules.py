"""Rules in this program: the engine, and the rules that the example brings."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from dothi.api.layers import Layer
from dothi.model.attribute_spec import AttributeSpec
from dothi.model.rule import Words
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.rules import Rules
from dothi.ports.state import State
from dothi.rules.engine import Engine
from dothi.rules.facts import StateFacts
from dothi.rules.reading import read_rules
from dothi.rules.wording import NO_WORDS, Vocabulary

RULE_FILE = "rules.toml"


def vocabulary_of(layers: Sequence[Layer], specs: Mapping[str, AttributeSpec]) -> Vocabulary:
    """What texts of alarms call attributes, and the units to which their values are converted."""
    units = {layer.attribute: layer.unit for layer in layers if layer.unit}
    units |= {name: spec.unit for name, spec in specs.items() if spec.unit}
    names = {layer.attribute: Words(vi=layer.title.vi, en=layer.title.en) for layer in layers}
    return Vocabulary(names, units)


def rule_engine(
    rules: Rules, state: State, areas: Areas, clock: Clock, vocabulary: Vocabulary = NO_WORDS
) -> Engine:
    """An engine whose timers do not mind jumps of the clock; `load` puts rules in force.

    When `rules.revision()` has risen: `set_limits(rules.limits())`, then `load` again.
    """
    facts = StateFacts(state, areas, clock)
    return Engine(
        facts,
        rules.limits(),
        area_shape=facts.area_shape,
        monotonic=time.monotonic,
        vocabulary=vocabulary,
    )


def bring_rules(file: Path, rules: Rules, author: str, at: datetime) -> int:
    """Put the rules of a TOML file in force that are not known yet; gives how many.

    Rules that somebody changed since stay as they are; limit tables are brought when missing.

    Raises:
        Problem: `bad_rule`; nothing was stored.
        OSError: the file cannot be read.
    """
    found, tables = read_rules(file.read_bytes(), file.name)
    known_tables = {table.name for table in rules.limits()}
    rules.put_limits([table for table in tables if table.name not in known_tables])
    known = {record.id for record in rules.all()}
    fresh = [rule for rule in found if rule.id not in known]
    for rule in fresh:
        made = rules.add(msgspec.structs.replace(rule, author=author), at)
        rules.approve(made.id, made.version, author, at)
    return len(fresh)
