"""What the example remembers between starts, in the data folder."""

import os
from pathlib import Path

import msgspec

from dothi.ports.registry import Sources


class ExampleMemory(msgspec.Struct, kw_only=True):
    """`<data>/example.json`."""

    areas_digest: str = ""
    filled_to_us: int = 0
    """History is complete up to here."""


def read_memory(data_folder: Path) -> ExampleMemory:
    """What was written last; a fresh one when there is none or it cannot be read."""
    try:
        return msgspec.json.decode(_path(data_folder).read_bytes(), type=ExampleMemory)
    except (FileNotFoundError, msgspec.DecodeError):
        return ExampleMemory()


def write_memory(data_folder: Path, memory: ExampleMemory) -> None:
    """Replaces the file whole, so that a crash leaves the old or the new one."""
    path = _path(data_folder)
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.encode(memory))
    partial.replace(path)


def ready_tokens(data_folder: Path, sources: Sources, wanted: list[str]) -> dict[str, str]:
    """A working device token per source, kept in `<data>/secrets/` readable by its owner only."""
    path = data_folder / "secrets" / "example-tokens.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    known: dict[str, str] = {}
    if path.is_file():
        known = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    tokens = {name: known.get(name) or sources.issue_token(name) for name in wanted}
    for name, token in tokens.items():
        owner = sources.source_of_token(token)
        if owner is None or owner.id != name:
            tokens[name] = sources.issue_token(name)
    if tokens != known:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(tokens))
    return tokens


def _path(data_folder: Path) -> Path:
    return data_folder / "example.json"
