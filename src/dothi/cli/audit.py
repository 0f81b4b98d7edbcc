"""`dothi audit`: the record of who did what."""

from pathlib import Path

import click

from dothi.access.permission import Permission
from dothi.cli.command import needs, open_folder, with_data_dir
from dothi.model.problem import Problem


@click.group()
def audit() -> None:
    """The record of who did what: a chain of hashes."""


@audit.command(cls=needs(Permission.AUDIT_READ))
@click.option("--contains", default="", metavar="DIGEST", help="A digest noted down earlier.")
@with_data_dir
def verify(contains: str, data_dir: Path) -> None:
    """Check that no entry was changed, taken out or cut off.

    Prints the number of entries and the digest of the last one. Whoever can write the database
    could compute the whole chain anew: note that digest down elsewhere from time to time, and
    check later that the record still contains it.
    """
    from dothi.app.stores import open_registers
    from dothi.ports.clock import SystemClock

    folder = open_folder(data_dir)
    folder.require()
    with open_registers(folder, SystemClock()) as registers:
        found = registers.audit.verify(contains.strip().lower())
    if found.broken_at is not None:
        raise Problem(
            "audit_broken",
            "The audit record was tampered with",
            f"entry {found.broken_at}: {found.why}",
            500,
            where=f"{folder.database}, table audit",
            remedy="entries before it are sound; compare with a backup",
        )
    click.echo(f"{found.entries} entries, sound; last digest {found.head}")
