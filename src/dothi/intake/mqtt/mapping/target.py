"""What a topic means under the rules: the part of the mapping that is the same for each message."""

from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dothi.intake.mqtt.codec.reasons import PacketError
from dothi.intake.mqtt.mapping.entity_ids import entity_uri
from dothi.intake.mqtt.mapping.templates import PAYLOAD, Template, TopicPattern, find_path
from dothi.intake.mqtt.mapping.values import Defaults
from dothi.intake.mqtt.settings import FieldRule, Rule
from dothi.model.problem import Problem


class CompiledRule:
    """A Rule with its patterns parsed once."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.pattern = _pattern(rule)
        self.entity = Template(rule.entity)
        self.type = Template(rule.type)
        self.attribute = Template(rule.attribute)
        self.source = Template(rule.source)
        self.zone = _zone(rule)
        templates = (self.entity, self.type, self.attribute, self.source)
        used = {path for t in templates for path in t.payload_paths} | {rule.time}
        self.reserved = frozenset(path for path in used if "." not in path)
        """Top-level keys of a JSON payload that say something about the message itself."""
        self.fields = {
            key: FieldRule(attribute=field) if isinstance(field, str) else field
            for key, field in rule.fields.items()
        }

    def target(self, topic: str) -> "Target | None":
        """None when the topic does not fit."""
        variables = self.pattern.match(topic)
        return None if variables is None else Target(self, variables)


class Target(NamedTuple):
    """A rule and the variables that one topic gives it."""

    rule: CompiledRule
    variables: Mapping[str, str]

    def look_up(self, name: str, payload: object) -> str | None:
        """A variable of the topic, or a scalar inside the payload."""
        if not name.startswith(PAYLOAD):
            return self.variables.get(name)
        found = find_path(payload, name[len(PAYLOAD) :])
        if isinstance(found, str) and found:
            return found
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        return None

    def entity(self, payload: object) -> tuple[str, str]:
        """(URI, type). Raises BadPayload."""
        rule = self.rule
        return entity_uri(
            rule.entity.render(lambda name: self.look_up(name, payload)),
            rule.type.render(lambda name: self.look_up(name, payload)),
        )

    def attribute(self, payload: object) -> str:
        """Raises BadPayload; empty: the payload names the attributes."""
        return self.rule.attribute.render(lambda name: self.look_up(name, payload))

    def defaults(self, observed_us: int | None, quality: int) -> Defaults:
        return Defaults(observed_us, self.rule.rule.unit or None, quality, zone=self.rule.zone)


def _pattern(rule: Rule) -> TopicPattern:
    try:
        return TopicPattern(rule.topic)
    except PacketError as error:
        raise Problem(
            "bad_setting",
            "Unusable topic",
            error.detail,
            where=f"mqtt.rules, topic {rule.topic}",
            remedy="levels are text, `{variable}` or `+`; `#` may stand at the end",
        ) from None


def _zone(rule: Rule) -> ZoneInfo | None:
    if not rule.zone:
        return None
    try:
        return ZoneInfo(rule.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Problem(
            "bad_setting",
            "Unknown time zone",
            f"{rule.zone!r} is not in the tz database",
            where=f"mqtt.rules, topic {rule.topic}",
            remedy='write a name such as "Asia/Ho_Chi_Minh"',
        ) from None
