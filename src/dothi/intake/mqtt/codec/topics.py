"""Topic filters (MQTT 5.0, clause 4.7)."""

from dothi.intake.mqtt.codec.reasons import PacketError, Reason

SHARED_PREFIX = "$share/"


def check_filter(topic_filter: str) -> None:
    """Raises PacketError when it is not a topic filter."""
    if not topic_filter:
        raise PacketError(Reason.TOPIC_FILTER_INVALID, "empty topic filter")
    levels = topic_filter.split("/")
    for position, level in enumerate(levels):
        if "#" in level and (level != "#" or position != len(levels) - 1):
            raise PacketError(
                Reason.TOPIC_FILTER_INVALID,
                f"`#` must be the whole last level of a filter: {topic_filter!r}",
            )
        if "+" in level and level != "+":
            raise PacketError(
                Reason.TOPIC_FILTER_INVALID,
                f"`+` must be a whole level of a filter: {topic_filter!r}",
            )


def matches(topic_filter: str, topic: str) -> bool:
    """Whether the filter selects the topic; wildcards do not reach topics that begin with `$`."""
    if topic[:1] == "$" and topic_filter[:1] in ("+", "#"):
        return False
    wanted, given = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        if len(given) < len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(
        w in ("+", g) for w, g in zip(wanted, given, strict=True)
    )


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic that `narrow` selects is selected by `wide` too."""
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    for position, level in enumerate(wide_levels):
        if level == "#":
            return True
        if position >= len(narrow_levels):
            return False
        other = narrow_levels[position]
        if other == "#" or (level != "+" and level != other):
            return False
    return len(wide_levels) == len(narrow_levels)
