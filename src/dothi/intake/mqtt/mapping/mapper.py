"""Messages to rows: the one mapping that both modes of the MQTT door use. Pure, no I/O."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import pyarrow as pa
from msgspec import Struct

from dothi.intake.mqtt.mapping.bad_payload import BadPayload
from dothi.intake.mqtt.mapping.found import Finding
from dothi.intake.mqtt.mapping.inbound import Inbound
from dothi.intake.mqtt.mapping.json_payload import read_json
from dothi.intake.mqtt.mapping.plain_payload import read_plain
from dothi.intake.mqtt.mapping.senml import read_senml
from dothi.intake.mqtt.mapping.target import CompiledRule, Target
from dothi.intake.mqtt.settings import DEFAULT_RULES, MqttSettings
from dothi.model.batch import Rejection
from dothi.model.quality import UNSET, Quality
from dothi.model.row import EMPTY_ROWS, rows_table

_COLUMNS = (
    "source", "entity", "entity_type", "attribute",
    "number", "text", "body", "unit", "quality", "kind", "observed_at", "dataset",
)  # fmt: skip
_SOURCE = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SAMPLE = 300
_READERS: dict[str, Callable[[Target, bytes, int, int], list[Finding]]] = {
    "json": read_json,
    "plain": read_plain,
    "senml": read_senml,
}


class Mapped(Struct, frozen=True):
    """What a group of messages became."""

    rows: pa.Table
    """ROW_SCHEMA."""
    rejected: tuple[Rejection, ...]
    reasons: tuple[str, ...]
    """Per message: empty when something of it can be stored, else why not."""


class Mapper:
    """Holds the compiled rules; remembers what each topic means."""

    def __init__(self, settings: MqttSettings) -> None:
        """Raises Problem: a rule cannot be understood."""
        rules = (*settings.rules, *(DEFAULT_RULES if settings.default_rules else ()))
        self._rules = [CompiledRule(rule) for rule in rules]
        self._default_source = settings.default_source
        self._max_payload_bytes = settings.max_payload_bytes
        self._target = lru_cache(maxsize=65_536)(self._find_target)

    @property
    def filters(self) -> tuple[str, ...]:
        """The topic filters of all rules, each once."""
        return tuple(dict.fromkeys(rule.pattern.filter for rule in self._rules))

    def map(self, messages: Sequence[Inbound]) -> Mapped:
        """Rows and rejections of the messages; never raises for what is in them."""
        rows: list[tuple[object, ...]] = []
        refusals = _Refusals()
        reasons: list[str] = []
        for message in messages:
            before = len(rows)
            reason = self._map_one(message, rows, refusals)
            reasons.append("" if len(rows) > before else reason)
        if not rows:
            return Mapped(EMPTY_ROWS, refusals.all(), tuple(reasons))
        columns: dict[str, object] = dict(
            zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)
        )
        return Mapped(rows_table(columns), refusals.all(), tuple(reasons))

    def reject(self, message: Inbound, reason: str, detail: str) -> Rejection:
        """The message as a rejection."""
        return _rejection(
            message.source or self._default_source, message, BadPayload(reason, detail)
        )

    def _map_one(
        self, message: Inbound, rows: list[tuple[object, ...]], refusals: "_Refusals"
    ) -> str:
        """The reason when nothing could be read ("" also for what needs no reading)."""
        if message.is_silent:
            return ""
        source = message.source or self._default_source
        reason = ""
        try:
            target = self._admissible(message)
            if message.source is None:
                source = self._source(target)
            quality = int(Quality.UNCERTAIN) if message.is_stale else UNSET
            read = _READERS[target.rule.rule.format]
            for found in read(target, message.payload, message.received_us, quality):
                if isinstance(found, BadPayload):
                    reason = reason or found.reason
                    refusals.add(source, message, found)
                else:
                    rows.append((source, *found[:3], *found.value))
        except BadPayload as bad:
            refusals.add(source, message, bad)
            return bad.reason
        except RecursionError:
            refusals.add(
                source, message, BadPayload("json_too_deep", "the JSON is nested too deeply")
            )
            return "json_too_deep"
        return reason

    def _admissible(self, message: Inbound) -> Target:
        if message.fault:
            raise BadPayload("packet_malformed", message.fault)
        size = message.cut or len(message.payload)
        if message.cut or size > self._max_payload_bytes:
            raise BadPayload(
                "message_too_large",
                f"{size} bytes, the limit is {self._max_payload_bytes} (mqtt.max_payload_bytes)",
            )
        target = self._target(message.topic)
        if target is None:
            raise BadPayload(
                "topic_unknown", f"no rule of [mqtt] fits the topic {message.topic!r:.200}"
            )
        if not message.payload:
            raise BadPayload("message_empty", "the message holds nothing")
        return target

    def _find_target(self, topic: str) -> Target | None:
        for rule in self._rules:
            target = rule.target(topic)
            if target is not None:
                return target
        return None

    def _source(self, target: Target) -> str:
        if not target.rule.source.text:
            return self._default_source
        source = target.rule.source.render(lambda name: target.look_up(name, None))
        if not _SOURCE.fullmatch(source):
            raise BadPayload(
                "source_invalid", f"{source!r:.120} is no source id: letters, digits, `-`, `_`, `.`"
            )
        return source


class _Refusals:
    """Rejections, the same ones folded into a count."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, int | None], tuple[Rejection, int]] = {}

    def add(self, source: str, message: Inbound, bad: BadPayload) -> None:
        key = (source, bad.reason, bad.detail, bad.row)
        known = self._found.get(key)
        if known is None:
            self._found[key] = (_rejection(source, message, bad), 1)
        else:
            self._found[key] = (known[0], known[1] + 1)

    def all(self) -> tuple[Rejection, ...]:
        return tuple(
            Rejection(r.source, r.reason, r.detail, r.row, r.sample, count)
            for r, count in self._found.values()
        )


def _rejection(source: str, message: Inbound, bad: BadPayload) -> Rejection:
    sample = message.payload[:_SAMPLE].decode(errors="replace").replace("\0", "\\0")
    where = f"topic {message.topic!r:.200}: " if message.topic else ""
    return Rejection(source, bad.reason, where + bad.detail, bad.row, sample)
