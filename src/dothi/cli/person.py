"""`dothi person`: who works here, and the links that sign them in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, open_folder, with_data_dir, with_settings_file
from dothi.model.person import Person
from dothi.model.problem import Problem

if TYPE_CHECKING:
    from dothi.app.stores import Registers

_BY = "administrator"


@click.group()
def person() -> None:
    """People, their positions and login links. Also works while dothi runs."""


@person.command(cls=needs(Permission.PEOPLE_ADMINISTER))
@click.argument("person_id")
@click.option("--name", required=True, help="The full name.")
@click.option("--position", "positions", multiple=True, help="May be given several times.")
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@click.option(
    "--contact", "contacts", multiple=True, metavar="CHANNEL=ADDRESS", help="email=…, sms=…"
)
@with_data_dir
@with_settings_file
def add(
    person_id: str,
    data_dir: Path,
    config_file: Path | None,
    contacts: tuple[str, ...],
    **details: str | tuple[str, ...],
) -> None:
    """Add PERSON_ID and print a one-time login link."""
    from dothi.access.person import checked_person
    from dothi.app.people import known_positions

    settings = load_settings(data_dir, config_file).settings
    given = Person(person_id, contacts=_contacts(contacts), **details)  # type: ignore[arg-type]
    checked = checked_person(given, known_positions(settings.access))
    with _registers(data_dir) as registers:
        if not registers.people.add(checked, _BY):
            raise Problem(
                "person_exists",
                "The id is taken",
                f"{person_id} is there already, perhaps among those who left",
                409,
                remedy=f"take another id; a new link: dothi person link {person_id}",
            )
    _print_link(data_dir, config_file, person_id)


@person.command("list", cls=needs(Permission.READ))
@with_data_dir
def list_people(data_dir: Path) -> None:
    """List everybody, those who left included."""
    with _registers(data_dir) as registers:
        for found in registers.people.all():
            state = "" if found.is_active else "  (left)"
            click.echo(f"{found.id:<24} {','.join(found.positions):<28} {found.name}{state}")


@person.command(cls=needs(Permission.PEOPLE_ADMINISTER))
@click.argument("person_id")
@with_data_dir
@with_settings_file
def link(person_id: str, data_dir: Path, config_file: Path | None) -> None:
    """Print a new one-time login link of PERSON_ID; older unused ones stop working."""
    with _registers(data_dir) as registers:
        if not _known(registers, person_id).is_active:
            raise Problem("person_left", "This person has left", person_id, 409)
    _print_link(data_dir, config_file, person_id)


@person.command(cls=needs(Permission.PEOPLE_ADMINISTER))
@click.argument("person_id")
@with_data_dir
def deactivate(person_id: str, data_dir: Path) -> None:
    """PERSON_ID has left: signed out everywhere; what she or he did stays in the records."""
    with _registers(data_dir) as registers:
        registers.people.change(replace(_known(registers, person_id), is_active=False), _BY)
    click.echo(f"{person_id} deactivated")


def _contacts(given: tuple[str, ...]) -> dict[str, str]:
    contacts = {}
    for one in given:
        channel, equals, address = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!r} is not CHANNEL=ADDRESS", param_hint="--contact")
        contacts[channel] = address
    return contacts


def _print_link(data_dir: Path, config_file: Path | None, person_id: str) -> None:
    from dothi.app.offline import make_login_link

    settings = load_settings(data_dir, config_file).settings
    click.echo(make_login_link(settings, open_folder(data_dir), person_id))


@contextmanager
def _registers(data_dir: Path) -> "Iterator[Registers]":
    from dothi.app.stores import open_registers
    from dothi.ports.clock import SystemClock

    folder = open_folder(data_dir)
    folder.require()
    with open_registers(folder, SystemClock()) as registers:
        yield registers


def _known(registers: "Registers", person_id: str) -> Person:
    found = registers.people.get(person_id)
    if found is None:
        raise Problem(
            "person_not_found",
            "No such person",
            person_id,
            404,
            remedy="`dothi person list` shows them, `dothi person add` makes one",
        )
    return found
