"""`dothi up`: everything in one process, with the example of the two provinces."""

from pathlib import Path
from typing import Any

import click

from dothi.access.permission import Permission
from dothi.cli.command import needs, with_data_dir, with_settings_file
from dothi.cli.serve import address_flags, run_program, with_addresses


@click.command(cls=needs(Permission.ADMINISTER))
@with_addresses
@with_data_dir
@with_settings_file
@click.option("--empty", is_flag=True, help="Start without the example.")
def up(data_dir: Path, config_file: Path | None, empty: bool, **addresses: Any) -> None:
    """Start dothi with the example of the two provinces."""
    run_program(data_dir, config_file, address_flags(addresses), with_example=not empty)
