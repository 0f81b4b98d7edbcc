"""`dothi source`: who sends, and their tokens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dothi.access.permission import Permission
from dothi.access.principal import ADMINISTRATOR
from dothi.cli.command import needs, open_folder, with_data_dir
from dothi.model.problem import Problem

if TYPE_CHECKING:
    from dothi.model.source import Source
    from dothi.ports.registry import Sources

F = TypeVar("F", bound=Callable[..., Any])


def _details(*, is_new: bool) -> Callable[[F], F]:
    """The options that describe a source."""
    options = (
        click.option(
            "--name", help="What people read.", show_default="the id" if is_new else False
        ),
        click.option(
            "--kind",
            default="mqtt" if is_new else None,
            show_default=is_new,
            help="mqtt, http, file, pull, …",
        ),
        click.option("--owner", help="Who answers for it."),
        click.option("--cadence-s", type=float, help="Expected seconds between messages."),
        click.option("--licence", help="Under which its data may be used."),
        click.option(
            "--may-write-others/--own-series-only",
            default=None,
            help="A gateway that reports for others may write series of other sources.",
        ),
    )

    def add_all(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add_all


@click.group()
def source() -> None:
    """Sources and their device tokens. Also works while dothi runs."""


@source.command(cls=needs(Permission.ADMINISTER))
@click.argument("source_id")
@_details(is_new=True)
@with_data_dir
def add(source_id: str, data_dir: Path, **details: str | float | bool | None) -> None:
    """Add SOURCE_ID and print its first device token, once."""
    from dothi.app.sources import make_source

    with _sources(data_dir, "source_saved", source_id) as sources:
        if sources.get(source_id) is not None:
            raise Problem(
                "source_exists",
                "The source is there already",
                source_id,
                409,
                remedy=f"a new token: dothi source token {source_id}",
            )
        sources.put(make_source(source_id, details))
    with _sources(data_dir, "token_issued", source_id) as sources:
        click.echo(sources.issue_token(source_id))


@source.command(cls=needs(Permission.ADMINISTER))
@click.argument("source_id")
@_details(is_new=False)
@with_data_dir
def change(source_id: str, data_dir: Path, **details: str | float | bool | None) -> None:
    """Change what is given of SOURCE_ID; the rest stays."""
    from dothi.app.sources import change_source

    with _sources(data_dir, "source_saved", source_id) as sources:
        sources.put(change_source(_require(sources, source_id), details))


@source.command("list", cls=needs(Permission.READ))
@with_data_dir
def list_sources(data_dir: Path) -> None:
    """List every source."""
    with _sources(data_dir) as sources:
        for found in sources.all():
            state = "  (may write others)" if found.may_write_others else ""
            state += "" if found.is_enabled else "  (disabled)"
            click.echo(f"{found.id:<32} {found.kind:<8} {found.origin:<10} {found.name}{state}")


@source.command(cls=needs(Permission.ADMINISTER))
@click.argument("source_id")
@with_data_dir
def token(source_id: str, data_dir: Path) -> None:
    """Print a new device token of SOURCE_ID; it is shown only here."""
    with _sources(data_dir, "token_issued", source_id) as sources:
        _require(sources, source_id)
        click.echo(sources.issue_token(source_id))


@source.command(cls=needs(Permission.ADMINISTER))
@click.argument("source_id")
@with_data_dir
def revoke(source_id: str, data_dir: Path) -> None:
    """End all tokens of SOURCE_ID; a running server notices within seconds."""
    with _sources(data_dir, "tokens_revoked", source_id) as sources:
        _require(sources, source_id)
        click.echo(f"{sources.revoke_tokens(source_id)} revoked")


@source.command(cls=needs(Permission.ADMINISTER))
@click.argument("source_id")
@with_data_dir
def release(source_id: str, data_dir: Path) -> None:
    """Let go of the series of SOURCE_ID, e.g. when another device takes its place.

    Each goes to the next source that sends a value for it; the values stay as they are. Revoke
    the tokens of a device that still sends first, or it takes its series again.
    """
    from dothi.app.releasing import release_series

    with _sources(data_dir) as sources:
        _require(sources, source_id)
    click.echo(f"{release_series(open_folder(data_dir), source_id)} series released")


@contextmanager
def _sources(data_dir: Path, action: str = "", source_id: str = "") -> Iterator["Sources"]:
    """`action`: what is done, for the audit record."""
    from dothi.app.stores import open_registers
    from dothi.model.audit import Deed
    from dothi.ports.clock import SystemClock

    folder = open_folder(data_dir)
    folder.require()
    with open_registers(folder, SystemClock()) as registers:
        deed = Deed(ADMINISTRATOR.name, action, f"source:{source_id}", {"by": "command"})
        deed.is_told = not action
        with registers.audit.attended(deed):
            yield registers.sources


def _require(sources: "Sources", source_id: str) -> "Source":
    found = sources.get(source_id)
    if found is None:
        raise Problem(
            "no_such_source",
            "No such source",
            source_id,
            404,
            remedy="`dothi source list` shows them, `dothi source add` makes one",
        )
    return found
