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
        self.unit = rule.unit or None
        templates = (self.entity, self.type, self.attribute, self.source)
        used = {path for t in templates for path in t.payload_paths} | {rule.time}
        prefix = f"{rule.root}." if rule.root else ""
        within = (path.removeprefix(prefix) for path in used if path.startswith(prefix))
        self.reserved = frozenset(path for path in within if "." not in path)
        """Keys beside the values that say something about the message itself."""
        self.fields = {
            key: FieldRule(attribute=field) if isinstance(field, str) else field
            for key, field in rule.fields.items()
        }

    def target(self, topic: str) -> "Target | None":
        """None when the topic does not fit."""
        variables = self.pattern.match(topic)
        if variables is None:
            return None
        return Target(
            self,
            variables,
            self._known(self.entity, variables),
            self._known(self.attribute, variables),
        )

    def _known(self, template: Template, variables: Mapping[str, str]) -> str | None:
        """The text, where the topic alone says it."""
        if self.rule.format == "senml" or not variables.keys() >= set(template.names):
            return None
        return template.render(variables.get)


class Target(NamedTuple):
    """A rule and the variables that one topic gives it."""

    rule: CompiledRule
    variables: Mapping[str, str]
    known_entity: str | None = None
    known_attribute: str | None = None

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
        rule, given = self.rule, self.known_entity
        if given is None:
            given = rule.entity.render(lambda name: self.look_up(name, payload))
        return entity_uri(given, rule.type.render(lambda name: self.look_up(name, payload)))

    def attribute(self, payload: object) -> str:
        """Raises BadPayload; empty: the payload names the attributes."""
        if self.known_attribute is not None:
            return self.known_attribute
        return self.rule.attribute.render(lambda name: self.look_up(name, payload))

    def defaults(self, observed_us: int | None, quality: int) -> Defaults:
        return Defaults(observed_us, self.rule.unit, quality, 1.0, self.rule.zone)


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
