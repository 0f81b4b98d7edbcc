"""Language filter (clause 4.15): a LanguageProperty as a Property in the language asked for."""

from typing import Any

from msgspec.structs import replace

from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.model.row import Kind


def in_language(instance: Instance, language: str) -> Instance:
    """The instance with its text in the language; others than LanguageProperties as they are."""
    if instance.kind is not Kind.LANGUAGE_PROPERTY or not isinstance(instance.value, dict):
        return instance
    tag = _best(instance.value, language)
    members = {"lang": tag} | instance.members if tag != "@none" else instance.members
    return replace(instance, kind=Kind.PROPERTY, value=instance.value[tag], members=members)


def _best(texts: dict[str, Any], language: str) -> str:
    """The tag itself, else one of the same language, else the default one, else the first."""
    wanted = language.lower()
    by_tag = {tag.lower(): tag for tag in texts}
    while wanted:
        if wanted in by_tag:
            return by_tag[wanted]
        wanted = wanted.rpartition("-")[0]
    main = language.lower().partition("-")[0]
    near = (tag for lowered, tag in by_tag.items() if lowered.partition("-")[0] == main)
    return next(near, by_tag.get("@none", next(iter(texts))))
