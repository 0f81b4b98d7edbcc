"""`dothi login-link`: a new one-time link for the administrator."""

from pathlib import Path

import click

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, open_folder, with_data_dir, with_settings_file


@click.command(cls=needs(Permission.ADMINISTER))
@with_data_dir
@with_settings_file
def login_link(data_dir: Path, config_file: Path | None) -> None:
    """Print a new one-time sign-in link; older unused links stop working."""
    from dothi.app.offline import make_login_link

    loaded = load_settings(data_dir, config_file)
    click.echo(make_login_link(loaded.settings, open_folder(data_dir)))
