"""What somebody may do. Every route, door and command names one."""

from enum import StrEnum


class Permission(StrEnum):
    PUBLIC = "public"
    """Needs no identity: health, the login page, static files of the console."""
    READ = "read"
    """See entities, history, sources, areas."""
    WRITE_OBSERVATIONS = "observations:write"
    """Send observations for a source."""
    WRITE_ENTITIES = "entities:write"
    WRITE_RULES = "rules:write"
    """Write drafts of rules."""
    APPROVE_RULES = "rules:approve"
    """Put rules in force, switch them on and off, set dated limits."""
    ADMINISTER = "administer"
    """Sources, tokens, settings."""
