"""`dothi config show`: every setting with its origin."""

from pathlib import Path

import click

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, with_data_dir, with_settings_file


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command(cls=needs(Permission.ADMINISTER))
@with_data_dir
@with_settings_file
@click.option("--changed", is_flag=True, help="Leave out what has its default.")
def show(data_dir: Path, config_file: Path | None, changed: bool) -> None:
    """Print each setting, its value and where the value comes from. Secrets are hidden."""
    from dothi.app.config.show import describe

    rows = list(describe(load_settings(data_dir, config_file)))
    if changed:
        rows = [row for row in rows if row[2] != "default"]
    width = max((len(key) for key, _, _ in rows), default=0)
    for key, value, origin in rows:
        click.echo(f"{key:<{width}} = {value}  # {origin}")
