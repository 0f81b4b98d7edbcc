"""Walks the types of settings: which keys there are, and which given ones there are not."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from dothi.model.problem import Problem


def fields_of(struct: type[msgspec.Struct]) -> dict[str, inspect.Field]:
    """The fields of a settings Struct by name."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return {field.encode_name: field for field in info.fields}


def field_type(struct: type[msgspec.Struct], dotted: str) -> Any:
    """The annotation of a dotted key. Raises Problem when there is no such key."""
    at: Any = struct
    done: list[str] = []
    for part in dotted.split("."):
        known = {f.name: f.type for f in msgspec.structs.fields(at)} if _is_struct(at) else {}
        if part not in known:
            raise unknown_key(".".join([*done, part]), list(known), "the environment")
        at = known[part]
        done.append(part)
    return at


def check_keys(data: Mapping[str, Any], struct: type[msgspec.Struct], where: str) -> None:
    """Raise Problem for the first key of `data` that the settings do not have."""
    for path, known in _unknown(data, inspect.type_info(struct), ""):
        raise unknown_key(path, known, where)


def unknown_key(path: str, known: list[str], where: str) -> Problem:
    """An unknown key, with the nearest known one as the remedy."""
    last = path.rpartition(".")[2]
    near = difflib.get_close_matches(last, known, n=1, cutoff=0.4)
    parent = path.rpartition(".")[0]
    hint = f"did you mean `{f'{parent}.' if parent else ''}{near[0]}`? " if near else ""
    return Problem(
        "unknown_setting",
        "Unknown setting",
        f"`{path}` is not a setting",
        where=where,
        remedy=f"{hint}known here: {', '.join(sorted(known)) or 'none'}",
    )


def leaves(settings: msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of the settings with its dotted key; lists and tables are one value."""
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, msgspec.Struct):
            yield from leaves(value, f"{prefix}{field.encode_name}.")
        else:
            yield f"{prefix}{field.encode_name}", value


def _unknown(data: Any, info: inspect.Type, path: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(info, inspect.UnionType):
        options = [t for t in info.types if isinstance(t, inspect.StructType)]
        if len(options) > 1 and isinstance(data, Mapping):
            options = [t for t in options if data.get(t.tag_field or "") == t.tag]
        if len(options) == 1:
            yield from _unknown(data, options[0], path)
    elif isinstance(info, inspect.StructType) and isinstance(data, Mapping):
        yield from _unknown_in_struct(data, info, path)
    elif isinstance(info, inspect.ListType | inspect.VarTupleType) and isinstance(data, list):
        for index, item in enumerate(data):
            yield from _unknown(item, info.item_type, f"{path}[{index}]")
    elif isinstance(info, inspect.DictType) and isinstance(data, Mapping):
        for key, item in data.items():
            yield from _unknown(item, info.value_type, f"{path}.{key}")


def _unknown_in_struct(
    data: Mapping[str, Any], info: inspect.StructType, path: str
) -> Iterator[tuple[str, list[str]]]:
    fields = {field.encode_name: field.type for field in info.fields}
    for key, item in data.items():
        here = f"{path}.{key}" if path else key
        if key in fields:
            yield from _unknown(item, fields[key], here)
        elif key != info.tag_field:
            yield here, list(fields)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
