"""`dothi version`."""

import click

from dothi import __version__
from dothi.access.permission import Permission
from dothi.cli.command import needs


@click.command(cls=needs(Permission.PUBLIC))
def version() -> None:
    """Print the version."""
    click.echo(__version__)
