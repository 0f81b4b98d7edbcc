"""`dothi source`: who sends, and their tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dothi.access.permission import Permission
from dothi.cli.command import needs, open_folder, with_data_dir
from dothi.model.problem import Problem

if TYPE_CHECKING:
    from dothi.ports.registry import Sources


@click.group()
def source() -> None:
    """Sources and their device tokens. Also works while dothi runs."""


@source.command(cls=needs(Permission.ADMINISTER))
@click.argument("source_id")
@click.option("--name", help="What people read. [default: the id]")
@click.option("--kind", default="mqtt", show_default=True, help="mqtt, http, file, pull, …")
@click.option("--owner", default="", help="Who answers for it.")
@click.option("--cadence-s", type=float, help="Expected seconds between messages.")
@click.option("--licence", default="", help="Under which its data may be used.")
@with_data_dir
def add(source_id: str, data_dir: Path, **details: str | float | None) -> None:
    """Add SOURCE_ID and print its first device token, once."""
    from dothi.app.sources import make_source

    with _sources(data_dir) as sources:
        if sources.get(source_id) is not None:
            raise Problem(
                "source_exists",
                "The source is there already",
                source_id,
                409,
                remedy=f"a new token: dothi source token {source_id}",
            )
        sources.put(make_source(source_id, details))
        click.echo(sources.issue_token(source_id))


@source.command("list", cls=needs(Permission.READ))
@with_data_dir
def list_sources(data_dir: Path) -> None:
    """List every source."""
    with _sources(data_dir) as sources:
        for found in sources.all():
            state = "" if found.is_enabled else "  (disabled)"
            click.echo(f"{found.id:<32} {found.kind:<8} {found.origin:<10} {found.name}{state}")


@source.command(cls=needs(Permission.ADMINISTER))
@click.argument("source_id")
@with_data_dir
def token(source_id: str, data_dir: Path) -> None:
    """Print a new device token of SOURCE_ID; it is shown only here."""
    with _sources(data_dir) as sources:
        _require(sources, source_id)
        click.echo(sources.issue_token(source_id))


@source.command(cls=needs(Permission.ADMINISTER))
@click.argument("source_id")
@with_data_dir
def revoke(source_id: str, data_dir: Path) -> None:
    """End all tokens of SOURCE_ID; a running server notices within seconds."""
    with _sources(data_dir) as sources:
        _require(sources, source_id)
        click.echo(f"{sources.revoke_tokens(source_id)} revoked")


@contextmanager
def _sources(data_dir: Path) -> Iterator["Sources"]:
    from dothi.app.stores import open_registers
    from dothi.ports.clock import SystemClock

    folder = open_folder(data_dir)
    folder.require()
    with open_registers(folder, SystemClock()) as registers:
        yield registers.sources


def _require(sources: "Sources", source_id: str) -> None:
    if sources.get(source_id) is None:
        raise Problem(
            "no_such_source",
            "No such source",
            source_id,
            404,
            remedy="`dothi source list` shows them, `dothi source add` makes one",
        )
